"""The page Ranking: what the command says, in words, and wrong addresses."""

from __future__ import annotations

import re
from html import unescape

import pytest

from web_catalog import IMAGE


def test_the_ranking_says_what_the_command_says(client, web_catalog):
    ranking = web_catalog.rank(top=20)

    text = client.get("/ranking").text

    assert ranking.verdicts[0].sentence in text
    links = re.findall(r'href="/strategies/[^"?]+\?trace=([^"]+)"', text)
    assert tuple(links) == ranking.trace_ids
    assert f"{len(ranking.rows)} of {ranking.total} traces" in text
    assert "the highest sharpe first" in text
    assert "Figures at cost 0 bps one way, filled at its bar&#39;s close; out of sample" in text
    assert "probability of overfitting</dt>" not in text


def test_the_address_says_what_is_ranked_and_how(client, web_catalog):
    where = "symbol = 'QQQ'"
    ranking = web_catalog.rank(by="calmar", where=where, top=3)

    text = client.get("/ranking", params={"by": "calmar", "where": where, "top": 3}).text

    assert tuple(re.findall(r'\?trace=([^"]+)"', text)) == ranking.trace_ids
    assert "<option selected>calmar</option>" in text
    assert 'value="symbol = &#39;QQQ&#39;"' in text


def test_the_probability_of_overfitting_is_estimated_where_it_is_asked_for(client, web_catalog):
    found = web_catalog.rank(pbo=True, top=1).verdicts[0].overfitting

    text = client.get("/ranking?pbo=on&top=1").text

    assert found is not None and found.probability is not None
    assert f"<dd>{found.probability:.2f}</dd>" in text


def test_a_changed_form_gets_the_results_alone(client):
    text = client.get("/ranking?by=sortino", headers={"X-Part": "results"}).text

    assert "<html" not in text and "<form" not in text
    assert "the highest sortino first" in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("by=nonsense", "by=nonsense"),
        ("top=many", "no number"),
        ("top=0", "So many rows cannot be shown"),
        ("cost_bps=nan", "no number"),
        ("cost_bps=7", "There are no figures to rank by"),
        ("where=this is no SQL", "this is no SQL"),
        ("where=sharpe > 1000", "No measured strategy meets the condition"),
        ("where=1=1) union select * from read_text('/etc/passwd') --", "This is no condition"),
        (f"by={IMAGE}", "&lt;img"),
        ("where=exists(select 1 from read_csv('x.csv'))", "A page reads no files"),
        ("where=trades in (select n from 'x.parquet')", "A page reads no files"),
        (f"where={'(' * 400}1{')' * 400} = 1", "This is no condition"),
    ],
)
def test_a_wrong_address_is_said_to_be_one(client, query, said):
    name, _, value = query.partition("=")

    answer = client.get("/ranking", params={name: value})

    assert answer.status_code == 400
    assert said in answer.text
    assert '<form action="/ranking"' in answer.text
    if name == "where":
        # What is written stays, to be corrected.
        assert f'value="{value}"' in unescape(answer.text)
    assert "Traceback" not in answer.text and "<img" not in answer.text

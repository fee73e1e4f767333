"""The list of strategies: what is asked for is what is shown, and what can be taken away."""

from __future__ import annotations

import io
import re
from html import unescape

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from catalog import Catalog
from catalog.web.facets import facets_of, parameters_of
from catalog.web.listing import PAGE
from conftest import old_trace
from web_catalog import IMAGE, SCRIPT, client_of

OF_RUN = "kind = 'signal' and status = 'registered'"

# An address, and which rows of `leaderboard` it is to show.
FILTERS = {
    "": "true",
    "strategy_type=rsi": "strategy_type = 'rsi'",
    "symbol=QQQ": "symbol = 'QQQ'",
    "timeframe=1d": "timeframe = '1d'",
    "run_id=later": "run_id = 'later'",
    "tag=good": "strategy_key in (select strategy_key from tags where tag = 'good')",
    "tag=good&tag=nothing": "false",
    "q=Twin": "strategy_id like '%twin%'",
    "param_fast=10": "param_fast = 10",
    "param_slow=60.5": "param_slow = 60.5",
    "param_fast.min=10&param_fast.max=15": "param_fast between 10 and 15",
    "strategy_type=ma_crossover&param_mode_text=ema": "param_mode_text = 'ema'",
    "sharpe.min=0.5": "sharpe >= 0.5",
    "sharpe_oos.min=0.5&sharpe_is.max=0": "sharpe_oos >= 0.5 and sharpe_is <= 0",
    "deflated_sharpe.max=0.5&trades.min=3": "deflated_sharpe <= 0.5 and trades >= 3",
    "is_flat=true": "is_flat",
    "is_flat=false&symbol=SPY": "not is_flat and symbol = 'SPY'",
    "symbol=QQQ&total_return.min=0.2&q=_5_": "symbol = 'QQQ' and total_return >= 0.2 "
    "and strategy_id like '%\\_5\\_%' escape '\\'",
}
TYPES = {"sharpe": "double", "strategy_id": "varchar", "param_slow": "double", "trades": "bigint"}


def shown(text: str) -> list[str]:
    """Return the traces that a page shows, in its order."""
    return re.findall(r'name="s" value="([0-9a-f]+)"', text)


def found(text: str) -> int:
    match = re.search(r"<strong>([\d,]+)</strong>", text)
    assert match, text
    return int(match[1].replace(",", ""))


def traces(catalog: Catalog, query: str) -> list[str]:
    return [trace_id for (trace_id,) in catalog.sql(query).fetchall()]


@pytest.mark.parametrize("query", FILTERS)
def test_a_filter_shows_the_rows_of_the_leaderboard_that_meet_it(client, web_catalog, query):
    expected = traces(web_catalog, f"select trace_id from leaderboard where {FILTERS[query]}")

    text = client.get(f"/?{query}").text

    assert sorted(shown(text)) == sorted(expected)
    assert found(text) == len(expected)


def test_a_run_shows_what_later_runs_made_anew_as_well(client, web_catalog):
    expected = traces(web_catalog, f"select trace_id from trace_files where {OF_RUN} "
                      "and run_id = 'sweep'")  # fmt: skip
    latest = traces(web_catalog, "select trace_id from leaderboard where run_id = 'sweep'")

    text = client.get("/?run_id=sweep").text

    assert sorted(shown(text)) == sorted(expected)
    assert len(latest) < len(expected)


@pytest.mark.parametrize("column", TYPES)
@pytest.mark.parametrize("way", ["", "-"])
def test_rows_are_sorted_by_any_column_with_those_that_have_none_at_the_end(
    client, web_catalog, column, way
):
    order = f"{column} {'desc' if way else 'asc'} nulls last, trace_id"
    expected = traces(web_catalog, f"select trace_id from leaderboard order by {order}")

    text = client.get(f"/?sort={way}{column}&col={column}").text

    assert shown(text) == expected
    assert f'aria-sort="{"descending" if way else "ascending"}"' in text


def test_every_column_can_be_shown_at_once(client, web_catalog):
    names = list(facets_of(web_catalog).columns)

    text = client.get("/", params={"col": names}).text

    assert text.count('data-part="listing" checked') == len(names) > 30


def test_the_columns_are_those_that_are_chosen(client):
    text = client.get("/?col=hit_rate&col=param_fast&strategy_type=ma_crossover").text

    heads = re.findall(r'<th scope="col".*?>\s*<a .*?>(.*?)</a>', text)
    assert heads == ["strategy", "hit rate", "fast"]
    assert 'value="hit_rate" data-part="listing" checked' in text


def test_a_type_shows_its_parameters_as_columns_and_as_boxes_that_know_their_values(client):
    text = client.get("/?strategy_type=ma_crossover").text

    assert 'name="param_fast.min" value="" aria-label="least fast" placeholder="5"' in text
    assert 'aria-label="greatest slow" placeholder="120"' in text
    assert '<option value="60.5">' in text
    assert '<label for="f-param_mode_text">mode</label>' in text
    assert re.search(r'<select id="f-param_mode_text".*?<option value="ema"', text, re.DOTALL)
    assert "param_threshold" not in text


def test_another_type_drops_filters_and_columns_that_it_does_not_have(client):
    text = client.get(
        "/?strategy_type=rsi&param_fast.min=10&param_mode_text=ema&col=param_fast&col=sharpe"
        "&sort=param_fast"
    ).text

    assert found(text) == 3
    assert "param_fast" not in text


def test_flat_strategies_are_marked_and_say_why_they_have_no_figures(client):
    text = client.get("/?is_flat=true").text

    assert re.search(r'SPY_flat</a> <span class="tag" title="[^"]+">flat</span>', text)
    assert 'title="all flat: no position in the range">–</td>' in text


def test_what_has_no_box_is_said_and_kept(client, web_catalog):
    (trace_id, *_) = traces(web_catalog, "select trace_id from leaderboard where symbol = 'QQQ'")

    text = client.get(f"/?trace_id={trace_id}&param_fast.min=1").text

    assert shown(text) == [trace_id]
    assert f'<input type="hidden" name="trace_id" value="{trace_id}">' in text
    assert '<input type="hidden" name="param_fast.min" value="1">' in text


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """One who asks a catalog of 250 strategies without prices."""
    from catalog import write_signals

    catalog = Catalog(tmp_path_factory.mktemp("many") / "catalog.duckdb")
    names = [f"one_{number:03}" for number in range(250)]
    write_signals(
        catalog.path.parent / "runs" / "a",
        {name: ([0, 1], [1.0, float(number % 3)]) for number, name in enumerate(names)},
        configs={
            name: {"type": "walk", "parameters": {"number": number, "word": f"w{number}"}}
            for number, name in enumerate(names)
        },
        symbol="SPY",
        bar_index=range(50),
        catalog=catalog.path,
    )
    return client_of(catalog)


def test_pages_together_show_every_row_once(many):
    pages = [many.get(f"/?sort=symbol&page={number}").text for number in (1, 2, 3)]

    rows = [row for text in pages for row in shown(text)]
    assert [len(shown(text)) for text in pages] == [PAGE, PAGE, 50]
    assert len(set(rows)) == len(rows) == 250
    assert 'rel="prev"' not in pages[0] and 'rel="next"' not in pages[2]
    assert "101 to 200" in pages[1]


def test_behind_the_last_page_is_a_way_back(many):
    assert "There is no page 9 of this" in many.get("/?page=9").text


def test_without_figures_the_page_says_what_gives_them(many):
    text = many.get("/").text

    assert "catalog prices add" in text and "catalog metrics" in text


def test_a_box_of_many_values_says_the_least_and_the_greatest(many):
    text = many.get("/?strategy_type=walk").text

    assert 'aria-label="least number" placeholder="0"' in text
    assert 'aria-label="greatest number" placeholder="249"' in text
    assert '<datalist id="l-param_word_text">' in text and '<option value="w17">' in text


def test_an_empty_catalog_says_how_to_begin(catalog, tmp_path):
    catalog.register(tmp_path)

    text = client_of(catalog).get("/").text

    assert "catalog register FOLDER" in text


def test_a_change_of_the_catalog_is_seen_at_once(catalog, tmp_path):
    asking = client_of(catalog)
    for number in (1, 2):
        old_trace(tmp_path / "runs" / f"run_{number}" / "traces" / "SPY_1m" / "signals" / "grid"
                  / f"SPY_grid_{number}.parquet", [1, 0])  # fmt: skip
        catalog.register(tmp_path / "runs")

        text = asking.get("/").text

        assert found(text) == number
        assert f"run_{number}</option>" in text or f"run_{number} (" in text


@pytest.mark.parametrize("query", ["", "strategy_type=rsi&sort=strategy_id", "q=zzz"])
def test_what_is_exported_is_what_is_shown(client, query):
    text = client.get(f"/?{query}").text

    exported_csv = client.get(f"/strategies.csv?{query}")
    exported = client.get(f"/strategies.parquet?{query}")

    assert 'filename="strategies.csv"' in exported_csv.headers["content-disposition"]
    assert 'filename="strategies.parquet"' in exported.headers["content-disposition"]
    table = pq.read_table(io.BytesIO(exported.content))
    assert table.column_names[:2] == ["strategy_id", "strategy_hash"]
    assert table.num_rows == found(text)
    rows = exported_csv.content.decode().splitlines()
    assert len(rows) == table.num_rows + 1
    if table.num_rows:
        again = csv.read_csv(io.BytesIO(exported_csv.content))
        assert again.column_names == table.column_names
        assert again["sharpe"].to_pylist() == pytest.approx(table["sharpe"].to_pylist())
        ids = re.findall(r'<th scope="row"><a [^>]*>(.*?)</a>', text)
        assert [unescape(name) for name in ids] == table["strategy_id"].to_pylist()


def test_all_rows_are_exported_and_not_one_page(many):
    exported = many.get("/strategies.parquet?col=param_number&sort=-param_number&page=2")

    table = pq.read_table(io.BytesIO(exported.content))
    assert table["param_number"].to_pylist() == list(range(249, -1, -1))


@pytest.mark.parametrize(
    "query",
    [
        "page=000000001999999999", "is_flat=maybe", "first_ts=2020", "last_ts=2024-13-01",
        "page=abc", "page=0", "page=-1", "page=1.5", "page=²", "page=99999999999",
        "sort=nowhere", "sort=--sharpe", "sort=config", "col=nowhere",
        "nowhere=1", "nowhere.min=1", "sharpe.min=abc", "sharpe.min=nan", "sharpe.max=inf",
        "symbol.min=1", "is_flat=perhaps", "sharpe=x", "config=1",
        "first_ts=yesterday-ish", "param_fast.min=1';drop table x;--",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_and_is_no_bug(client, query):
    answer = client.get(f"/?{query}")

    assert answer.status_code == 400
    assert "This cannot be shown" in answer.text


def test_a_file_of_what_makes_no_sense_is_none(client):
    answer = client.get("/strategies.csv?sort=nowhere")

    assert answer.status_code == 400
    assert "content-disposition" not in answer.headers


def test_values_are_bound_and_never_part_of_the_query(client, web_catalog):
    for value in ("x' or 1=1 --", "%", "\0"):
        for name in ("q", "symbol", "tag", "param_mode_text"):
            answer = client.get("/", params={name: value})
            assert answer.status_code in {200, 400}
            assert shown(answer.text) == [], (name, value)


def test_names_that_are_scripts_are_shown_as_text(client):
    names = ("strategy_type", "q", "run_id", "tag", "sort", "page", "col", SCRIPT)
    for query in ({}, *({name: value} for name in names for value in (SCRIPT, IMAGE))):
        text = client.get("/", params=query).text

        assert "<script>alert" not in text and "<img" not in text
    text = client.get("/", params={"strategy_type": IMAGE}).text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_only_the_list_is_sent_where_only_that_is_asked_for(client):
    part = client.get("/?symbol=QQQ", headers={"X-Part": "results"}).text
    listing = client.get("/?symbol=QQQ", headers={"X-Part": "listing"}).text

    assert found(part) == 20 and "<html" not in part and 'class="filters"' not in part
    assert 'class="filters"' in listing and "<html" not in listing and "<h1>" not in listing


def test_rows_lead_to_the_strategy_and_its_trace(client):
    (trace_id, *_), text = shown(text := client.get("/?symbol=QQQ").text), text

    (address, *_) = re.findall(r'<th scope="row"><a href="([^"]+)"', text)
    assert address.endswith(f"?trace={trace_id}")
    assert client.get(unescape(address)).status_code == 200


def test_a_strategy_of_unknown_configuration_has_a_link_as_well(catalog, write_run):
    catalog.register(write_run(traces={"SPY_odd #1 ?%": [1, 0]}))
    asking = client_of(catalog)

    (address,) = re.findall(r'<th scope="row"><a href="([^"]+)"', asking.get("/").text)

    answer = asking.get(unescape(address))
    assert answer.status_code == 200 and "SPY_odd #1 ?%" in answer.text


def test_the_address_that_people_guess_leads_to_the_list(client):
    answer = client.get("/strategies?symbol=QQQ", follow_redirects=False)

    assert answer.headers["location"] == "/?symbol=QQQ"


def test_what_can_be_filtered_by_is_read_once(web_catalog, monkeypatch):
    facets_of(web_catalog), parameters_of(web_catalog, "rsi")
    monkeypatch.setattr(Catalog, "sql", None)

    assert facets_of(web_catalog).traces == 46
    assert [one.column.label for one in parameters_of(web_catalog, "rsi")] == [
        "period",
        "threshold",
    ]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """One who asks a catalog of strategies whose parameters are easily taken for others."""
    from catalog import write_signals

    catalog = Catalog(tmp_path_factory.mktemp("seeds") / "catalog.duckdb")
    configs = {
        f"s_{seed}": {
            "type": "seeds",
            "parameters": {"seed": seed, "n": seed % 10, "n.max": 7, "odd": seed % 2 == 1},
        }
        for seed in range(2**53 - 1, 2**53 + 4)
    }
    write_signals(
        catalog.path.parent / "runs" / "a",
        {name: ([0, 1], [1.0, 0.0]) for name in configs},
        configs=configs,
        symbol="SPY",
        bar_index=range(5),
        catalog=catalog.path,
    )
    return client_of(catalog)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("param_seed=9007199254740993", 1),
        ("param_seed.min=9007199254740993", 3),
        ("param_seed.max=9007199254740992", 2),
        ("param_n.max=7", 5),
        ("param_n.max=6", 0),
        ("param_n.max.min=8", 0),
        ("param_odd=true", 3),
        ("param_odd=False", 2),
    ],
)
def test_numbers_and_names_are_meant_to_the_last_digit(seeds, query, count):
    assert found(seeds.get(f"/?{query}").text) == count


def test_a_truth_value_can_be_chosen_as_the_form_offers_it(seeds):
    text = seeds.get("/?strategy_type=seeds").text

    offered = re.search(r'<select id="f-param_odd".*?</select>', text, re.DOTALL)[0]
    (value, *_) = re.findall(r'<option(?: value="([^"]+)")', offered)
    assert found(seeds.get(f"/?strategy_type=seeds&param_odd={value}").text) in (2, 3)


@pytest.mark.parametrize("text", ["2024-W01-1", "20241231", "2024-12-31"])
def test_any_date_of_the_standard_is_one(client, text):
    assert client.get(f"/?first_ts={text}").status_code == 200


def test_five_hundred_parameters_are_no_reason_to_wait(tmp_path):
    from catalog import write_signals

    catalog = Catalog(tmp_path / "catalog.duckdb")
    configs = {
        f"w_{row}": {"type": "wide", "parameters": {f"p{n}": n * row for n in range(520)}}
        for row in range(40)
    }
    write_signals(
        tmp_path / "runs" / "a",
        {name: ([0, 1], [1.0, 0.0]) for name in configs},
        configs=configs,
        symbol="SPY",
        bar_index=range(5),
        catalog=catalog.path,
    )
    text = client_of(catalog).get("/?strategy_type=wide&param_p7.min=70").text

    assert found(text) == 30

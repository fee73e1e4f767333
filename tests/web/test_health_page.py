"""The page Health, and what it knows of the last verification."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalog import Catalog
from catalog.verify.last import FINDINGS
from catalog.web.pages.health import said_age
from conftest import old_trace
from web_catalog import IMAGE, client_of


@pytest.fixture
def kept(tmp_path):
    """A catalog of three traces, one of them damaged since."""
    folder = tmp_path / "runs" / "run_a" / "traces" / "SPY_1m" / "signals" / "grid"
    for number in range(3):
        old_trace(folder / f"SPY_grid_{number}.parquet", [1, 0, number])
    made = Catalog(tmp_path / "catalog.duckdb")
    made.register(tmp_path / "runs")
    return made


def test_the_page_says_what_is_in_quarantine_and_why(client, web_catalog):
    ((path, reason),) = web_catalog.sql("select path, reason from quarantine limit 1").fetchall()

    text = client.get("/health").text

    assert path in text and reason in text
    assert "No command that looked for registered files has missed one" in text


def test_the_page_says_which_traces_have_no_figures_and_why(client):
    text = client.get("/health").text.split("<h2>Without figures</h2>")[1].split("<h2>")[0]

    assert "their prices are not known" in text or "no 1m prices of SPY" in text
    assert "SPY_grid_1" in text
    # One that was never in the market lacks nothing.
    assert "SPY_flat" not in text


def test_the_page_lists_the_runs_with_a_link_to_their_strategies(client, web_catalog):
    text = client.get("/health").text

    for run_id in web_catalog.runs().table["run_id"].to_pylist():
        if run_id.isidentifier():
            assert f'href="/?run_id={run_id}"' in text
    assert IMAGE not in text and "<script>alert" not in text


def test_nothing_is_known_before_the_first_verification(kept):
    assert kept.last_verification() is None
    assert "None is known" in client_of(kept).get("/health").text


def test_the_last_verification_is_kept_and_shown(kept):
    assert not kept.verify(fast=True).findings
    fast = kept.last_verification()
    ((path,), *_) = kept.sql("select path from trace_files order by all").fetchall()
    with open(path, "r+b") as file:
        file.write(b"BAD!")
    report = kept.verify()

    last = kept.last_verification()
    text = client_of(kept).get("/health").text

    assert (fast.how, fast.files, dict(fast.counts)) == ("fast", 3, {})
    assert (last.how, sum(last.counts.values())) == ("full", len(report.findings))
    assert last.findings == report.findings
    assert datetime.now(UTC) - last.finished_at < timedelta(minutes=5)
    assert path in text and report.findings[0].what_to_do in text and "just now" in text


def test_a_look_at_some_files_is_not_taken_for_the_whole(kept, tmp_path):
    kept.verify(tmp_path / "runs")

    assert kept.last_verification() is None


def test_findings_are_kept_up_to_a_number_and_counted_beyond(kept, tmp_path):
    for path in (tmp_path / "runs").rglob("*.parquet"):
        path.unlink()
    folder = tmp_path / "runs" / "run_a" / "traces" / "SPY_1m" / "signals" / "grid"
    for number in range(3, FINDINGS + 10):
        old_trace(folder / f"SPY_grid_{number}.parquet", [1, 0, number])
    report = kept.verify(fast=True)

    last = kept.last_verification()

    assert len(report.findings) > FINDINGS
    assert len(last.findings) == FINDINGS
    assert sum(last.counts.values()) == len(report.findings)
    assert f"and {len(report.findings) - FINDINGS} more" in client_of(kept).get("/health").text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1}', "\xff"])
def test_what_was_kept_and_is_damaged_is_as_none(kept, tmp_path, text):
    (tmp_path / "catalog.d" / "verified.json").write_bytes(text.encode("latin-1"))

    assert kept.last_verification() is None


def test_where_one_cannot_write_verifying_works_all_the_same(kept, tmp_path):
    (tmp_path / "catalog.d" / "verified.json").mkdir()

    assert not kept.verify(fast=True).findings
    assert kept.last_verification() is None


def test_an_age_is_said_in_its_greatest_unit():
    seconds = (5, 60, 150, 7_300, 86_400 * 3 + 9)

    said = [said_age(timedelta(seconds=number)) for number in seconds]

    assert said == ["just now", "1 minute ago", "2 minutes ago", "2 hours ago", "3 days ago"]

"""A report is one file that tells a run or strategies, and does nothing, however they are named."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog import Catalog
from catalog.cli.main import main
from catalog.errors import QueryError, UsageError
from catalog.plots.charts import equity_chart
from catalog.plots.curves import read_curves
from catalog.reports.picture import inline
from conftest import old_trace
from web_catalog import IMAGE, SCRIPT

pytest.importorskip("jinja2")
pytest.importorskip("vl_convert")


class Page(HTMLParser):
    """The elements of a page, their attributes, and its text, as a browser would take them."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(path.read_text("utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def values(self, name: str) -> list[str]:
        return [value or "" for one, value in self.attributes if one == name]


def check_harmless(page: Page) -> None:
    """A page runs nothing, loads nothing, and leads nowhere."""
    assert not {"script", "img", "iframe", "object", "embed", "link", "a"} & set(page.elements)
    names = [name.lower() for name, _ in page.attributes]
    assert [name for name in names if name.startswith("on") or name in ("src", "href")] == []


@pytest.fixture(scope="module")
def of_run(web_catalog: Catalog, tmp_path_factory) -> Page:
    path = tmp_path_factory.mktemp("report") / "sweep.html"
    made = web_catalog.report("sweep", path)
    assert (made.run_id, made.trace_ids) == ("sweep", ())
    return Page(path)


@pytest.fixture(scope="module")
def of_one(web_catalog: Catalog, tmp_path_factory) -> Page:
    path = tmp_path_factory.mktemp("report") / "twin.html"
    made = web_catalog.report("SPY_twin_a", path)
    assert made.run_id is None and len(made.trace_ids) == 1
    return Page(path)


def test_a_report_on_a_run_tells_what_it_holds_and_how_it_did(web_catalog, of_run):
    run = next(one for one in web_catalog.runs().table.to_pylist() if one["run_id"] == "sweep")
    ranking = web_catalog.rank(where="run_id = 'sweep'", top=20)

    assert f"strategies {run['strategies']}" in of_run.text
    assert "QQQ 1d, SPY 1d" in of_run.text
    for verdict in ranking.verdicts:
        assert verdict.sentence in of_run.text
    for name, *_ in ranking.rows.fetchall():
        assert name in of_run.text
    assert "buy and hold SPY" in of_run.text or "buy and hold QQQ" in of_run.text
    assert re.search("36 traces over (fast and slow|slow and fast)", of_run.text)
    assert "Without 4 that a later run traced again" in of_run.text
    assert "2020" in of_run.text and "Month by month" in of_run.text
    assert "Every file is there" in of_run.text
    assert of_run.elements.count("svg") == 3


def test_a_report_on_a_strategy_tells_its_configuration_figures_and_trades(web_catalog, of_one):
    trades = web_catalog.sql(
        "select count(*), avg(gross) from trades where strategy_id = 'SPY_twin_a' and not is_open"
    )
    ((count, _),) = trades.fetchall()

    assert "period 7" in of_one.text and "threshold 0.3" in of_one.text
    assert "in sample" in of_one.text and "out of sample" in of_one.text
    assert "trend: up" in of_one.text
    assert "buy and hold SPY" in of_one.text
    assert "holds up out of sample" in of_one.text
    found = re.search(r"bars, most all (\d+) (\d+)", of_one.text)
    assert found and int(found[1]) - int(found[2]) == count
    assert of_one.elements.count("svg") == 3


def test_what_trades_earned_is_of_those_that_metrics_count(web_catalog, of_one):
    ((hit_rate,),) = web_catalog.sql(
        "select hit_rate from leaderboard where strategy_id = 'SPY_twin_a'"
    ).fetchall()

    assert re.search(rf"bars, most all \d+ \d+ {100 * hit_rate:,.1f} %", of_one.text)
    assert f"hit rate {100 * hit_rate:,.1f} %" in of_one.text


def test_a_report_loses_no_column_on_paper(web_catalog, chromium, tmp_path):
    file = tmp_path / "report.html"
    web_catalog.report("sweep", file)
    # A4, landscape, without its margins, at 96 pixels an inch.
    page = chromium.new_page(viewport={"width": 1031, "height": 700})
    page.emulate_media(media="print")
    page.goto(file.as_uri())

    wider = page.evaluate(
        "[...document.querySelectorAll('table, svg, h1, h2, p')].filter("
        "one => one.getBoundingClientRect().right > window.innerWidth + 1).map(one => one.outerHTML"
        ".slice(0, 80))"
    )
    page.close()
    assert wider == []


def test_strategies_are_drawn_together_and_told_one_by_one(web_catalog, tmp_path):
    web_catalog.report((), tmp_path / "best.html", where="symbol = 'QQQ'", top=3)

    page = Page(tmp_path / "best.html")
    best = web_catalog.rank(where="symbol = 'QQQ'", top=3).rows.fetchall()
    assert page.text.count("Configuration") == 3
    assert all(row[0] in page.text for row in best)
    # Two of all of them, and of each one what it held.
    assert page.elements.count("svg") == 5


def test_what_was_never_measured_is_told_with_what_would_help(catalog, tmp_path):
    folder = tmp_path / "bare"
    old_trace(folder / "traces" / "SPY_1m" / "signals" / "grid" / "SPY_grid_1.parquet", [1, 0, -1])
    catalog.register(folder)

    catalog.report("bare", tmp_path / "bare.html")
    catalog.report("SPY_grid_1", tmp_path / "one.html")

    run, one = Page(tmp_path / "bare.html"), Page(tmp_path / "one.html")
    assert "Compute them: catalog metrics" in run.text
    assert "not measured" in run.text and "configuration unknown" in run.text
    assert "It is unknown." in one.text and "catalog metrics" in one.text
    assert "svg" not in run.elements + one.elements


def test_a_run_whose_file_is_damaged_is_told_all_the_same(web_catalog, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(web_catalog.path.parent, copy)
    catalog = Catalog(copy / "catalog.duckdb")
    path = next((copy / "runs").glob("[!a-z]*/**/*.parquet"))
    path.write_bytes(path.read_bytes()[:100])

    catalog.report(IMAGE, tmp_path / "run.html")
    catalog.report(str(path), tmp_path / "one.html")

    for name in ("run.html", "one.html"):
        page = Page(tmp_path / name)
        assert path.name in page.text
        assert "Month by month" in page.text


@pytest.mark.parametrize("name", [IMAGE, "old"])
def test_names_that_would_do_harm_are_only_text(web_catalog, tmp_path, name):
    traces = "select trace_id from strategy_index where run_id = $run"
    ((trace_id,),) = web_catalog.sql(traces, {"run": name}).fetchall()

    web_catalog.report(name, tmp_path / "run.html")
    web_catalog.report(trace_id, tmp_path / "one.html")

    for page in (Page(tmp_path / "run.html"), Page(tmp_path / "one.html")):
        check_harmless(page)
    shown = IMAGE if name == IMAGE else SCRIPT
    assert shown in Page(tmp_path / "one.html").text


def test_a_report_runs_nothing_and_loads_nothing(of_run, of_one):
    for page in (of_run, of_one):
        check_harmless(page)
        assert "default-src 'none'" in " ".join(page.values("content"))


def test_pictures_of_one_page_share_no_names(of_run, of_one):
    for page in (of_run, of_one):
        ids = page.values("id")
        values = " ".join(value or "" for _, value in page.attributes)
        used = re.findall(r"url\(#([^)]+)\)", values)
        assert len(ids) == len(set(ids)) > 0
        assert set(used) <= set(ids)


def test_text_in_a_picture_is_not_taken_for_a_name(web_catalog):
    ids = web_catalog.sql("select trace_id from leaderboard where strategy_id = 'SPY_flat'")
    curves = read_curves(web_catalog.path, ids.table["trace_id"].to_pylist()).curves
    named = '<clipPath id="clip1">'
    curves = curves.set_column(0, "label", [[named] * curves.num_rows])

    drawn = inline(equity_chart(curves), "p1")

    assert "&lt;clipPath id=" in drawn
    assert 'p1-clip1"&gt;' not in drawn


def test_a_run_is_known_by_a_part_of_its_id_where_no_strategy_is(web_catalog, tmp_path):
    assert web_catalog.report("othe", tmp_path / "others.html").run_id == "others"


def test_what_is_neither_run_nor_strategy_is_told_with_the_runs_there_are(web_catalog, tmp_path):
    with pytest.raises(QueryError) as raised:
        web_catalog.report("swept", tmp_path / "x.html")

    assert "'swept'" in str(raised.value)
    assert "sweep" in raised.value.hint and "later" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_there_is_written_over_only_if_asked_to(web_catalog, tmp_path):
    path = tmp_path / "later.html"
    path.write_text("mine")
    command = ["report", "later", "-o", str(path), "--catalog", str(web_catalog.path)]

    refused = CliRunner().invoke(main, command)
    kept = path.read_text()
    done = CliRunner().invoke(main, [*command, "--overwrite"])

    assert refused.exit_code == 2 and "--overwrite" in refused.stderr
    assert kept == "mine"
    assert done.exit_code == 0, done.stderr
    assert "reported   run later" in done.stderr
    assert "Run later" in Page(path).text


def test_what_cannot_be_a_report_is_refused(web_catalog, tmp_path):
    with pytest.raises(UsageError, match="no name of a report"):
        web_catalog.report("later", tmp_path / "later.pdf")
    with pytest.raises(UsageError, match="not said which"):
        web_catalog.report((), tmp_path / "none.html")
    with pytest.raises(UsageError, match="room for 10"):
        web_catalog.report((), tmp_path / "all.html", where="symbol = 'SPY'")


@pytest.mark.parametrize("missing", ["jinja2", "vl_convert"])
def test_without_a_library_the_extra_is_named(web_catalog, tmp_path, missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from catalog.cli.main import main\n"
        f"main(['report', 'later', '-o', {str(tmp_path / 'x.html')!r},"
        f" '--catalog', {str(web_catalog.path)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 2
    assert "strategy-trace-catalog[report]" in done.stderr

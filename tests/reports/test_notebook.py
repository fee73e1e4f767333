"""A notebook about a run: it says what is there, runs from top to bottom, and harms nobody."""

from __future__ import annotations

import ast
import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog import Catalog
from catalog.cli.main import main
from catalog.errors import QueryError, UsageError
from catalog.plots.drawing import MIME
from catalog.reports.notebook import plain
from conftest import old_trace
from web_catalog import IMAGE, SCRIPT

nbformat = pytest.importorskip("nbformat")


# In a process of its own: nbclient leaves sockets open, and warnings are errors here.
EXECUTE = """
import sys, nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
path, folder, socket = sys.argv[1:]
made = nbformat.read(path, as_version=4)
kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=socket)
NotebookClient(made, km=kernel, timeout=60, resources={"metadata": {"path": folder}}).execute()
nbformat.write(made, path)
"""


def cells(path: Path, kind: str) -> list[str]:
    made = nbformat.read(path, as_version=4)
    return [cell.source for cell in made.cells if cell.cell_type == kind]


@pytest.fixture
def run(tmp_path):
    """Run a notebook where it lies, with nobody's settings; return the outputs of its cells."""
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    folders = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    environment = os.environ | {name: str(tmp_path / name.lower()) for name in folders}

    def execute(path: Path):
        command = [sys.executable, "-c", EXECUTE, path, path.parent, tmp_path / "kernel"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        made = nbformat.read(path, as_version=4)
        return [cell.outputs for cell in made.cells if cell.cell_type == "code"]

    return execute


def shown(outputs, kind: str) -> list:
    return [one.data[kind] for cell in outputs for one in cell if kind in one.get("data", {})]


def test_the_notebook_of_a_run_runs_from_top_to_bottom(web_catalog, tmp_path, run):
    path = tmp_path / "sweep.ipynb"

    made = web_catalog.notebook("sweep", path)
    outputs = run(path)

    assert made.left_out == ()
    charts, pictures = shown(outputs, MIME), shown(outputs, "image/png")
    titles = [chart["title"]["text"] for chart in charts]
    assert titles == ["Equity of 5 traces", "Drawdown of 5 traces", titles[2]]
    assert titles[2].startswith("sharpe over ")
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in pictures)
    assert len(pictures) == len(charts)
    tables = "".join(shown(outputs, "text/html"))
    best = web_catalog.sql(
        "from strategy_index where run_id = 'sweep' order by sharpe desc limit 1"
    ).table.to_pylist()[0]
    assert f"<td>{best['strategy_id']}</td>" in tables
    assert "<td>2020</td>" in tables
    assert any("Nothing here beats chance" in str(cell) for cell in outputs)


def test_a_run_without_prices_has_a_notebook_that_says_what_is_lacking(catalog, tmp_path, run):
    folder = tmp_path / "runs" / "bare"
    old_trace(folder / "traces" / "SPY_1m" / "signals" / "grid" / "SPY_grid_1.parquet", [1, 0, -1])
    catalog.register(folder)

    made = catalog.notebook("bare", tmp_path / "bare.ipynb")
    outputs = run(made.path)

    assert made.left_out[0].startswith("ranking and curves: ")
    assert any("catalog metrics" in text for text in cells(made.path, "markdown"))
    tables = shown(outputs, "text/html")
    assert "not measured" in tables[-1] and "configuration unknown" in tables[-1]
    assert "3 rows" in tables[-2]


def test_a_result_is_one_call_away_from_pandas_and_polars(web_catalog):
    found = web_catalog.sql("select strategy_id, sharpe from leaderboard order by all limit 3")

    assert list(found.df().columns) == ["strategy_id", "sharpe"]
    assert found.pl().height == 3
    assert found._repr_html_().startswith("<table>")


def test_the_same_run_gives_the_same_file(web_catalog, tmp_path):
    paths = [tmp_path / name for name in ("a.ipynb", "b.ipynb")]

    for path in paths:
        web_catalog.notebook("later", path)

    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_catalog_near_the_notebook_is_named_from_there_and_one_apart_is_not(tmp_path, catalog):
    old_trace(tmp_path / "old" / "signals" / "grid" / "SPY_grid_1.parquet", [1, 0])
    catalog.register(tmp_path / "old")
    far = tmp_path / "a" / "b" / "c"
    far.mkdir(parents=True)

    catalog.notebook("old", catalog.path.parent / "old.ipynb")
    catalog.notebook("old", tmp_path / "a" / "old.ipynb")
    catalog.notebook("old", far / "old.ipynb")

    assert "Catalog('catalog.duckdb')" in cells(catalog.path.parent / "old.ipynb", "code")[0]
    assert "Catalog('../home/catalog.duckdb')" in cells(tmp_path / "a" / "old.ipynb", "code")[0]
    assert f"Catalog({os.path.realpath(catalog.path)!r})" in cells(far / "old.ipynb", "code")[0]


def test_names_that_would_do_harm_are_only_text(web_catalog, tmp_path):
    web_catalog.notebook(IMAGE, tmp_path / "image.ipynb")
    web_catalog.notebook("old", tmp_path / "old.ipynb")

    for name in ("image.ipynb", "old.ipynb"):
        assert "<" not in "".join(cells(tmp_path / name, "markdown"))
        for code in cells(tmp_path / name, "code"):
            ast.parse(code)
    first = ast.parse(cells(tmp_path / "image.ipynb", "code")[0]).body[1:]
    values = [one.value.value for one in first if isinstance(one.value, ast.Constant)]
    assert values[0] == IMAGE


def test_text_is_shown_as_it_is_in_markdown():
    assert plain(SCRIPT) == r"&lt;script&gt;alert\(1\)&lt;/script&gt;"
    assert plain("a_b\n# c *d*") == r"a\_b \# c \*d\*"


def test_an_unknown_run_is_told_with_those_that_there_are(web_catalog, tmp_path):
    with pytest.raises(QueryError) as raised:
        web_catalog.notebook("swept", tmp_path / "x.ipynb")

    assert "'swept'" in str(raised.value)
    assert "sweep" in raised.value.hint and "later" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_that_is_there_is_written_over_only_if_asked_to(web_catalog, tmp_path):
    path = tmp_path / "mine.ipynb"
    path.write_text("my work")
    command = ["notebook", "later", "-o", str(path), "--catalog", str(web_catalog.path)]

    refused = CliRunner().invoke(main, command)
    kept = path.read_text()
    done = CliRunner().invoke(main, [*command, "--overwrite"])

    assert refused.exit_code == 2 and "--overwrite" in refused.stderr
    assert kept == "my work"
    assert done.exit_code == 0, done.stderr
    assert json.loads(path.read_text())["nbformat"] == 4


def test_what_is_no_name_of_a_notebook_is_refused(web_catalog, tmp_path):
    with pytest.raises(UsageError, match="no name of a notebook"):
        web_catalog.notebook("later", tmp_path / "later.html")
    with pytest.raises(UsageError, match="is a folder"):
        (tmp_path / "x.ipynb").mkdir()
        web_catalog.notebook("later", tmp_path / "x.ipynb")


def test_without_the_library_the_extra_is_named(web_catalog, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)

    with pytest.raises(UsageError) as raised:
        web_catalog.notebook("later", tmp_path / "later.ipynb")

    assert "strategy-trace-catalog[notebook]" in raised.value.hint


def test_where_nothing_can_draw_the_specification_alone_is_shown(web_catalog, monkeypatch):
    from catalog.plots import draw

    chart = web_catalog.chart("equity", "SPY_twin_a")
    with_picture = chart._repr_mimebundle_()
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    draw._library.cache_clear()
    without = chart._repr_mimebundle_()
    draw._library.cache_clear()

    assert set(with_picture) == {MIME, "image/png", "text/plain"}
    assert set(without) == {MIME, "text/plain"}
    assert MIME == "application/vnd.vegalite.v6+json"
    assert isinstance(without[MIME]["width"], int)
    json.dumps(with_picture)


def test_a_chart_of_no_kind_is_refused(web_catalog: Catalog):
    with pytest.raises(UsageError, match="no kind of plot 'pie'"):
        web_catalog.chart("pie")

"""The README says what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from catalog import Catalog

README = Path(__file__).resolve().parents[1] / "README.md"
BIN = Path(sys.executable).parent

needs_prices = pytest.mark.skipif(
    find_spec("bokeh_sampledata") is None,
    reason="the demo's prices are in bokeh-sampledata, which is not installed",
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def steps(block: str) -> list[tuple[str, str]]:
    """Return the commands of a session with what they print."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def comparable(text: str) -> str:
    """Take out what differs from machine to machine."""
    text = re.sub(r"\d+\.\d s\b", "0.0 s", text)
    text = re.sub(r"\d+\.\d MB", "0.0 MB", text)
    text = re.sub(r"as writer [0-9a-f]{12}", "as writer 0", text)
    return re.sub(r"(?:/\S*|…)/sweep_demo", "…/sweep_demo", text)


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    command = next(line for line in blocks("sh") if "catalog demo" in line).split("&&")[-1]
    words = command.replace(".venv/bin", str(BIN)).split()
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return folder


@needs_prices
def test_the_session_prints_what_the_readme_shows(demo):
    (change, _), *session = [step for block in blocks("console") for step in steps(block)]
    assert change == "cd sweep_demo"
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment.pop("CATALOG", None)

    for command, expected in session:
        done = subprocess.run(
            command,
            shell=True,
            cwd=demo / "sweep_demo",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )

        assert comparable(done.stdout) == comparable(expected), command


@needs_prices
def test_the_python_examples_run(demo, tmp_path):
    after_the_demo, streaming, events, arrays, libraries = blocks("python")

    first = run_python(after_the_demo, demo)
    assert run_python(streaming, demo) == "13506 of 52414\n"
    second = run_python(events, tmp_path)
    expected = {"SPY_sma_5_20"}
    if find_spec("pandas") is not None:
        run_python(arrays, tmp_path)
        expected |= {"momentum_1", "momentum_2"}
    if find_spec("vectorbt") is not None and find_spec("backtesting") is not None:
        # Their own warnings are theirs.
        run_python(libraries, tmp_path, warnings="ignore")
        expected |= {"cycle", "SPY"}

    assert first.splitlines()[0] == "0 510"
    assert (demo / "sweep_demo" / "period_20.parquet").exists()
    assert second == "4 signals, 2 changes kept\n"
    query = "select strategy_id, config_source from trace_files"
    found = Catalog(tmp_path / "catalog.duckdb").sql(query).fetchall()
    assert {strategy_id for strategy_id, _ in found} == expected
    assert {source for _, source in found} == {"footer"}


@needs_prices
def test_the_sql_examples_run(demo, monkeypatch):
    query, recipe = blocks("sql")
    monkeypatch.chdir(demo / "sweep_demo")
    catalog = Catalog()
    catalog.export_strategy_index("strategy_index.parquet")
    ((some_hash,),) = catalog.sql("select min(strategy_hash) from strategies").fetchall()

    assert len(catalog.sql(query)) > 1000
    with duckdb.connect("catalog.duckdb", read_only=True) as con:
        for line in recipe.replace("39a6426ec117", some_hash).strip().split("\n"):
            found = con.execute(line)
        assert len(found.fetchall()) > 0


def run_python(code: str, folder: Path, *, warnings: str = "error") -> str:
    done = subprocess.run(
        [sys.executable, "-W", warnings, "-c", code], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tables_that_the_readme_names_exist(catalog, write_run):
    catalog.register(write_run())
    table = README.read_text().split("## What to ask")[1].split("##")[0]
    names = set(re.findall(r"`(\w+)`", table.split("Words are in")[0]))

    there = {name for (name,) in catalog.sql("show tables").fetchall()}

    assert names - there == set()


def test_the_tests_that_the_readme_names_exist():
    for name in re.findall(r"`(tests/\S+\.py)`", README.read_text()):
        assert (README.parent / name).exists(), name

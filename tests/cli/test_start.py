"""Starting is quick: a command loads what it uses, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import catalog.cli
from catalog import Catalog
from catalog.cli.main import COMMANDS
from conftest import old_trace

HEAVY = {"duckdb", "pyarrow", "numpy", "sqlglot", "rich", "yaml", "pandas", "importlib.metadata"}
# DuckDB looks up its own version.
DUCKDB = {"duckdb", "importlib.metadata"}
# Prints on its last line what was loaded, however the command ends.
RUN = """
import atexit, json, sys
atexit.register(lambda: print("\\n" + json.dumps([name for name in sys.modules])))
from catalog.cli import main
main()
"""


def loaded(*words: object) -> set[str]:
    """Return the heavy modules that a command has loaded in a process of its own."""
    command = [sys.executable, "-c", RUN, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ})
    names = set(json.loads(done.stdout.splitlines()[-1]))
    assert "click" in names
    return names & HEAVY


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A catalog of one strategy, SPY_sma_grid_5_20."""
    folder = tmp_path_factory.mktemp("start")
    name = "SPY_sma_grid_5_20"
    old_trace(folder / "run" / "traces" / "signals" / "sma_grid" / f"{name}.parquet", [1, 0])
    metadata = {"components": {name: {"parameters": {"fast": 5, "slow": 20}}}}
    (folder / "run" / "metadata.json").write_text(json.dumps(metadata))
    Catalog(folder / "catalog.duckdb").register(folder / "run")
    return folder / "catalog.duckdb"


def test_every_command_is_listed_with_a_line_that_fits():
    files = Path(catalog.cli.__file__).parent.glob("*.py")
    modules = [file.stem for file in files if file.stem not in ("__init__", "main")]
    commands = {
        name
        for name in modules
        if isinstance(getattr(import_module(f"catalog.cli.{name}"), "command", None), click.Command)
    }

    assert set(COMMANDS) == commands
    assert [line for line in COMMANDS.values() if len(line) > 64 or line.endswith(".")] == []


@pytest.mark.parametrize("words", [("--help",), ("find", "--help"), ("nonsense",)])
def test_help_and_wrong_usage_load_nothing_heavy(words):
    assert loaded(*words) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("find", "fast=5"),
        ("find", "--type", "sma_crossover"),
        ("show", "SPY_sma_grid_5_20"),
        ("show", "nothing"),
        ("lineage", "SPY_sma_grid_5_20"),
        ("info",),
    ],
    ids=" ".join,
)
def test_what_answers_at_once_loads_nothing_but_duckdb(words, filled):
    assert loaded(*words, "--catalog", filled) == DUCKDB


def test_a_catalog_that_is_not_there_is_said_without_loading_more(tmp_path):
    assert loaded("find", "--catalog", tmp_path / "none.duckdb") <= DUCKDB

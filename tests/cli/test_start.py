"""Starting is quick: a command loads what it uses, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import numpy as np
import pytest

import catalog.cli
from catalog import Catalog
from catalog.cli.main import COMMANDS
from catalog.traces.signals import write_signals

HEAVY = {"duckdb", "pyarrow", "numpy", "sqlglot", "rich", "yaml", "pandas", "importlib.metadata"}
# DuckDB looks up its own version.
DUCKDB = {"duckdb", "importlib.metadata"}
NAME = "SPY_sma_5_20"
# Prints on its last line what was loaded, however the command ends.
RUN = """
import atexit, json, sys
atexit.register(lambda: print("\\n" + json.dumps([name for name in sys.modules])))
from catalog.cli import main
main()
"""


def loaded(*words: object, status: int = 0) -> set[str]:
    """Return the heavy modules that a command has loaded in a process of its own."""
    command = [sys.executable, "-c", RUN, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1])) & HEAVY


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A catalog of one strategy."""
    folder = tmp_path_factory.mktemp("start")
    config = {"type": "sma_crossover", "parameters": {"fast": 5, "slow": 20}}
    write_signals(
        folder / "run", np.ones((2, 1)), configs={NAME: config}, symbol="SPY", timeframe="1m",
        ts=np.datetime64("2024-01-02T14:30", "us") + 60_000_000 * np.arange(2),
    )  # fmt: skip
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


@pytest.mark.parametrize("words", ["--help", "find --help", "tag --help"])
def test_help_loads_nothing_heavy(words):
    assert loaded(*words.split()) == set()


def test_wrong_usage_loads_nothing_heavy():
    assert loaded("nonsense", status=2) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("find", "fast=5"),
        ("find", "--type", "sma_crossover"),
        ("show", NAME),
        ("lineage", NAME),
        ("info",),
    ],
    ids=" ".join,
)
def test_what_answers_at_once_loads_nothing_but_duckdb(words, filled):
    assert loaded(*words, "--catalog", filled) == DUCKDB


def test_a_catalog_that_is_not_there_is_said_without_loading_more(tmp_path):
    assert loaded("find", "--catalog", tmp_path / "none.duckdb", status=1) <= DUCKDB

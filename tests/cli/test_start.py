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
from catalog.cli.main import COMMANDS

HEAVY = {"duckdb", "pyarrow", "numpy", "sqlglot", "rich", "yaml", "pandas", "importlib.metadata"}
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


def test_every_command_is_listed_with_a_line_that_fits():
    files = Path(catalog.cli.__file__).parent.glob("*.py")
    modules = [file.stem for file in files if file.stem not in ("__init__", "main")]
    commands = {
        name
        for name in modules
        if isinstance(getattr(import_module(f"catalog.cli.{name}"), "command", None), click.Command)
    }

    assert set(COMMANDS) == commands
    assert [line for line in COMMANDS.values() if len(line) > 62 or line.endswith(".")] == []


@pytest.mark.parametrize("words", [("--help",), ("find", "--help"), ("nonsense",)])
def test_help_and_wrong_usage_load_nothing_heavy(words):
    assert loaded(*words) == set()

"""Commands that are killed at any moment leave nothing wrong, and are completed when run again."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog, write_signals
from catalog.verify.finding import LEFT_OVER, UNFINISHED, UNREGISTERED
from conftest import old_trace, rows

KILLS = int(os.environ.get("CATALOG_SOAK_KILLS", "1"))
"""Of each command."""
SEED = int(os.environ.get("CATALOG_SOAK_SEED", str(os.getpid())))
COUNT = 160

SIGNALS = "select s.* exclude (run_id, trace_id) from signals s order by all"


@dataclass
class State:
    """A catalog, its traces and old ones in a folder that can be copied as it is."""

    root: Path

    @property
    def catalog(self) -> Catalog:
        return Catalog(self.root / "home" / "catalog.duckdb")

    @property
    def old(self) -> Path:
        return self.root / "home" / "old"

    @property
    def new(self) -> Path:
        return self.root / "home" / "new"

    def copied(self, root: Path) -> State:
        shutil.rmtree(root, ignore_errors=True)
        # Times of change are kept: to the catalog, a file of another time has changed.
        shutil.copytree(self.root, root)
        return State(root)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "catalog", *arguments, "--catalog", str(self.catalog.path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )


def write_old(folder: Path, count: int) -> None:
    choose = np.random.default_rng(1)
    components = {}
    for n in range(count):
        name = f"SPY_sma_grid_{n}"
        length = int(choose.integers(1, 20))
        values = choose.integers(-1, 2, length).tolist()
        run = folder / f"run_{n % 4}"
        old_trace(run / "traces/SPY_1m/signals/sma_grid" / f"{name}.parquet", values)
        config = {"strategy_type": "sma", "parameters": {"n": n}}
        components.setdefault(n % 4, {})[name] = config
    for n, known in components.items():
        document = {"run_id": f"run_{n}", "components": known}
        (folder / f"run_{n}" / "metadata.json").write_text(json.dumps(document))


@pytest.fixture(scope="module")
def unregistered(tmp_path_factory) -> State:
    state = State(tmp_path_factory.mktemp("unregistered"))
    write_old(state.old, COUNT)
    return state


@pytest.fixture(scope="module")
def registered(unregistered, tmp_path_factory) -> State:
    state = unregistered.copied(tmp_path_factory.mktemp("registered"))
    state.catalog.register(state.old)
    return state


@pytest.fixture(scope="module")
def half_packed(registered, tmp_path_factory) -> State:
    """Some traces are in a pack that the next compaction replaces."""
    state = registered.copied(tmp_path_factory.mktemp("packed"))
    state.catalog.compact(run="run_0")
    values = np.random.default_rng(2).integers(-1, 2, (50, 20)) / 2
    configs = {f"ours_{n}": {"type": "ours", "parameters": {"n": n}} for n in range(20)}
    write_signals(
        state.root / "home/ours", values, configs=configs, symbol="SPY", timeframe="1m",
        catalog=state.catalog.path,
    )  # fmt: skip
    return state


def findings(catalog: Catalog) -> list[tuple[str, str, str]]:
    report = catalog.verify(deep=True)
    return [(one.finding, one.path, one.detail) for one in report.findings]


def worse_than(found: list[tuple[str, str, str]], *allowed: str) -> list[tuple[str, str, str]]:
    return [one for one in found if one[0] not in allowed]


def kill_at_random(
    state: State, root: Path, arguments: Callable[[State], list[str]], check: Callable[..., None]
) -> None:
    """
    Let a command run to its end, and then kill it at random moments of the time that it took.

    Each begins with the same state; `check` gets that of one that was killed, and what it did.
    """
    whole = state.copied(root / "whole")
    started = time.monotonic()
    done = whole.start(*arguments(whole))
    _, said = done.communicate()
    took = time.monotonic() - started
    assert done.returncode == 0, said.decode()
    check(whole, "completed")
    moments = random.Random(SEED)
    for _ in range(KILLS):
        killed = state.copied(root / "killed")
        delay = moments.uniform(0, took)
        process = killed.start(*arguments(killed))
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        check(killed, f"killed after {delay:.3f} of {took:.3f} s (seed {SEED})")


@pytest.mark.soak
def test_a_registration_is_killed_and_completed(unregistered, registered, tmp_path):
    expected = registered.catalog.sql(SIGNALS).fetchall()

    def check(state: State, how: str) -> None:
        catalog = state.catalog
        if catalog.path.exists():
            # What was not come to yet is unregistered, and there is no other way to say it.
            left = worse_than(findings(catalog), UNFINISHED, UNREGISTERED, LEFT_OVER)
            assert left == [], how

        catalog.register(state.old)

        assert findings(catalog) == [], how
        assert catalog.sql(SIGNALS).fetchall() == expected, how
        assert len(rows(catalog, "from trace_files")) == COUNT, how

    kill_at_random(unregistered, tmp_path, lambda state: ["register", str(state.old)], check)


@pytest.mark.soak
@pytest.mark.parametrize("delete", [False, True], ids=["keep", "delete"])
def test_a_compaction_is_killed_and_completed(half_packed, tmp_path, delete):
    expected = half_packed.catalog.sql(SIGNALS).fetchall()
    options = ["--delete-originals"] if delete else []

    def check(state: State, how: str) -> None:
        catalog = state.catalog
        assert worse_than(findings(catalog), UNFINISHED, LEFT_OVER) == [], how
        assert catalog.sql(SIGNALS).fetchall() == expected, how

        catalog.compact(delete_originals=delete)

        assert findings(catalog) == [], how
        assert catalog.sql(SIGNALS).fetchall() == expected, how
        loose = [*state.old.rglob("*.parquet"), *(state.root / "home/ours").rglob("*.parquet")]
        assert len(loose) == (0 if delete else COUNT + 20), how
        packed = "select count(*) from trace_files where pack_path is not null"
        assert rows(catalog, packed) == [(COUNT + 20,)], how

    kill_at_random(half_packed, tmp_path, lambda state: ["compact", *options], check)


@pytest.mark.soak
def test_an_upgrade_is_killed_and_completed(registered, tmp_path):
    old = tree(registered.old)
    query = "select content_digest from trace_files where generation {} 'G5' order by all"
    expected = rows(registered.catalog, query.format("<>"))

    def check(state: State, how: str) -> None:
        catalog = state.catalog
        if state.new.exists():
            catalog.register(state.new)
        assert worse_than(findings(catalog), UNFINISHED, LEFT_OVER) == [], how
        digests = rows(catalog, query.format("="))
        assert set(digests) <= set(expected), how

        report = catalog.upgrade(state.old, output=state.new)

        assert report.failed == [], how
        assert report.there == len(digests), how
        assert report.there + report.converted.total() == COUNT, how
        catalog.register(state.new)
        assert findings(catalog) == [], how
        assert rows(catalog, query.format("=")) == expected, how
        assert tree(state.old) == old, how

    def arguments(state: State) -> list[str]:
        return ["upgrade", str(state.old), "--output", str(state.new)]

    kill_at_random(registered, tmp_path, arguments, check)


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }

"""
A small catalog for the tests of pages, plots and reports, and the ways to look at it.

`web_catalog` is made once and is only to be read; it holds one of everything that a page shows.
`client` asks its pages without a server, as one who has the token. `web_address` is where a real
server shows them, and `browser_page` a page of Chromium there, whose errors fail the test.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from catalog import Catalog, TraceWriter, write_signals

PORT = 8000
TOKEN = "a-token-of-the-tests"
DAYS = 500
SPLIT = "2021-01-01"

SCRIPT = "<script>alert(1)</script>"
"""The type, and a value, of a strategy that an old run is said to be of by a sweep file."""
IMAGE = '"><img src=x onerror=alert(1)>'
"""A type, an id, a parameter's name and its value, a run, a tag and a note of our own traces."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="session")
def web_catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """
    A catalog of two symbols on daily bars, with prices, metrics, tags and notes.

    SPY and QQQ each have the 20 strategies of a grid of `ma_crossover` (fast, slow, mode); of SPY
    there are further `flat` (never in the market), `twin_a` and `twin_b` (the same signals), an
    ensemble of two, a classifier `trend`, whose states the metrics tell apart, and a later run of
    four of the strategies over more days. A file that is no trace is in quarantine. Two
    strategies have names that would do harm to a page which does not escape them.
    """
    catalog = Catalog(tmp_path_factory.mktemp("web") / "catalog.duckdb")
    with pytest.MonkeyPatch.context() as patch:
        # As in conftest: the comments of views would take a third of the time.
        patch.setattr("catalog.store.views.comment_view", lambda *_: None)
        _fill(catalog)
    return catalog


@pytest.fixture(scope="session")
def client(web_catalog: Catalog) -> Iterator[Any]:
    """Who asks the pages, with the token and the right host: starlette's TestClient."""
    with client_of(web_catalog) as made:
        yield made


def client_of(catalog: Catalog, **options: Any) -> Any:
    """Return one who asks the pages over another catalog."""
    from starlette.testclient import TestClient

    from catalog.web.app import make_app

    app = make_app(catalog, token=TOKEN, port=PORT)
    cookies = {f"catalog-{PORT}": TOKEN}
    return TestClient(app, base_url=f"http://127.0.0.1:{PORT}", cookies=cookies, **options)


@pytest.fixture(scope="session")
def web_address(web_catalog: Catalog) -> Iterator[str]:
    """The address of a server over the catalog, as `catalog ui` prints it, with its token."""
    with serving(web_catalog.path) as server:
        yield server.address


class serving:  # noqa: N801  (a verb, as in `with serving(path) as server`)
    """A process of `catalog ui` over a catalog, or of another command, for a `with` block."""

    def __init__(self, catalog: Path, *, command: list[str] | None = None) -> None:
        own = [sys.executable, "-m", "catalog", "ui", "--no-browser", "--catalog"]
        self._command = command or [*own, os.fspath(catalog)]
        self._said: str | None = None

    def __enter__(self) -> serving:
        self.process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_end_with_parent,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:"), self.end()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> tuple[int, str]:
        """Press Ctrl-C, and return the exit status and what was said on stderr."""
        if self._said is None:
            self.process.send_signal(signal.SIGINT)
            try:
                _, self._said = self.process.communicate(timeout=20)
            finally:
                self.process.kill()  # One that has ended already does not mind.
        return self.process.returncode, self._said


def _end_with_parent() -> None:
    """Let Linux end this process with the one that started it, also where that one is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser without a window, which lasts as long as the tests."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def browser_page(chromium: Any, web_address: str) -> Iterator[Any]:
    """
    A page in a browser, at the list of strategies; errors in its console fail the test.

    `browser_page.goto("/landscape")` goes to other pages of the same server; `browser_page.wrong`
    are the errors so far.
    """
    base = web_address.partition("/?")[0]
    context = chromium.new_context(base_url=base, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(10_000)
    wrong: list[str] = []
    page.wrong = wrong
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.goto(web_address)
    yield page
    context.close()
    assert not wrong, wrong


def _fill(catalog: Catalog) -> None:
    grid = {
        f"ma_{fast}_{slow}": {
            "type": "ma_crossover",
            "parameters": {"fast": fast, "slow": slow, "mode": "ema" if slow > 60 else "sma"},
        }
        for fast in (5, 10, 15, 20, 25)
        for slow in (50.0, 60.5, 80.0, 120.0)
    }
    for number, symbol in enumerate(("SPY", "QQQ")):
        table = _bars(number)
        catalog.add_prices(table, symbol=symbol, timeframe="1d", tz="UTC")
        _write(catalog, "sweep", symbol, _crossovers(table, grid), grid)
    table = _bars(0)
    held = _crossovers(table, grid)
    others = {
        "flat": {"type": "rsi", "parameters": {"period": 14, "threshold": 0.1}},
        "twin_a": {"type": "rsi", "parameters": {"period": 7, "threshold": 0.3}},
        "twin_b": {"type": "rsi", "parameters": {"period": 7, "threshold": 0.35}},
        "both": {
            "type": "ensemble",
            "strategies": [
                {**grid["ma_5_50.0"], "weight": 0.5},
                {**grid["ma_10_80.0"], "weight": 0.5},
            ],
        },
        IMAGE: {"type": IMAGE, "parameters": {IMAGE: 1, "note": IMAGE}},
    }
    values = np.column_stack(
        [np.zeros(DAYS), held[:, 3], held[:, 3], (held[:, 0] + held[:, 6]) / 2, -held[:, 1]]
    )
    _write(catalog, "others", "SPY", values[:, :4], dict(list(others.items())[:4]))
    _write(catalog, IMAGE, "SPY", values[:, 4:], {IMAGE: others[IMAGE]})
    longer = _bars(0, days=DAYS + 60)
    catalog.add_prices(longer, symbol="SPY", timeframe="1d", tz="UTC")
    few = dict(list(grid.items())[:4])
    _write(catalog, "later", "SPY", _crossovers(longer, few), few)
    _classify(catalog, table)
    _register_old(catalog)
    catalog.metrics(split=SPLIT, by_regime="trend")
    _tag(catalog)


def _bars(seed: int, *, days: int = DAYS) -> pa.Table:
    """Daily bars from 2020 on; those of more days begin as those of fewer do."""
    steps = np.random.default_rng(seed).normal(0.0003, 0.012, 2 * DAYS)[:days]
    close = 100 * np.cumprod(1 + steps)
    opening = np.append(100.0, close[:-1])
    times = np.busday_offset("2020-01-02", np.arange(days)).astype("datetime64[us]")
    return pa.table(
        {"ts": pa.array(times, pa.timestamp("us", "UTC")), "open": opening, "close": close}
    )


def _crossovers(table: pa.Table, grid: dict[str, dict[str, Any]]) -> np.ndarray:
    """Long where the fast mean is above the slow one, short below, flat until both are known."""
    close = table["close"].to_numpy()
    columns = []
    for config in grid.values():
        fast, slow = config["parameters"]["fast"], int(config["parameters"]["slow"])
        value = np.sign(_means(close, fast) - _means(close, slow))
        value[: slow - 1] = 0
        columns.append(value)
    return np.column_stack(columns)


def _means(values: np.ndarray, length: int) -> np.ndarray:
    sums = np.cumsum(np.append(0.0, values))
    means = np.full(len(values), values[0])
    means[length - 1 :] = (sums[length:] - sums[:-length]) / length
    return means


def _write(
    catalog: Catalog, run: str, symbol: str, values: np.ndarray, configs: dict[str, dict[str, Any]]
) -> None:
    table = _bars(("SPY", "QQQ").index(symbol), days=len(values))
    write_signals(
        catalog.path.parent / "runs" / run,
        values,
        configs={f"{symbol}_{name}": config for name, config in configs.items()},
        symbol=symbol,
        timeframe="1d",
        ts=table["ts"].to_numpy(),
        prices=table["close"].to_numpy(),
        catalog=catalog.path,
    )


def _classify(catalog: Catalog, table: pa.Table) -> None:
    rises = table["close"].to_numpy() > _means(table["close"].to_numpy(), 50)
    with TraceWriter(
        catalog.path.parent / "runs" / "states",
        config={"type": "trend", "parameters": {"period": 50}},
        strategy_id="SPY_trend",
        symbol="SPY",
        timeframe="1d",
        kind="classifier",
        catalog=catalog.path,
    ) as trace:
        for bar, (time, is_up) in enumerate(zip(table["ts"].to_pylist(), rises, strict=True)):
            trace.append(bar, time, "up" if is_up else "down")


def _register_old(catalog: Catalog) -> None:
    """Register a trace whose type a sweep file says, and a file that is none."""
    from conftest import old_trace

    home = catalog.path.parent
    folder = home / "old" / "traces" / "SPY_1m" / "signals" / "grid"
    old_trace(folder / "SPY_grid_1.parquet", [1, 0, -1])
    (folder / "broken.parquet").write_bytes(b"PAR1 and no more")
    sweep = home / "grid.yaml"
    sweep.write_text(
        f"name: grid\nsymbols: [SPY]\nstrategies:\n"
        f"  - type: '{SCRIPT}'\n    name: grid\n    params: {{period: [1, 2], text: '{SCRIPT}'}}\n"
    )
    catalog.register(home / "old", sweeps=[sweep])


def _tag(catalog: Catalog) -> None:
    catalog.tag("SPY_twin_a", "good", note="holds up\nout of sample")
    catalog.tag("SPY_ma_10_80.0", "good")
    catalog.tag("SPY_flat", IMAGE, note=f"{IMAGE} {SCRIPT}")

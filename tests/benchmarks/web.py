"""
Measure how long a person waits for the pages over many strategies, in a browser.

    python tests/benchmarks/web.py
    python tests/benchmarks/web.py --catalog catalog.duckdb --repetitions 11

Chromium and `catalog ui` run on this machine. Beside the first paint of the list stands that of the
same HTML from a bare Starlette page; beside each filter, from the change of a box until the new
rows are on the screen, a bare DuckDB that opens the file, asks the view for the same rows and for
how many there are, and closes it. The sides take turns. What is not equal work: the list's query
is checked and sandboxed, its answer becomes a page, and a box that is written in waits 30 ms for
the next key.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import duckdb
from environment import environment
from latency import CATALOG
from measure import alternate, measure, say
from playwright.sync_api import Browser, Page, sync_playwright
from report import Figure, Part, Run, median, print_part
from resident import watched
from scale_data import make_runs
from web_questions import FILTERS, Filter, bare

CHROMIUM = "/usr/bin/chromium"
FIRST_PAINT_MS, FILTER_MS, LANDSCAPE_MS, SERVER_MB = 1_000, 300, 1_000, 500
TICKS = os.sysconf("SC_CLK_TCK")

# Ends once the rows that a change of a box asks for are on the screen, and says how long that took.
CHANGE = """
([name, value]) => new Promise((resolve) => {
  const box = document.querySelector(`.filters [name="${CSS.escape(name)}"]`);
  document.addEventListener("shown", () =>
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - before))),
    { once: true });
  box.value = value;
  const before = performance.now();
  box.dispatchEvent(new Event("input", { bubbles: true }));
})
"""
PAINTED = """
() => new Promise((resolve) => {
  const look = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    if (paint) resolve(paint.startTime); else setTimeout(look, 5);
  };
  look();
})
"""


@dataclass(frozen=True)
class Server:
    """A process that answers a browser: where, and whose processor time and memory count."""

    process: subprocess.Popen[str]
    address: str

    @property
    def base(self) -> str:
        return self.address.partition("/?")[0].rstrip("/")

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def serving(command: list[str]) -> Iterator[Server]:
    """Start a server that prints its address, and end it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(process, process.stdout.readline().strip())
        finally:
            process.terminate()


def ui(catalog: Path) -> list[str]:
    return [CATALOG, "ui", "--no-browser", "--catalog", str(catalog)]


def first(browser: Browser, catalog: Path, repetitions: int) -> Part:
    """Look at the list for the first time after the server has started, and again."""
    with serving(ui(catalog)) as server:
        page = opened(browser, server)
        html = page.evaluate("fetch('/').then(answer => answer.text())")
    plain = [sys.executable, str(Path(__file__).with_name("web_plain.py"))]
    with TemporaryDirectory() as folder:
        (Path(folder) / "page.html").write_text(html)
        with serving([*plain, folder]) as bare_server, serving(ui(catalog)) as warm:
            bare_page, warm_page = opened(browser, bare_server), opened(browser, warm)
            sides = {
                "bare Starlette, the same HTML": lambda: painted(bare_page, bare_server, "/"),
                "the list": lambda: painted(warm_page, warm, "/"),
                "the list, of a server just started": lambda: cold(browser, catalog),
            }
            runs = alternate(repetitions, sides)
    base = median(runs["bare Starlette, the same HTML"])
    figures = []
    for side in list(sides)[1:]:
        figures.append(Figure(f"{side}: first paint, ms", 1e3 * median(runs[side]), FIRST_PAINT_MS))
        figures.append(Figure(f"{side} ÷ bare Starlette", median(runs[side]) / base))
    return Part("first", "first contentful paint", runs, figures)


def cold(browser: Browser, catalog: Path) -> Run:
    """Start a server, and look at its first page."""
    with serving(ui(catalog)) as server:
        page = browser.new_context().new_page()
        before = server.cpu_seconds
        page.goto(server.address)
        seconds = page.evaluate(PAINTED) / 1e3
        page.context.close()
        return run_of(seconds, server.cpu_seconds - before)


def filters(browser: Browser, catalog: Path, repetitions: int) -> Part:
    """Filter the list by each kind of box."""
    runs: dict[str, list[Run]] = {}
    figures = []
    with serving(ui(catalog)) as server:
        page = opened(browser, server)
        for one in FILTERS:
            sides = {
                f"{one.name}, bare DuckDB": lambda one=one: asked(catalog, one),
                f"{one.name}, in the browser": lambda one=one: filtered(page, server, one),
            }
            runs |= alternate(repetitions, sides)
            there, here = (median(runs[side]) for side in sides)
            figures.append(Figure(f"{one.name}: until it is shown, ms", 1e3 * here, FILTER_MS))
            figures.append(Figure(f"{one.name}: ÷ bare DuckDB", here / there))
    return Part("filters", "from the change of a box until the new rows are shown", runs, figures)


def filtered(page: Page, server: Server, one: Filter) -> Run:
    page.goto(server.base + one.start, wait_until="networkidle")
    before = server.cpu_seconds
    seconds = page.evaluate(CHANGE, [one.box, one.value]) / 1e3
    return run_of(seconds, server.cpu_seconds - before)


def asked(catalog: Path, one: Filter) -> Run:
    before, cpu = perf_counter(), sum(os.times()[:2])
    rows = bare(catalog, one)
    run = run_of(perf_counter() - before, sum(os.times()[:2]) - cpu)
    if not rows:
        raise SystemExit(f"{one.name}: nothing in this catalog meets {one.where}")
    return run


def pages(browser: Browser, catalog: Path, repetitions: int) -> Part:
    """Draw the landscape, export everything, and watch the memory of the server all the while."""
    with serving(ui(catalog)) as server, watched(server.process.pid) as peak:
        page = opened(browser, server)
        page.goto(f"{server.base}/landscape")
        page.locator("figure.chart[data-drawn]").first.wait_for()
        sides: dict[str, Callable[[], Run]] = {
            "the landscape, drawn": lambda: drawn(page, server),
            "all rows as CSV": lambda: downloaded(page, server, "/strategies.csv"),
            "all rows as Parquet": lambda: downloaded(page, server, "/strategies.parquet"),
        }
        runs = alternate(repetitions, sides)
        for one in FILTERS:
            filtered(page, server, one)
    figures = [
        Figure("the landscape until it is drawn, ms", 1e3 * median(runs["the landscape, drawn"]),
               LANDSCAPE_MS),
        Figure("server and what it starts, at its peak, MB", peak[0] / 1e6, SERVER_MB),
    ]  # fmt: skip
    return Part("pages", "other pages, files, and memory", runs, figures)


def drawn(page: Page, server: Server) -> Run:
    before = server.cpu_seconds
    page.goto(f"{server.base}/landscape", wait_until="commit")
    page.locator("figure.chart[data-drawn]").first.wait_for()
    return run_of(page.evaluate("performance.now()") / 1e3, server.cpu_seconds - before)


def downloaded(page: Page, server: Server, path: str) -> Run:
    before = server.cpu_seconds
    seconds, size = page.evaluate(
        "path => { const before = performance.now(); return fetch(path).then(a => a.arrayBuffer())"
        ".then(all => [(performance.now() - before) / 1e3, all.byteLength]); }",
        path,
    )
    assert size > 1e5
    return run_of(seconds, server.cpu_seconds - before)


def opened(browser: Browser, server: Server) -> Page:
    """Open a page that has the token, and wait until the server has made what charts need."""
    page = browser.new_context().new_page()
    page.goto(server.address)
    page.evaluate("fetch('/static/vega.js').then(answer => answer.arrayBuffer()).then(() => 0)")
    return page


def painted(page: Page, server: Server, path: str) -> Run:
    before = server.cpu_seconds
    page.goto(server.base + path)
    return run_of(page.evaluate(PAINTED) / 1e3, server.cpu_seconds - before)


def run_of(seconds: float, cpu_seconds: float) -> Run:
    return {"files": 0, "seconds": seconds, "cpu_seconds": cpu_seconds, "peak_bytes": 0}


def make_catalog(folder: Path, strategies: int) -> Path:
    """Make a catalog of so many strategies with what they earned, unless it is there."""
    catalog = folder / "catalog.duckdb"
    if not (folder / "measured").exists():
        runs = make_runs(folder, strategies)
        for side, more in (("registered", {"folder": runs}), ("compacted", {}), ("measured", {})):
            say(side)
            measure(f"scale_sides:{side}", expect=strategies, catalog=catalog, **more)
        (folder / "measured").touch()
    return catalog


PARTS = {part.__name__: part for part in (first, filters, pages)}


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="this part; may be given many times")
    add("--catalog", type=Path, help="one with figures, in the place of one that is made")
    add("--home", type=Path, help="make the data there, keep them, and use them the next time")
    add("--json", type=Path, help="write every single run there")
    add("--repetitions", type=int, default=7, help="of every side")
    add("--strategies", type=int, default=100_000, help="in the catalog that is made, in thousands")
    options = parser.parse_args(arguments)
    about: dict[str, Any] = environment()
    print(json.dumps(about))
    with TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = (options.home or Path(scratch)).resolve() / f"web_{options.strategies}"
        catalog = options.catalog or make_catalog(folder, options.strategies)
        with duckdb.connect(str(catalog), read_only=True) as con:
            ((count,),) = con.execute("select count(*) from leaderboard").fetchall()
        say(f"{count:,} strategies in {catalog}")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        parts = []
        for name in options.only or PARTS:
            say(f"{name}: {PARTS[name].__doc__}")
            parts.append(PARTS[name](browser, catalog, options.repetitions))
            print_part(parts[-1])
            if options.json:
                found = {"environment": about, "parts": [part.as_dict() for part in parts]}
                found["load_after"] = os.getloadavg()
                options.json.write_text(json.dumps(found, indent=1) + "\n")
        browser.close()


if __name__ == "__main__":
    main()

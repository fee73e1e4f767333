"""
Measure how long it takes from `pip install` until the equity of the demo's best strategy is seen.

    python tests/benchmarks/first_look.py

As a new user would, from the README alone: a fresh virtual environment, the line that installs and
runs the demo, the line that opens the pages, and a click on the first strategy of the list. How
fast packages come is that of the machine's own index and of pip's cache.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from measure import say
from playwright.sync_api import sync_playwright
from web import CHROMIUM

PROJECT = Path(__file__).resolve().parents[2]
WANTED_SECONDS = 120


def main() -> None:
    """Print how long each step took, and the whole."""
    with TemporaryDirectory() as folder:
        checkout = Path(folder) / "checkout"
        subprocess.run(["git", "clone", "--quiet", PROJECT, checkout], check=True)
        lines = [
            one
            for one in (checkout / "README.md").read_text().splitlines()
            if re.match(r"python3 -m venv .*catalog demo|\.venv/bin/catalog ui", one)
        ]
        install, look = lines[:2]
        began = perf_counter()
        subprocess.run(["bash", "-euc", install], cwd=checkout, check=True, capture_output=True)
        installed = perf_counter()
        say(f"installed, and the demo has run: {installed - began:.1f} s")
        shown = _click_through(checkout, look)
        say(f"the equity of the best strategy is drawn: {shown - installed:.1f} s more")
        took = shown - began
        verdict = "kept" if took <= WANTED_SECONDS else "missed"
        say(f"in all: {took:.1f} s, at most {WANTED_SECONDS}: {verdict}")
        shutil.rmtree(checkout, ignore_errors=True)


def _click_through(checkout: Path, command: str) -> float:
    """Open the pages, click the first strategy, and return when its equity was drawn."""
    server = subprocess.Popen(
        f"exec {command} --no-browser", shell=True, cwd=checkout, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(address)
            page.locator("tbody th a").first.click()
            page.wait_for_selector("#equity[data-drawn]", timeout=60_000)
            return perf_counter()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()

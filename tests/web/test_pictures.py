"""Screenshots of the pages show what each is for: curves, ribbons, maps, verdicts, findings."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from catalog.plots.colours import AROUND_ZERO, BENCHMARK, LONG, SHORT, STRATEGIES

Image = pytest.importorskip("PIL.Image")

WHITE = (255, 255, 255)
RIBBON = 0.26
"""How much of its colour the ribbon of a whole position has."""
PAGES = {
    "/": "table",
    "/strategies/SPY_ma_10_80.0": "#position[data-drawn]",
    "/landscape?symbol=SPY&x=fast&y=slow": "#plateaus[data-drawn]",
    "/ranking?where=symbol%20%3D%20'SPY'": "table",
    "/compare?s=SPY_ma_10_80.0&s=SPY_ma_20_80.0": "#correlation[data-drawn]",
    "/health": "table",
}


def seen(page, selector: str) -> np.ndarray:
    """Return a screenshot of one element, (rows, columns, 3), once it is there."""
    picture = Image.open(io.BytesIO(page.locator(selector).first.screenshot()))
    return np.asarray(picture.convert("RGB")).astype(int)


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def mixed(colour: str, share: float, paper: tuple[int, ...] = WHITE) -> tuple[int, ...]:
    return tuple(
        round(share * a + (1 - share) * b) for a, b in zip(rgb(colour), paper, strict=True)
    )


def has(picture: np.ndarray, colour: tuple[int, ...], *, within: int = 6) -> np.ndarray:
    """Return which pixels have a colour, (rows, columns)."""
    return (np.abs(picture - np.array(colour)) <= within).all(axis=2)


def open_page(page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(PAGES[address])


def test_a_strategy_is_a_curve_beside_buy_and_hold_and_a_ribbon_over_the_price(browser_page):
    open_page(browser_page, "/strategies/SPY_ma_10_80.0")

    for figure in ("#equity", "#drawdown"):
        picture = seen(browser_page, f"{figure} canvas")
        for colour in (STRATEGIES[0], BENCHMARK):
            columns = has(picture, rgb(colour), within=40).any(axis=0)
            # A line from one side to the other.
            assert columns[80:-40].mean() > 0.6, (figure, colour)
    ribbon = seen(browser_page, "#position canvas")
    long, short = (has(ribbon, mixed(colour, RIBBON)) for colour in (LONG, SHORT))
    assert long.sum() > 10_000 and short.sum() > 10_000
    # A bar is held long or short: the two are never above each other.
    sides = [side.sum(axis=0) > 100 for side in (long, short)]
    assert not (sides[0] & sides[1]).any()


def test_a_landscape_is_a_map_of_cells_with_a_frame_around_the_best_plateau(browser_page):
    open_page(browser_page, "/landscape?symbol=SPY&x=fast&y=slow")

    for figure in ("#values canvas", "#plateaus canvas"):
        picture = seen(browser_page, figure)
        colours, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
        large = colours[counts > 2_000]
        # Twenty cells of different figures, beside the paper.
        assert 12 <= len(large) <= 25, (figure, len(large))
        assert has(picture, (0, 0, 0), within=0).sum() > 200  # the frame
    # What is below zero is orange, what is above is blue.
    blue = any(colour[2] > colour[0] + 20 for colour in large)
    orange = any(colour[0] > colour[2] + 20 for colour in large)
    values = browser_page.locator("#values script").text_content()
    assert blue == bool(re.search(r'"value": 0\.[1-9]', values))
    assert orange == bool(re.search(r'"value": -0\.[1-9]', values))


def test_a_comparison_is_a_curve_of_each_and_a_square_of_correlations(browser_page):
    open_page(browser_page, "/compare?s=SPY_ma_10_80.0&s=SPY_ma_20_80.0")

    picture = seen(browser_page, "#equity canvas")
    for colour in (*STRATEGIES[:2], BENCHMARK):
        assert has(picture, rgb(colour), within=40).any(axis=0)[80:-40].mean() > 0.5, colour
    square = seen(browser_page, "#correlation canvas")
    # Each is perfectly correlated with itself: the deepest blue, on the diagonal.
    deepest = np.argwhere(has(square, rgb(AROUND_ZERO[-1]), within=3))
    assert len(deepest) > 500
    rows, columns = deepest[:, 0], deepest[:, 1]
    assert np.corrcoef(rows, columns)[0, 1] > 0.5


def test_a_verdict_is_in_red_or_green_and_findings_are_in_red(browser_page):
    open_page(browser_page, "/ranking?where=symbol%20%3D%20'SPY'")
    figure = browser_page.locator("dd.good, dd.bad")
    assert figure.count() >= 1
    picture = seen(browser_page, "dd.good, dd.bad")
    red, green = (has(picture, rgb(one), within=60).sum() for one in ("#b3261e", "#1a7f37"))
    assert max(red, green) > 20 and min(red, green) == 0
    assert browser_page.locator(".sentence").first.bounding_box()["height"] > 10

    open_page(browser_page, "/health")
    card = ".card:has(dt:text-is('in quarantine')) dd"
    assert browser_page.locator(card).inner_text() == "1"
    assert has(seen(browser_page, card), rgb("#b3261e"), within=60).sum() > 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1300])
@pytest.mark.parametrize("address", PAGES)
def test_every_page_fits_and_is_readable(browser_page, address, width, scheme, tmp_path):
    browser_page.emulate_media(color_scheme=scheme)
    browser_page.set_viewport_size({"width": width, "height": 900})
    open_page(browser_page, address)

    # For who wants to look at what failed.
    browser_page.screenshot(path=tmp_path / "page.png", full_page=True)
    widths = browser_page.evaluate("[document.body.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    whole = np.asarray(Image.open(tmp_path / "page.png").convert("L")).astype(int)
    paper = 255 if scheme == "light" else 24
    # Most is paper, and something stands on it in what can be read on it.
    assert (abs(whole - paper) < 16).mean() > 0.3
    assert (abs(whole - paper) > 150).mean() > 0.002
    origins = browser_page.evaluate(
        "[...new Set(performance.getEntriesByType('resource')"
        ".map(one => new URL(one.name).origin))]"
    )
    assert origins == [browser_page.evaluate("location.origin")]


def test_a_facet_of_maps_scrolls_in_a_narrow_window(browser_page):
    browser_page.set_viewport_size({"width": 400, "height": 900})
    browser_page.goto("/landscape?x=fast&y=slow&facet=symbol")
    browser_page.wait_for_selector("#values[data-drawn]")

    widths = browser_page.evaluate("[document.body.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]

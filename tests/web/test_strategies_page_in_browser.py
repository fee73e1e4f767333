"""The list of strategies in a browser: filtered, sorted and chosen from, by mouse and keys."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

FOUND = "#results strong"


def query_of(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def wait_for(page, count: int) -> None:
    """Wait until the page says that so many were found."""
    page.locator(FOUND).filter(has_text=re.compile(f"^{count}$")).wait_for()


def test_what_is_written_filters_and_a_reload_shows_the_same(browser_page):
    page = browser_page
    assert page.text_content(FOUND) == "46"

    page.locator("#f-q").press_sequentially("twin", delay=20)
    wait_for(page, 2)

    assert query_of(page) == {"q": ["twin"]}
    assert page.evaluate("document.activeElement.id") == "f-q"
    page.reload()
    assert page.text_content(FOUND) == "2"
    page.get_by_role("link", name="Show all again").click()
    wait_for(page, 46)
    page.go_back()
    wait_for(page, 2)


def test_a_type_brings_its_parameters_and_keeps_the_focus(browser_page):
    page = browser_page

    page.locator("#f-strategy_type").focus()
    page.locator("#f-strategy_type").select_option("ma_crossover")
    page.get_by_label("least fast").wait_for()
    assert page.evaluate("document.activeElement.id") == "f-strategy_type"
    page.get_by_label("least fast").fill("20")
    wait_for(page, 16)
    page.locator("#f-param_mode_text").select_option("ema")
    wait_for(page, 12)

    assert query_of(page) == {
        "strategy_type": ["ma_crossover"], "param_fast.min": ["20"], "param_mode_text": ["ema"],
    }  # fmt: skip
    page.locator("#f-strategy_type").select_option("rsi")
    wait_for(page, 3)
    assert query_of(page)["strategy_type"] == ["rsi"]
    assert page.get_by_label("least fast").count() == 0


def test_keys_alone_sort_and_choose_columns(browser_page):
    page = browser_page
    page.locator("#f-symbol").select_option("QQQ")
    wait_for(page, 20)

    page.locator("#s-total_return").focus()
    page.keyboard.press("Enter")
    page.locator("th[aria-sort=descending] #s-total_return").wait_for()
    page.keyboard.press("Enter")
    page.locator("th[aria-sort=ascending] #s-total_return").wait_for()
    assert query_of(page) == {"symbol": ["QQQ"], "sort": ["total_return"]}

    page.locator("#columns summary").focus()
    page.keyboard.press("Enter")
    page.locator("#c-hit_rate").focus()
    page.keyboard.press("Space")
    page.get_by_role("columnheader", name="hit rate").wait_for()
    assert page.locator("#columns").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.id") == "c-hit_rate"
    # The filters know of it: the column and the order stay.
    page.locator("#f-symbol").select_option("SPY")
    wait_for(page, 26)
    assert page.get_by_role("columnheader", name="hit rate").count() == 1
    assert query_of(page)["sort"] == ["total_return"]


def test_strategies_are_chosen_across_filters_and_compared(browser_page):
    page = browser_page
    assert page.locator("#compare").is_disabled()

    page.get_by_label("compare SPY_twin_a").check()
    page.locator("#f-q").fill("QQQ_ma_5")
    wait_for(page, 4)
    page.get_by_label("compare QQQ_ma_5_80.0").check()
    page.get_by_role("button", name="Compare 2").click()
    page.wait_for_url("**/compare?*")

    assert len(query_of(page)["s"]) == 2
    assert page.get_by_text("SPY_twin_a").count() and page.get_by_text("QQQ_ma_5_80.0").count()


def test_what_is_chosen_for_comparison_outlives_going_back(browser_page):
    page = browser_page
    page.get_by_label("compare SPY_twin_a").check()
    page.locator("#f-symbol").select_option("QQQ")
    wait_for(page, 20)
    page.get_by_label("compare QQQ_ma_5_80.0").check()

    page.go_back()
    wait_for(page, 46)

    assert page.get_by_role("button", name="Compare 2").is_enabled()
    assert page.get_by_label("compare SPY_twin_a").is_checked()
    page.get_by_role("button", name="Forget them").click()
    assert page.locator("#compare").is_disabled()
    assert not page.get_by_label("compare SPY_twin_a").is_checked()


def test_letters_written_while_the_list_changes_are_kept(browser_page):
    page = browser_page

    def late(route) -> None:
        page.wait_for_timeout(300)
        route.continue_()

    page.route("**/?strategy_type=rsi*", late)
    page.locator("#f-q").fill("SPY")
    wait_for(page, 26)
    page.locator("#f-strategy_type").select_option("rsi")
    page.locator("#f-q").press("End")
    page.locator("#f-q").press_sequentially("_twin_a", delay=90)
    wait_for(page, 1)

    assert page.locator("#f-q").input_value() == "SPY_twin_a"
    assert query_of(page) == {"q": ["SPY_twin_a"], "strategy_type": ["rsi"]}


def test_a_word_is_one_step_back_however_it_was_written(browser_page):
    page = browser_page
    for letters, count in (("twin", 2), ("twin_a", 1)):
        page.locator("#f-q").fill(letters)
        wait_for(page, count)

    page.go_back()
    wait_for(page, 46)

    assert query_of(page) == {}


def test_a_mistake_in_the_address_is_said_where_the_list_was(browser_page):
    browser_page.evaluate("show('/?sort=nowhere', 'results')")

    browser_page.get_by_role("alert").wait_for()
    assert "There is no column nowhere" in browser_page.text_content("#results")
    # The browser itself says of such an answer what this test does not.
    browser_page.wrong.clear()


def test_the_rows_download_as_a_file(browser_page):
    browser_page.locator("#f-symbol").select_option("QQQ")
    wait_for(browser_page, 20)

    with browser_page.expect_download() as download:
        browser_page.get_by_role("link", name="CSV").click()

    assert download.value.suggested_filename == "strategies.csv"
    assert len(download.value.path().read_text().splitlines()) == 21


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_or_unreadable(browser_page, width, scheme):
    browser_page.emulate_media(color_scheme=scheme)
    browser_page.set_viewport_size({"width": width, "height": 900})
    browser_page.goto("/?strategy_type=ma_crossover")

    widths = browser_page.evaluate("[document.body.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    bright = browser_page.evaluate(
        "['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name]"
        ".match(/\\d+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0) / 765)"
    )
    assert abs(bright[0] - bright[1]) > 0.6
    assert (bright[1] > 0.5) == (scheme == "light")


def test_every_box_has_a_name_that_is_read_out(browser_page):
    browser_page.goto("/?strategy_type=ma_crossover&sharpe.min=-9")

    nameless = browser_page.evaluate(
        "[...document.querySelectorAll('input:not([type=hidden]), select')].filter("
        "box => !box.labels.length && !box.ariaLabel).map(box => box.name)"
    )
    assert nameless == []

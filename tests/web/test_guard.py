"""Who may ask the server, and what its pages may do."""

from __future__ import annotations


def test_a_page_opens_for_one_who_has_the_token(client):
    answer = client.get("/")

    assert answer.status_code == 200


def test_a_real_server_shows_pages_in_a_browser(browser_page):
    assert browser_page.title().endswith("catalog.duckdb")
    assert "token" not in browser_page.url

"""Who may ask the server, what its pages may do, and how it begins and ends."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from catalog import Catalog, write_signals
from catalog.errors import CatalogBusyError
from web_catalog import PORT, TOKEN, client_of, serving

PAGES = ("/", "/landscape", "/ranking", "/compare", "/health")


@pytest.fixture
def stranger(web_catalog):
    """One who asks without a cookie."""
    asking = client_of(web_catalog)
    asking.cookies.clear()
    return asking


def test_who_has_no_token_sees_nothing(stranger):
    answers = [stranger.get(page) for page in (*PAGES, "/strategies.csv", "/static/style.css")]

    assert {answer.status_code for answer in answers} == {403}
    assert "SPY" not in "".join(answer.text for answer in answers)


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "ä"])
def test_a_wrong_token_opens_nothing(stranger, token):
    assert stranger.get("/", params={"token": token}).status_code == 403
    cookie = f"catalog-{PORT}={quote(token)}"
    assert stranger.get("/", headers={"Cookie": cookie}).status_code == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address(stranger):
    answer = stranger.get(f"/?sort=symbol&token={TOKEN}", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/?sort=symbol")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert stranger.get("/").status_code == 200


def test_the_key_that_a_browser_is_started_with_opens_once(web_catalog):
    from starlette.testclient import TestClient

    from catalog.web.app import make_app

    app = make_app(web_catalog, token=TOKEN, port=PORT, key="once-only")
    first, second = (TestClient(app, base_url=f"http://127.0.0.1:{PORT}") for _ in range(2))

    assert first.get("/health?token=once-only").status_code == 200
    assert second.get("/health?token=once-only").status_code == 403
    assert first.get("/health").status_code == 200
    assert second.get(f"/health?token={TOKEN}").status_code == 200


@pytest.mark.parametrize("part", ["main", "title", "scripts", "results", "nothing"])
@pytest.mark.parametrize("page", [*PAGES, "/strategies/SPY_flat"])
def test_any_part_of_a_page_can_be_asked_for(client, page, part):
    assert client.get(page, headers={"X-Part": part}).status_code == 200


def test_who_asks_for_very_much_is_told_so(client):
    for query in ("&".join(f"tag=t{number}" for number in range(30)), "page=" + "9" * 5_000):
        answer = client.get(f"/?{query}")
        assert answer.status_code == 400 and len(answer.text) < 5_000


def test_the_token_leads_to_no_other_server(stranger):
    answer = stranger.get(
        f"http://127.0.0.1:{PORT}//elsewhere.example/x?token={TOKEN}", follow_redirects=False
    )

    assert answer.headers["location"].startswith("/elsewhere.example")


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1:1", ""])
def test_a_name_that_somebody_else_lets_point_here_is_refused(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 421


def test_localhost_is_this_server(client):
    assert client.get("/", headers={"Host": f"localhost:{PORT}"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_is_changed_by_any_request(client, method):
    assert client.request(method, "/").status_code == 405


@pytest.mark.parametrize("page", [*PAGES, "/static/page.js"])
def test_a_head_is_answered_without_a_body(client, page):
    answer = client.head(page)

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("address", [*PAGES, "/nowhere", "/?sort=nowhere", "/static/style.css"])
def test_no_script_but_our_own_runs_and_nothing_is_kept(client, address):
    answer = client.get(address)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert answer.headers["cache-control"] in {"no-store", "no-cache"}
    assert "<script>" not in answer.text and " onclick" not in answer.text


@pytest.mark.parametrize("address", ["/nowhere", "/static/nowhere.js", "/static/..%2Fapp.py"])
def test_what_is_not_there_is_said_on_a_page(client, address):
    answer = client.get(address)

    assert answer.status_code == 404
    assert "There is no page" in answer.text


def test_scripts_are_sent_once(client):
    first = client.get("/static/page.js")
    again = client.get("/static/page.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-type"].startswith("text/javascript")
    assert (again.status_code, again.content) == (304, b"")


def test_a_bug_is_said_on_a_page_and_keeps_its_traceback(web_catalog, monkeypatch):
    asking = client_of(web_catalog, raise_server_exceptions=False)
    monkeypatch.setattr(Catalog, "sql", lambda *_, **__: 1 // 0)
    monkeypatch.setattr("catalog.web.facets._state", lambda _: (1, 1))

    answer = asking.get("/")

    assert answer.status_code == 500
    assert "This page failed: ZeroDivisionError" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    with pytest.raises(ZeroDivisionError):
        client_of(web_catalog).get("/")


def test_a_catalog_that_is_in_use_or_gone_is_said_on_a_page(web_catalog, tmp_path, monkeypatch):
    gone = client_of(Catalog(tmp_path / "nowhere.duckdb")).get("/")
    assert gone.status_code == 500 and "There is no catalog" in gone.text

    def busy(*_, **__):
        raise CatalogBusyError("Process 7 has the catalog", hint="Wait for it")

    monkeypatch.setattr(Catalog, "sql", busy)
    answer = client_of(web_catalog).get("/")

    assert answer.status_code == 503
    assert "Process 7 has the catalog" in answer.text and "Wait for it" in answer.text


def test_the_server_ends_with_ctrl_c_and_without_a_word(web_catalog):
    with serving(web_catalog.path) as server:
        status, said = server.end()

    assert status == 0
    assert said.startswith("next ") and len(said.splitlines()) == 1


def test_the_server_ends_though_a_query_runs(web_catalog):
    code = (
        "import sys, time; from starlette.routing import Route; from catalog import Catalog\n"
        "from catalog.web.pages import health\n"
        "health.ROUTES.append(Route('/slow', lambda request: time.sleep(60)))\n"
        "from catalog.web.server import serve\n"
        "serve(Catalog(sys.argv[1]), browser=False, say=lambda one: print(one, flush=True))"
    )
    command = [sys.executable, "-c", code, str(web_catalog.path)]
    with serving(web_catalog.path, command=command) as server:
        asking = threading.Thread(target=asked, args=(server.address, "/slow"))
        asking.start()
        time.sleep(0.5)
        before = time.monotonic()
        status, said = server.end()

    assert (status, time.monotonic() - before < 15) == (0, True)
    assert "Traceback" not in said
    asking.join()


def asked(address: str, path: str) -> tuple[int, str]:
    """Ask a server that runs for a page, with the token that its address has."""
    base, _, token = address.partition("/?token=")
    connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=60)
    port = base.rpartition(":")[2]
    try:
        connection.request("GET", path, headers={"Cookie": f"catalog-{port}={token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (http.client.HTTPException, OSError):
        return 0, ""
    finally:
        connection.close()


def ui(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "catalog", "ui", "--no-browser", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_server_whose_words_nobody_reads_serves_all_the_same(web_catalog):
    port = free_port()
    command = [sys.executable, "-m", "catalog", "ui", "--no-browser", "--port", str(port)]
    command += ["--catalog", str(web_catalog.path)]
    # As `catalog ui | head -c 0`: whoever reads has gone.
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        try:
            assert answer_of(port) == 403
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
    assert b"Traceback" not in said


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answer_of(port: int) -> int:
    """Return the status of an answer, once there is one."""
    for _ in range(200):
        asking = http.client.HTTPConnection("127.0.0.1", port)
        try:
            asking.request("GET", "/")
            return asking.getresponse().status
        except ConnectionRefusedError:
            time.sleep(0.1)
        finally:
            asking.close()
    raise AssertionError("nobody answers")


def test_a_server_of_a_test_ends_with_a_test_that_is_killed(web_catalog):
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from web_catalog import serving\n"
        "from pathlib import Path\n"
        "server = serving(Path(sys.argv[2])).__enter__()\n"
        "print(server.process.pid, flush=True); time.sleep(60)"
    )
    here = str(Path(__file__).resolve().parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", code, here, str(web_catalog.path)], stdout=subprocess.PIPE, text=True
    ) as test:
        server = int(test.stdout.readline())
        test.kill()
    for _ in range(100):
        if not Path(f"/proc/{server}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{server}").exists()


def test_a_port_that_is_taken_is_said(web_catalog):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = ui("--catalog", web_catalog.path, "--port", port)

    assert done.returncode == 2 and done.stdout == ""
    assert f"Port {port} of 127.0.0.1 cannot be listened on" in done.stderr
    assert "--port" in done.stderr and "Traceback" not in done.stderr


def test_a_catalog_that_is_not_there_is_said_before_anything_is_served(tmp_path):
    done = ui("--catalog", tmp_path / "nowhere.duckdb")

    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no catalog" in done.stderr and "Traceback" not in done.stderr


def test_the_server_is_reached_by_this_machine_alone(web_address):
    port = int(web_address.partition("/?")[0].rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        outward.connect(("192.0.2.1", 9))  # Sends nothing; says which address would be sent from.
        own = outward.getsockname()[0]

    with socket.socket() as knocking:
        knocking.settimeout(2)
        assert knocking.connect_ex((own, port)) != 0 or own.startswith("127.")


def test_writers_are_never_kept_out_while_pages_are_fetched(catalog, tmp_path):
    write_walk(tmp_path, 0, catalog.path)
    found: list[int] = []
    stop = threading.Event()

    def look(address: str) -> None:
        while not stop.is_set():
            found.append(asked(address, "/?sort=symbol")[0])

    with serving(catalog.path) as server:
        looking = [threading.Thread(target=look, args=(server.address,)) for _ in range(2)]
        for one in looking:
            one.start()
        for number in (1, 2, 3):
            write_walk(tmp_path, number, tmp_path / "elsewhere.duckdb")
            assert catalog.register(tmp_path / "runs").registered == 1
        seen = asked(server.address, "/")[1]
        stop.set()
        for one in looking:
            one.join()

    assert "<strong>4</strong> of 4" in seen
    assert len(found) > 5 and set(found) == {200}


def write_walk(folder: Path, number: int, catalog: Path) -> None:
    """Write a run of one strategy, which a catalog is told of."""
    write_signals(
        folder / "runs" / f"run_{number}",
        {"walk": ([0, 1], [1.0, 0.0])},
        configs={"walk": {"type": "walk", "parameters": {"number": number}}},
        symbol="SPY",
        bar_index=range(50),
        catalog=catalog,
    )


def test_a_real_server_shows_pages_in_a_browser(browser_page):
    assert browser_page.title().endswith("catalog.duckdb")
    assert "token" not in browser_page.url

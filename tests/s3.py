"""
An S3 on this machine: moto's server in a process of its own, on a port of its own.

A test asks for the fixture `bucket` and gets the URL of an empty bucket, `s3://name`; the process
environment then says where the store is and as whom it is asked (AWS_ENDPOINT_URL and so on), which
processes that the test starts inherit. `s3_endpoint` is the address of the server alone. `store` is
a bucket behind a `Proxy`, which counts requests and spoils those that a test wants spoilt.
"""

from __future__ import annotations

import http.client
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

_buckets = count(1)
_asked_through: dict[str, Any] = {}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of a server that lasts as long as the tests."""
    child = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None and child.stdout is not None
    try:
        port = int(child.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        # The server ends when its input does, so that it also ends with a test run that is killed.
        child.stdin.close()
        child.wait()
        child.stdout.close()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty bucket, which the environment says how to reach."""
    from catalog import filesystems

    point_at(s3_endpoint, monkeypatch)
    # To read what S3 can be asked takes as long as the rest of a test.
    if s3_endpoint in _asked_through:
        filesystems._filesystems["s3"] = _asked_through[s3_endpoint]
    name = f"bucket-{next(_buckets)}"
    make_bucket(name)
    _asked_through[s3_endpoint] = filesystems._filesystems["s3"]
    yield f"s3://{name}"
    forget_connections()


@dataclass(frozen=True)
class Request:
    """What a store was asked: GET, HEAD and so on, of which key, and of which of its bytes."""

    method: str
    path: str
    range: str | None

    @property
    def is_listing(self) -> bool:
        return "list-type=2" in self.path


@dataclass(frozen=True)
class Fault:
    """
    An answer in place of the store's: a status with S3's code for it, or its own cut short.

    `keep` is how many bytes of the body are sent before the connection is closed.
    """

    status: int = 200
    code: str = ""
    keep: int | None = None


@dataclass
class Proxy:
    """
    A bucket behind a proxy: `url` and what it was asked, and `spoil` says what to answer instead.

    `spoil` is given each request, and how often that very one was made before; `page` is how many
    objects are listed in one answer at most.
    """

    url: str
    page: int | None = None
    requests: list[Request] = field(default_factory=list)
    spoil: Callable[[Request, int], Fault | None] = lambda request, before: None

    def of(self, name: str) -> list[Request]:
        """Return the requests for the objects whose names end so."""
        return [one for one in self.requests if one.path.partition("?")[0].endswith(name)]


@pytest.fixture
def store(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A bucket behind a proxy."""
    name = f"bucket-{next(_buckets)}"
    proxy = Proxy(f"s3://{name}")
    port = int(s3_endpoint.rpartition(":")[2])
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Request(self.command, unquote(self.path), self.headers.get("Range"))
            with lock:
                before = proxy.requests.count(asked)
                proxy.requests.append(asked)
            fault = proxy.spoil(asked, before)
            if fault is not None and fault.status != 200:
                xml = f"<Error><Code>{fault.code}</Code><Message>{fault.code}</Message></Error>"
                said = b"" if self.command == "HEAD" else xml.encode()
                self._answer(fault.status, {"Content-Type": "application/xml"}, said, len(said))
                return
            upstream = http.client.HTTPConnection("127.0.0.1", port)
            more = f"&max-keys={proxy.page}" if proxy.page and asked.is_listing else ""
            upstream.request(self.command, self.path + more, body, dict(self.headers))
            answer = upstream.getresponse()
            data = answer.read()
            length = int(answer.headers.get("Content-Length") or len(data))
            upstream.close()
            if fault is not None and fault.keep is not None:
                data, self.close_connection = data[: fault.keep], True
            self._answer(answer.status, dict(answer.headers), data, length)

        def _answer(self, status: int, headers: dict[str, str], data: bytes, length: int) -> None:
            self.send_response_only(status)
            for key, value in headers.items():
                if key.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(key, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    point_at(f"http://127.0.0.1:{server.server_address[1]}", monkeypatch)
    make_bucket(name)
    proxy.requests.clear()
    yield proxy
    server.shutdown()
    thread.join()
    server.server_close()
    forget_connections()


def send(folder: Path, url: str) -> None:
    """Put the files of a folder below a URL."""
    from catalog.objects import write_file

    for path in sorted(folder.rglob("*")):
        if path.is_file():
            write_file(f"{url}/{path.relative_to(folder).as_posix()}", path)


def point_at(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process, and those that it starts, take a server for S3."""
    for name, value in environment(endpoint).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    forget_connections()


def environment(endpoint: str) -> dict[str, str]:
    """Return the variables that say where the store is, and as whom it is asked."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def forget_connections() -> None:
    """Let the next URL be read as the environment says then."""
    import s3fs

    from catalog import filesystems

    filesystems._filesystems.clear()
    s3fs.S3FileSystem.clear_instance_cache()


def make_bucket(name: str) -> None:
    """Make an empty bucket."""
    from catalog.objects import filesystem

    filesystem("s3://").mkdir(name)


def _serve() -> None:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    _serve()

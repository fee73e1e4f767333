"""A store that falls silent is waited for so long and no longer, and what was asked is named."""

from __future__ import annotations

import json
import socket
import threading
import time

import fsspec.config
import pytest

from catalog import Catalog
from catalog.errors import ObjectStoreError
from catalog.filesystems import filesystem
from catalog.objects import list_below, read
from catalog.tries import TRIES
from conftest import rows
from s3 import forget_connections, point_at, send


class Silent:
    """A server that lets anybody connect, says `greeting`, and then nothing more."""

    def __init__(self, greeting: bytes) -> None:
        self.accepted: list[socket.socket] = []
        self._greeting = greeting
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            self.accepted.append(connection)
            if self._greeting == b"end":
                return
            connection.sendall(self._greeting)

    def close(self) -> None:
        self._greeting = b"end"
        host, port = self._listening.getsockname()
        socket.create_connection((host, port)).close()
        self._thread.join()
        for one in (*self.accepted, self._listening):
            one.close()


@pytest.fixture
def silent(monkeypatch):
    """Return a function that takes a silent server for S3; a moment of its silence is enough."""
    servers = []

    def start(greeting: bytes = b"") -> Silent:
        servers.append(Silent(greeting))
        point_at(servers[-1].endpoint, monkeypatch)
        return servers[-1]

    monkeypatch.setattr("catalog.tries.PAUSE", 0.001)
    monkeypatch.setattr("catalog.filesystems.READ_TIMEOUT", 0.2)
    yield start
    forget_connections()
    for server in servers:
        server.close()


PART = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\n\r\nsome of it"


@pytest.mark.parametrize("greeting", [b"", PART], ids=["no answer", "half an answer"])
def test_a_read_that_stalls_fails_after_a_bounded_time_and_names_the_object(silent, greeting):
    server = silent(greeting)
    started = time.monotonic()

    said = r"does not answer, or stops, at s3://bucket/a\.parquet: "
    with pytest.raises(ObjectStoreError, match=said) as caught:
        read("s3://bucket/a.parquet", 0, 100)

    assert time.monotonic() - started < 10
    assert f"tried {TRIES} times" in caught.value.hint
    assert "read_timeout" in caught.value.hint
    assert len(server.accepted) == TRIES


def test_a_registration_from_a_silent_store_fails_and_leaves_the_catalog_alone(
    bucket, silent, write_run, tmp_path
):
    send(write_run(traces={"SPY_x_1": [1, 0]}), f"{bucket}/run")
    catalog = Catalog(tmp_path / "catalog.duckdb")
    catalog.register(bucket)
    before = rows(catalog, "from trace_files")
    silent()

    with pytest.raises(ObjectStoreError, match=f"does not answer, or stops, at {bucket}"):
        catalog.register(bucket)

    assert rows(catalog, "from trace_files") == before


def test_what_somebody_configured_of_fsspec_goes_before_our_timeouts(silent, monkeypatch):
    def kept() -> tuple[float, float, object]:
        said = filesystem("s3://bucket").config_kwargs
        return said["connect_timeout"], said["read_timeout"], said["retries"]

    silent()
    once = {"total_max_attempts": 1}
    assert kept() == (10, 0.2, once)

    configured: dict[str, object] = {}
    said = {"config_kwargs": {"read_timeout": 0.05, "retries": {"total_max_attempts": 9}}}
    fsspec.config.set_conf_env(configured, {"FSSPEC_S3": json.dumps(said)})
    monkeypatch.setitem(fsspec.config.conf, "s3", configured["s3"])
    forget_connections()
    assert kept() == (10, 0.05, once)
    with pytest.raises(ObjectStoreError, match="does not answer"):
        list_below("s3://bucket/run")

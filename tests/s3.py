"""
An S3 on this machine: moto's server in a process of its own, on a port of its own.

A test asks for the fixture `bucket` and gets the URL of an empty bucket, `s3://name`; the process
environment then says where the store is and as whom it is asked (AWS_ENDPOINT_URL and so on), which
processes that the test starts inherit. `s3_endpoint` is the address of the server alone.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from itertools import count

import pytest

_buckets = count(1)


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
    point_at(s3_endpoint, monkeypatch)
    name = f"bucket-{next(_buckets)}"
    make_bucket(name)
    yield f"s3://{name}"
    forget_connections()


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

"""What holds when publishers are killed, crowded, out of disk, or not let in."""

from __future__ import annotations

import http.client
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from catalog import Catalog, objects, write_signals
from catalog.cli.main import main
from catalog.errors import CatalogError, LakeError, ObjectStoreError, StoreError
from catalog.lake.lake import read_lake
from catalog.lake.layout import TABLES
from catalog.lake.write import LakeWriter
from conftest import rows
from published import contents, files_of, lake_rows, make_catalog, view_rows
from s3 import point_at

KILLS = int(os.environ.get("CATALOG_SOAK_KILLS", "3"))
SEED = int(os.environ.get("CATALOG_SOAK_SEED", str(os.getpid())))
PUBLISH = """
import sys
from catalog import Catalog
import catalog.lake.publish, catalog.query.run, pyarrow.parquet
print("begun", flush=True)
if sys.stdin.readline():
    Catalog(sys.argv[1]).publish(sys.argv[2])
"""


@contextmanager
def publishing(catalog: Catalog, lake: object) -> Iterator[subprocess.Popen]:
    """A process that publishes, and goes on as soon as it is told to."""
    words = [sys.executable, "-c", PUBLISH, str(catalog.path), str(lake)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def begin(process: subprocess.Popen) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()


def write_more(catalog: Catalog, name: str, count: int = 40) -> None:
    values = np.random.default_rng(len(name)).integers(-1, 2, (60, count)).astype(float)
    configs = {f"{name}_{n}": {"type": name, "parameters": {"n": n}} for n in range(count)}
    folder = catalog.path.parent / "runs" / name
    write_signals(
        folder, values, configs=configs, symbol="SPY", timeframe="1m", catalog=catalog.path
    )


def digests(lake: object) -> list[tuple[str, str]]:
    found = read_lake(lake)
    return [
        (file.place.removeprefix(found.place), file.digest)
        for table in TABLES
        for file in found.files(table)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("made"), traces=3)


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Catalog:
    """A catalog of other traces, strategies and runs."""
    return make_catalog(tmp_path_factory.mktemp("other"), seed=2, traces=2)


@pytest.fixture(scope="module")
def changed(made, tmp_path_factory) -> tuple[Catalog, Path]:
    """A catalog that has changed since it was published, and the lake of before."""
    home = tmp_path_factory.mktemp("changed")
    shutil.copytree(made.path.parent, home / "home")
    catalog = Catalog(home / "home" / "catalog.duckdb")
    catalog.publish(home / "lake")
    write_more(catalog, "later")
    ((trace_id,),) = rows(catalog, "select min(trace_id) from signals where strategy_type = 'sma'")
    catalog.forget(trace_id)
    return catalog, home / "lake"


def test_a_publish_killed_at_any_moment_leaves_the_lake_of_before_or_after_and_is_completed(
    changed, tmp_path
):
    catalog, former = changed
    shutil.copytree(former, tmp_path / "whole")
    with publishing(catalog, tmp_path / "whole") as process:
        started = time.monotonic()
        begin(process)
        assert process.wait() == 0
        took = time.monotonic() - started
    before, after = contents(former), contents(tmp_path / "whole")
    assert before != after
    moments, seen = random.Random(SEED), set()
    for number in range(KILLS):
        lake = tmp_path / f"killed_{number}"
        shutil.copytree(former, lake)
        # One in each part of the time that it takes, the first one surely too early to be done.
        delay = moments.uniform(number, number + 0.5) / KILLS * took
        with publishing(catalog, lake) as process:
            begin(process)
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        how = f"killed after {delay:.3f} of {took:.3f} s (seed {SEED})"

        found = contents(lake)
        assert found in (before, after), how
        seen.add(found == after)
        catalog.publish(lake)

        assert digests(lake) == digests(tmp_path / "whole"), how
        assert contents(lake) == after, how
        shutil.rmtree(lake)
    assert False in seen


def test_what_was_written_before_a_kill_is_not_written_again(changed, tmp_path, monkeypatch):
    catalog, former = changed
    lake = tmp_path / "lake"
    shutil.copytree(former, lake)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("catalog.lake.publish._replace_manifest", stopped)
        with pytest.raises(KeyboardInterrupt):
            catalog.publish(lake)
    assert contents(lake) == contents(former)
    left = {path: os.stat(path).st_mtime_ns for path in files_of(lake)}

    report = catalog.publish(lake)

    assert sum(one.reused for one in report.tables) == sum(one.files for one in report.tables) > 0
    assert {path: os.stat(path).st_mtime_ns for path in files_of(lake)} == left


def test_who_reads_while_it_is_published_sees_one_state_or_the_other(changed, tmp_path):
    catalog, former = changed
    lake = tmp_path / "lake"
    shutil.copytree(former, lake)
    seen = []

    with publishing(catalog, lake) as process:
        begin(process)
        while process.poll() is None:
            seen.append(contents(lake))

    assert process.returncode == 0
    before, after = contents(former), contents(lake)
    assert before != after and all(one in (before, after) for one in seen)


def test_two_catalogs_publish_at_once_and_the_lake_is_the_same_in_any_order(made, other, tmp_path):
    together, one_first, other_first = (tmp_path / name for name in ("both", "one", "two"))

    with publishing(made, together) as first, publishing(other, together) as second:
        begin(first)
        begin(second)
        assert (first.wait(), second.wait()) == (0, 0)
    for lake, order in ((one_first, (made, other)), (other_first, (other, made))):
        for catalog in order:
            catalog.publish(lake)

    assert len(read_lake(together).writers) == 2
    assert digests(together) == digests(one_first) == digests(other_first)
    union = sorted(map(repr, view_rows(made, "signals") + view_rows(other, "signals")))
    assert sorted(map(repr, lake_rows(together, "signals"))) == union


def test_two_publishes_of_one_catalog_take_turns(made, tmp_path):
    lake = tmp_path / "lake"

    with publishing(made, lake) as first, publishing(made, lake) as second:
        begin(first)
        begin(second)
        assert (first.wait(), second.wait()) == (0, 0)

    assert read_lake(lake).manifests[0].sequence == 1
    assert lake_rows(lake, "signals") == view_rows(made, "signals")


def test_two_catalogs_under_one_name_are_told_and_lose_nothing(made, other, tmp_path, monkeypatch):
    lake, named = tmp_path / "lake", "0123456789ab"
    write = LakeWriter.write

    def interrupted(self, *arguments):
        monkeypatch.setattr(LakeWriter, "write", write)
        other.publish(lake, writer=named)
        return write(self, *arguments)

    monkeypatch.setattr(LakeWriter, "write", interrupted)

    with pytest.raises(LakeError, match="Somebody else published") as told:
        made.publish(lake, writer=named)

    assert "Publish again" in told.value.hint
    assert lake_rows(lake, "signals") == view_rows(other, "signals")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True).returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_lake_as_it_was(changed, tmp_path):
    catalog, former = changed
    lake = tmp_path / "small"
    with small_disk(lake, "1m"):
        shutil.copytree(former, lake, dirs_exist_ok=True)
        before, files = contents(lake), set(files_of(lake))
        room = os.statvfs(lake)
        (lake / "filler").write_bytes(b"x" * (room.f_bavail * room.f_frsize - 3 * 4096))

        with pytest.raises(CatalogError, match="No space left") as full:
            catalog.publish(lake)

        assert full.value.hint is not None
        assert contents(lake) == before
        assert not [path for path in files_of(lake) if path.endswith(".tmp")]
        (lake / "filler").unlink()
        report = catalog.publish(lake)
        assert report.is_changed and files < set(files_of(lake))
        assert lake_rows(lake, "signals") == view_rows(catalog, "signals")


def test_no_room_for_temporary_files_is_one_clear_error(changed, tmp_path, monkeypatch):
    catalog, former = changed
    shutil.copytree(former, tmp_path / "lake")
    with small_disk(tmp_path / "tmp", "16k"):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))

        with pytest.raises(LakeError, match="no room left for temporary files"):
            catalog.publish(tmp_path / "lake")

        assert os.listdir(tmp_path / "tmp") == []
    assert contents(tmp_path / "lake") == contents(former)


def test_a_damaged_file_of_the_lake_is_named_before_others_are_made_from_it(changed, tmp_path):
    catalog, former = changed
    lake = tmp_path / "lake"
    shutil.copytree(former, lake)
    for path in [file.place for file in read_lake(lake).files("signals")]:
        data = bytearray(Path(path).read_bytes())
        data[len(data) // 2] ^= 255
        Path(path).write_bytes(data)

    with pytest.raises(LakeError, match="is damaged, and the lake's manifest names it") as told:
        catalog.publish(lake)

    assert f"{lake}/signals/SPY/" in str(told.value) and "--writer" in told.value.hint
    assert read_lake(lake).manifests[0].sequence == 1


def test_a_lake_in_a_store_is_that_of_a_folder(changed, tmp_path, bucket):
    catalog, former = changed
    catalog.publish(f"{bucket}/lake", where="strategy_type = 'walk'")
    catalog.publish(f"{bucket}/lake")
    again = catalog.publish(f"{bucket}/lake")
    shutil.copytree(former, tmp_path / "lake")
    catalog.publish(tmp_path / "lake")

    assert not again.is_changed
    assert contents(f"{bucket}/lake") == contents(tmp_path / "lake")


def test_traces_in_a_store_are_published_and_one_deleted_since_is_named(catalog, bucket, tmp_path):
    values = np.array([[1.0, 0.5, -1.0]] * 2)
    configs = {f"s{n}": {"type": "sma", "parameters": {"n": n}} for n in range(3)}
    paths = write_signals(
        f"{bucket}/runs/r1", values, configs=configs, symbol="SPY", timeframe="1m",
        catalog=catalog.path,
    )  # fmt: skip
    whole = catalog.publish(tmp_path / "whole")
    assert lake_rows(tmp_path / "whole", "signals") == view_rows_of_objects(catalog)
    objects.remove(str(paths[1]))

    words = ["publish", str(tmp_path / "lake"), "--catalog", str(catalog.path)]
    done = CliRunner().invoke(main, words)

    assert not whole.left
    assert done.exit_code == 3 and f"{paths[1]}" in done.output
    assert "its file is gone" in done.output
    found = lake_rows(tmp_path / "lake", "trace_files", "strategy_id")
    assert found == [("s0",), ("s2",)]


def view_rows_of_objects(catalog: Catalog) -> list[tuple[object, ...]]:
    return catalog.sql("select * from signals order by all").fetchall()


def test_a_bucket_that_is_not_there_is_said_to_be_so(made, bucket):
    with pytest.raises(ObjectStoreError, match="no bucket"):
        made.publish("s3://no-such-bucket-at-all/lake")


class _Expiring(BaseHTTPRequestHandler):
    """Passes requests on to a store, until the credentials expire."""

    protocol_version = "HTTP/1.1"  # Those who expect to be told to continue are.
    upstream = ""
    left = 0

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _answer(self) -> None:
        body = self._body()
        type(self).left -= 1
        if type(self).left < 0:
            said = (
                b"<Error><Code>ExpiredToken</Code><Message>The token is expired.</Message></Error>"
            )
            self.send_response(400)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said if self.command != "HEAD" else b"")
            return
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        about = {"transfer-encoding", "content-length", "expect", "connection"}
        kept = {name: text for name, text in self.headers.items() if name.lower() not in about}
        connection.request(self.command, self.path, body, kept)
        answer = connection.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(data)
        connection.close()

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def expiring(s3_endpoint, bucket, monkeypatch) -> Iterator[type[_Expiring]]:
    """The store behind credentials that expire after `left` requests."""
    _Expiring.upstream, _Expiring.left = s3_endpoint.removeprefix("http://"), 10**9
    with ThreadingHTTPServer(("127.0.0.1", 0), _Expiring) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        point_at(f"http://127.0.0.1:{server.server_port}", monkeypatch)
        yield _Expiring
        server.shutdown()
        thread.join()


def test_credentials_that_expire_leave_the_lake_as_it_was(changed, bucket, expiring, tmp_path):
    catalog, _ = changed
    lake = f"{bucket}/lake"
    catalog.publish(lake, where="strategy_type = 'walk'")
    before = contents(lake)

    for requests in (0, 20):
        expiring.left = requests
        with pytest.raises(ObjectStoreError, match=r"not accepted|refuses") as told:
            catalog.publish(lake)
        expiring.left = 10**9
        assert contents(lake) == before
        assert "credentials" in f"{told.value} {told.value.hint}".lower()

    report = catalog.publish(lake)
    assert sum(one.reused for one in report.tables) > 0
    assert lake_rows(lake, "signals") == view_rows(catalog, "signals")


def test_a_catalog_that_is_not_there_is_an_error_of_its_own(tmp_path):
    with pytest.raises(StoreError, match="There is no catalog"):
        Catalog(tmp_path / "none.duckdb").publish(tmp_path / "lake")

    assert not (tmp_path / "lake").exists()
    assert not (tmp_path / "none.d").exists()

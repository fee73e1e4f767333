"""Queries over traces in object storage: they read the registered objects, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import numpy as np
import pytest

from catalog import Catalog, objects, write_signals
from catalog.errors import QueryError
from catalog.store import object_files, remote
from conftest import OPEN, rows
from s3 import forget_connections

BARS = 24


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Try again at once."""
    monkeypatch.setattr("catalog.tries.PAUSE", 0.001)


@pytest.fixture
def write(catalog, bucket):
    """Write a run of some strategies into a bucket, and register it."""

    def write(run: str = "runs/r1", count: int = 4, to: str = bucket) -> list[str]:
        ts = [OPEN.replace(tzinfo=None) + np.timedelta64(bar, "m") for bar in range(BARS)]
        values = np.array(
            [[(bar // (number + 2)) % 2 for number in range(count)] for bar in range(BARS)], float
        )
        return write_signals(
            f"{to}/{run}", values, strategy_ids=[f"s{number}" for number in range(count)],
            configs=[{"type": "sma", "parameters": {"fast": number}} for number in range(count)],
            symbol="SPY", timeframe="1m", ts=np.array(ts, "datetime64[us]"),
            prices=np.linspace(500, 510, BARS), catalog=catalog.path,
        )  # fmt: skip

    return write


@pytest.fixture
def requests(monkeypatch) -> list[str]:
    """The objects that are read, in the order in which they are."""
    read = objects.read
    seen: list[str] = []

    def reading(url, *args, **options):
        seen.append(url)
        return read(url, *args, **options)

    monkeypatch.setattr(objects, "read", reading)
    return seen


def changes(number: int) -> int:
    return len(range(0, BARS, number + 2))


def test_the_views_over_traces_return_the_rows_of_objects(catalog, write):
    write()

    found = rows(catalog, "select strategy_id, count(*) from signals group by 1 order by 1")

    assert found == [(f"s{number}", changes(number)) for number in range(4)]
    held = rows(catalog, "select sum(bars) from holdings where strategy_id = 's1'")
    assert held == [(BARS,)]


def test_a_query_reads_the_objects_that_can_matter_and_each_once(catalog, write, requests):
    paths = write()
    requests.clear()

    rows(catalog, "from signals join strategies using (strategy_hash) where param_fast = 2")

    assert requests == [paths[2]]


def test_a_query_that_reads_no_trace_asks_no_store_and_loads_nothing_for_it(catalog, write):
    write(count=1)
    code = (
        "import sys; from catalog import Catalog; c = Catalog(sys.argv[1])\n"
        "c.sql('select count(*) from trace_files'); c.find('fast=0'); c.show('s0')\n"
        "print('fsspec' in sys.modules, 'botocore' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(catalog.path)], capture_output=True, text=True, check=True,
        env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "PATH": ""},
    )  # fmt: skip

    assert done.stdout == "False False\n"


def test_show_finds_a_trace_by_its_url(catalog, write):
    paths = write(count=2)

    shown = catalog.show(paths[1])

    assert shown.strategy["strategy_type"] == "sma"
    assert shown.config == {"type": "sma", "parameters": {"fast": 1}}


def test_read_parquet_of_a_registered_url_and_of_a_pattern_over_it_work(catalog, write, bucket):
    paths = write()
    pattern = f"{bucket}/runs/r1/**/sma/*.parquet"

    one = rows(catalog, f"select count(*) from read_parquet('{paths[3]}')")
    many = rows(
        catalog,
        "select count(*), count(distinct filename) "
        f"from read_parquet('{pattern}', filename = true)",
    )

    assert one == [(changes(3),)]
    assert many == [(sum(map(changes, range(4))), 4)]


def test_the_index_joined_to_its_trace_paths_reads_objects(catalog, write):
    write()

    found = rows(catalog, "select s.strategy_id, count(*) from strategy_index s "
                          "cross join read_parquet(s.trace_path) t where s.param_fast >= 2 "
                          "group by 1 order by 1")  # fmt: skip

    assert found == [(f"s{number}", changes(number)) for number in (2, 3)]


@pytest.mark.parametrize(
    "place",
    ["/secret/x.parquet", "/runs-other/x.parquet", "/runs/r1/../../secret/x.parquet",
     "/secret/*.parquet"],
)  # fmt: skip
def test_a_query_cannot_read_what_is_not_registered(catalog, write, bucket, place):
    paths = write(count=1)
    for name in ("secret", "runs-other"):
        objects.write(f"{bucket}/{name}/x.parquet", objects.read(paths[0]))

    for query in (f"from read_parquet('{bucket}{place}')", f"from '{bucket}{place}'"):
        with pytest.raises(QueryError, match=r"none of the catalog's folders|cannot be read"):
            catalog.sql(query)


def test_not_even_duckdb_itself_would_let_it(catalog, write, bucket):
    """The guard is one wall; this is the other: what is restricted stays so."""
    from catalog.query.files import Allowed
    from catalog.query.sandbox import Limits, readable_folders, restrict
    from catalog.store.database import reading

    paths = write(count=1)
    objects.write(f"{bucket}/secret/x.parquet", objects.read(paths[0]))
    with reading(catalog.path) as con:
        restrict(con, readable_folders(con, catalog.path), Allowed(), Limits())
        remote.reach(con, {paths[0]: None})

        assert con.execute("from read_parquet($url)", {"url": paths[0]}).fetchall()
        for place in ("secret/x.parquet", "secret/*", "runs/r1/../../secret/x.parquet"):
            with pytest.raises(duckdb.PermissionException):
                con.execute("from read_parquet($url)", {"url": f"{bucket}/{place}"})
        with pytest.raises(duckdb.Error):
            con.execute(f"copy (select 1) to '{paths[0]}.csv'")
        with pytest.raises(duckdb.Error):
            con.execute("set enable_external_access = true")
    assert objects.look_at(f"{paths[0]}.csv") is None


def test_an_object_deleted_since_it_was_registered_is_named_with_what_to_do(catalog, write):
    paths = write()
    objects.remove(paths[1])

    with pytest.raises(QueryError, match=r"s1.parquet is gone") as told:
        catalog.sql("from signals")

    assert "catalog register" in told.value.hint
    assert rows(catalog, "select count(*) from signals where strategy_id <> 's1'")


def test_an_object_that_was_cut_since_it_was_registered_is_named(catalog, write):
    paths = write(count=2)
    objects.write(paths[0], objects.read(paths[0])[:-200])

    with pytest.raises(QueryError, match=r"s0.parquet has changed since it was registered") as told:
        catalog.sql("from signals")

    assert "catalog register" in told.value.hint


def test_expired_credentials_are_said_to_be_so(catalog, write, monkeypatch):
    from catalog.errors import ObjectStoreError

    write(count=2)

    def refuse(url, *_, **__):
        raise ObjectStoreError(f"The credentials for {url} are not accepted", hint="Renew them")

    monkeypatch.setattr(objects, "read", refuse)

    with pytest.raises(QueryError, match=r"credentials for s3://.* are not accepted") as told:
        catalog.sql("from signals")
    assert told.value.hint == "Renew them"


def test_a_store_out_of_reach_is_one_clear_error(catalog, write, monkeypatch):
    write(count=2)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_connections()

    with pytest.raises(QueryError, match="cannot be reached"):
        catalog.sql("from signals")
    assert rows(catalog, "select count(*) from trace_files") == [(2,)]


def test_of_a_large_object_only_what_is_asked_for_is_read(catalog, bucket, monkeypatch):
    count, asked = 60_000, []
    read = objects.read
    (path,) = write_signals(
        f"{bucket}/r", np.random.default_rng(1).random((count, 1)), strategy_ids=["s"],
        configs=[{"type": "sma"}], symbol="SPY", catalog=catalog.path,
    )  # fmt: skip
    monkeypatch.setattr(object_files, "WHOLE", 1 << 16)

    def reading(url, start=None, stop=None, **options):
        asked.append((start, stop))
        return read(url, start, stop, **options)

    monkeypatch.setattr(objects, "read", reading)

    found = rows(catalog, "select count(*), max(idx) from signals")

    assert found == [(count, count - 1)]
    assert len(asked) > 1
    size = objects.look_at(path).size
    assert sum(stop - start for start, stop in asked) < 0.8 * size


def test_what_is_kept_of_objects_has_a_bound(catalog, write, monkeypatch):
    write(count=12)
    monkeypatch.setattr(object_files, "HELD", 9_000)
    most = 0
    begin = object_files._Ahead._begin

    def watched(self, url):
        nonlocal most
        found = begin(self, url)
        most = max(most, len(self._fetched))
        return found

    monkeypatch.setattr(object_files._Ahead, "_begin", watched)

    found = rows(catalog, "select count(*) from signals")

    assert found == [(sum(map(changes, range(12))),)]
    assert 1 <= most < 8


def test_objects_of_any_file_system_can_be_queried(catalog, tmp_path):
    from fsspec.implementations.memory import MemoryFileSystem

    objects.use_filesystem("memory", MemoryFileSystem())
    try:
        write_signals(
            "memory://bucket/r", np.ones((3, 1)), strategy_ids=["s"], configs=[{"type": "sma"}],
            symbol="SPY", catalog=catalog.path,
        )  # fmt: skip

        assert rows(catalog, "select count(*) from signals") == [(1,)]
    finally:
        MemoryFileSystem.store.clear()
        forget_connections()


def test_local_traces_and_objects_are_answered_together(catalog, write, tmp_path):
    write("runs/far", 2)
    write("near", 2, to=str(tmp_path))

    found = rows(catalog, "select run_id, count(*) from signals group by 1 order by 1")

    assert found == [("far", changes(0) + changes(1)), ("near", changes(0) + changes(1))]


def test_a_plain_client_reads_the_view_where_it_can_read_objects(catalog, write):
    import s3fs

    write()
    with duckdb.connect(str(catalog.path), read_only=True) as con:
        con.register_filesystem(s3fs.S3FileSystem())

        assert con.execute("select count(*) from signals").fetchall() == [
            (sum(map(changes, range(4))),)
        ]


def test_duckdbs_own_httpfs_is_taken_and_told_where_to_look(monkeypatch, bucket):
    said: list[tuple[str, object]] = []

    class Client:
        """A DuckDB that has httpfs, which cannot be had where tests run."""

        def execute(self, text, values=None):
            said.append((text, (values or {}).get("value")))

        def register_filesystem(self, files):
            raise AssertionError("its own is there")

    con = Client()
    remote.load_own(con, [bucket])
    remote.reach(con, {f"{bucket}/x.parquet": 5})

    settings = dict(said)
    assert said[0] == ("load httpfs", None)
    assert settings["set s3_access_key_id = $value"] == "testing"
    assert settings["set s3_region = $value"] == "us-east-1"
    assert settings["set s3_endpoint = $value"].startswith("127.0.0.1:")
    assert settings["set s3_use_ssl = $value"] is False


def test_a_catalog_without_urls_never_tries_to_load_httpfs(catalog, tmp_path, write, monkeypatch):
    write("near", 1, to=str(tmp_path))
    monkeypatch.setattr(remote, "_has_own", lambda con: pytest.fail("it was tried"))

    assert rows(Catalog(catalog.path), "select count(*) from signals") == [(changes(0),)]

"""Traces in object storage are verified, packed, written again and moved like those of a disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from catalog import objects, write_signals
from catalog.errors import ObjectStoreError
from conftest import rows
from s3 import forget_connections, point_at

BARS = 30


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Try again at once, and take nothing for written just now."""
    monkeypatch.setattr("catalog.tries.PAUSE", 0.001)
    monkeypatch.setattr("catalog.verify.judge.SETTLED", 0.0)


@pytest.fixture
def write(catalog, bucket):
    """Write a run of some strategies, and register it."""

    def write(run: str = "runs/r1", count: int = 4, to: str = bucket) -> list[str]:
        values = np.array(
            [[(bar // (number + 2)) % 2 for number in range(count)] for bar in range(BARS)], float
        )
        return [str(path) for path in write_signals(
            f"{to}/{run}", values, strategy_ids=[f"s{number}" for number in range(count)],
            configs=[{"type": "sma", "parameters": {"fast": number}} for number in range(count)],
            symbol="SPY", timeframe="1m", prices=np.linspace(500, 510, BARS),
            ts=np.datetime64("2024-03-26T13:30", "us") + np.arange(BARS) * np.timedelta64(60, "s"),
            catalog=catalog.path,
        )]  # fmt: skip

    return write


def findings(report) -> list[tuple[str, str]]:
    return [(one.finding, one.path) for one in report.findings]


def flip(url: str) -> None:
    """Change one byte of an object, and not its length."""
    data = bytearray(objects.read(url))
    data[len(data) // 3] ^= 0xFF
    objects.write(url, bytes(data))


def test_objects_that_are_as_they_were_are_no_findings(catalog, write, monkeypatch):
    write()
    read = []
    real = objects.read
    monkeypatch.setattr(
        "catalog.verify.remote.read", lambda url, *a, **o: read.append(url) or real(url, *a, **o)
    )

    for how, count in (
        ({}, 4),
        ({"fast": True}, 0),
        ({"deep": True}, 4),
        ({"sample": 0.5, "seed": 1}, 2),
    ):
        read.clear()

        report = catalog.verify(**how)

        assert findings(report) == [], how
        assert (report.files, len(read)) == (4, count), how


def test_what_is_gone_damaged_changed_cut_or_strange_is_found_and_named(catalog, write, bucket):
    gone, flipped, cut, other = write(count=4)
    objects.remove(gone)
    flip(flipped)
    objects.write(cut, objects.read(cut)[:-100])
    stranger = other.replace("/s3.", "/new.")
    objects.write(stranger, objects.read(other))

    report = catalog.verify()

    assert sorted(findings(report)) == sorted(
        [
            ("damaged file", cut),
            ("damaged file", flipped),
            ("missing file", gone),
            ("unregistered file", stranger),
        ]
    )
    (lost,) = [one for one in report.findings if one.path == gone]
    assert lost.detail == "it is registered, and not there"


def test_looking_at_names_and_sizes_only_finds_what_is_gone_and_reads_nothing(
    catalog, write, monkeypatch
):
    gone, *_ = write(count=3)
    objects.remove(gone)
    monkeypatch.setattr("catalog.verify.remote.read", lambda *_, **__: pytest.fail("it read"))

    report = catalog.verify(fast=True)

    assert findings(report) == [("missing file", gone)]


def test_an_object_that_was_sent_again_is_only_touched_and_repaired(catalog, write):
    path, *_ = write(count=2)
    objects.write(path.replace("/s0.", "/elsewhere."), b"")
    objects.remove(path.replace("/s0.", "/elsewhere."))
    before = objects.look_at(path)
    while objects.look_at(path).mtime_ns == before.mtime_ns:
        objects.write(path, objects.read(path))

    report = catalog.verify(repair=True)

    assert findings(report) == []
    assert catalog.verify().touched == []


def test_repairing_marks_an_object_that_is_gone_as_missing(catalog, write):
    gone, *_ = write(count=2)
    objects.remove(gone)

    report = catalog.verify(repair=True)

    assert findings(report) == []
    assert rows(catalog, "select path from missing_files") == [(gone,)]
    assert rows(catalog, "select count(distinct trace_id) from signals") == [(1,)]


def test_a_store_out_of_reach_is_one_finding_and_local_files_are_verified(
    catalog, write, bucket, tmp_path, monkeypatch
):
    write(count=3)
    (near, *_) = write("near", 2, to=str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    forget_connections()
    with open(near, "r+b") as file:
        file.truncate(100)

    report = catalog.verify()

    assert sorted(findings(report)) == [
        ("damaged file", near), ("unreadable file", f"{bucket}/runs/r1")
    ]  # fmt: skip
    (unreachable,) = [one for one in report.findings if one.finding == "unreadable file"]
    assert "cannot be reached" in unreachable.detail


def test_credentials_that_expire_while_objects_are_read_are_one_finding(
    catalog, write, bucket, monkeypatch
):
    write(count=5)

    def refuse(url, *_, **__):
        raise ObjectStoreError(f"The credentials for {url} are not accepted", hint="Renew them")

    monkeypatch.setattr("catalog.verify.remote.read", refuse)

    report = catalog.verify()

    assert findings(report) == [("unreadable file", f"{bucket}/runs/r1")]
    assert report.findings[0].what_to_do == "Renew them"


def test_some_objects_can_be_verified_alone(catalog, write, bucket):
    first, second, *_ = write(count=3)
    flip(first)

    assert findings(catalog.verify(second)) == []
    assert findings(catalog.verify(f"{bucket}/runs/r1/traces")) == [("damaged file", first)]


def everything(catalog) -> list[tuple[object, ...]]:
    return rows(catalog, "select * from signals order by trace_id, idx")


def test_objects_are_packed_beside_the_catalog_and_answer_as_before(catalog, write, bucket):
    paths = write(count=5)
    before = everything(catalog)

    report = catalog.compact()

    assert (report.traces, report.packs, dict(report.left)) == (5, 1, {})
    assert everything(catalog) == before
    assert [stored.url for stored in objects.list_below(bucket)] == sorted(paths)
    assert findings(catalog.verify(deep=True)) == []


def test_objects_go_once_their_pack_is_proved_and_come_back_as_they_were(catalog, write, bucket):
    paths = write(count=5)
    before = everything(catalog)

    report = catalog.compact(delete_originals=True)

    assert (report.deleted, dict(report.kept)) == (5, {})
    assert objects.list_below(bucket) == []
    assert everything(catalog) == before
    assert findings(catalog.verify()) == []

    back = catalog.unpack()

    assert sorted(back.written) == sorted(paths)
    assert sorted(stored.url for stored in objects.list_below(bucket)) == sorted(paths)
    assert everything(catalog) == before
    assert findings(catalog.verify(deep=True)) == []
    assert catalog.unpack().there == 5


def test_an_object_that_changed_since_it_was_packed_stays(catalog, write):
    changed, *others = write(count=3)
    catalog.compact()
    flip(changed)

    report = catalog.compact(delete_originals=True)

    assert report.deleted == 2
    assert dict(report.kept) == {"its file is not what was registered": 1}
    assert objects.look_at(changed) is not None
    assert [objects.look_at(url) for url in others] == [None, None]


def test_objects_that_cannot_be_packed_are_left_each_with_its_reason(catalog, write):
    gone, changed, *_ = write(count=4)
    objects.remove(gone)
    objects.write(changed, objects.read(changed) + b"more")

    report = catalog.compact()

    assert report.traces == 2
    assert dict(report.left) == {"gone": 1, "changed since it was registered": 1}


def test_a_store_that_goes_away_while_packing_leaves_the_catalog_as_it_was(
    catalog, write, monkeypatch
):
    write(count=6)
    before = everything(catalog)
    real, seen = objects.read, []

    def read(url, *args, **options):
        seen.append(url)
        if len(seen) > 3:
            raise ObjectStoreError("the store went away", hint="Try again")
        return real(url, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr("catalog.traces.trace_table.read", read)
        with pytest.raises(ObjectStoreError, match="went away"):
            catalog.compact()

    assert rows(catalog, "select count(pack_path) from trace_files") == [(0,)]
    assert everything(catalog) == before
    assert catalog.compact().traces == 6
    assert findings(catalog.verify()) == []


def test_an_object_that_may_not_be_deleted_stays_and_is_counted(catalog, write, monkeypatch):
    kept, *_ = write(count=3)
    real = objects.remove

    def remove(url):
        if url == kept:
            raise ObjectStoreError("it says no")
        real(url)

    monkeypatch.setattr("catalog.upkeep.originals.remove", remove)

    report = catalog.compact(delete_originals=True)

    assert (report.deleted, dict(report.kept)) == (2, {"it cannot be deleted: it says no": 1})
    assert objects.look_at(kept) is not None
    assert findings(catalog.verify()) == []


def test_packed_traces_are_written_to_a_url_of_choice(catalog, write, bucket, tmp_path):
    write("near", 3, to=str(tmp_path))
    catalog.compact()

    report = catalog.unpack(to=f"{bucket}/shared")

    assert sorted(report.written) == [
        f"{bucket}/shared/near/traces/signals/sma/s{number}.parquet" for number in range(3)
    ]
    assert {stored.url for stored in objects.list_below(bucket)} == set(report.written)


def copy_up(folder: Path, url: str) -> None:
    for path in folder.rglob("*.parquet"):
        objects.write_file(f"{url}/{path.relative_to(folder)}", path)


def copy_down(url: str, folder: Path) -> None:
    for stored in objects.list_below(url):
        path = folder / stored.url.removeprefix(f"{url}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(objects.read(stored.url))


def test_traces_that_were_copied_into_a_store_and_out_again_keep_their_ids_and_rows(
    catalog, write, bucket, tmp_path
):
    write("runs/r1", 4, to=str(tmp_path))
    before = everything(catalog)
    copy_up(tmp_path / "runs", f"{bucket}/runs")
    shutil.rmtree(tmp_path / "runs")

    up = catalog.relocate(tmp_path / "runs", f"{bucket}/runs")

    assert (up.found, up.retimed, up.missing, up.changed) == (4, 4, [], [])
    assert everything(catalog) == before
    assert findings(catalog.verify()) == []
    assert catalog.register(f"{bucket}/runs").registered == 0

    copy_down(f"{bucket}/runs", tmp_path / "back")
    for stored in objects.list_below(bucket):
        objects.remove(stored.url)
    down = catalog.relocate(f"{bucket}/runs", tmp_path / "back")

    assert (down.found, down.missing, down.changed) == (4, [], [])
    assert everything(catalog) == before
    assert findings(catalog.verify()) == []


def test_what_was_not_copied_or_not_as_it_was_is_told_by_its_bytes(
    catalog, write, bucket, tmp_path
):
    paths = write("runs/r1", 4, to=str(tmp_path))
    copy_up(tmp_path / "runs", f"{bucket}/runs")
    shutil.rmtree(tmp_path / "runs")
    moved = [path.replace(str(tmp_path), bucket) for path in paths]
    flip(moved[0])
    objects.remove(moved[1])

    report = catalog.relocate(tmp_path / "runs", f"{bucket}/runs")

    assert (report.found, report.missing, report.changed) == (2, [moved[1]], [moved[0]])


def test_traces_cannot_be_relocated_to_where_nothing_is(catalog, write, bucket, tmp_path):
    from catalog.errors import UsageError

    write("runs/r1", 1, to=str(tmp_path))

    with pytest.raises(UsageError, match="There is no folder s3://"):
        catalog.relocate(tmp_path / "runs", f"{bucket}/nothing")


def test_forgetting_deletes_objects_where_that_is_asked_for_and_only_then(catalog, write, bucket):
    first, second, third = write(count=3)
    catalog.forget(first)
    assert objects.look_at(first) is not None
    assert catalog.register(f"{bucket}/runs/r1").registered == 0

    flip(third)
    report = catalog.forget(second, third, delete_files=True)

    assert objects.look_at(second) is None
    assert objects.look_at(third) is not None
    assert report.kept == {"it has changed since it was registered": 1}
    assert rows(catalog, "select count(*) from trace_files") == [(0,)]


def test_a_bundle_takes_objects_along(catalog, write, tmp_path):
    from catalog import Catalog

    write(count=3)
    before = everything(catalog)

    catalog.bundle(tmp_path / "bundle")

    theirs = Catalog(tmp_path / "theirs.duckdb")
    theirs.register(Path(tmp_path / "bundle"))
    assert everything(theirs) == before


def test_figures_of_objects_are_those_of_files(catalog, write, tmp_path):
    import pyarrow as pa

    ts = np.datetime64("2024-03-26T13:30", "us") + np.arange(BARS) * np.timedelta64(60, "s")
    close = 500 + np.sin(np.arange(BARS))
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), close)
    prices["ts"] = pa.array(ts).cast(pa.timestamp("us", "UTC"))
    write("far", 3)
    write("near", 3, to=str(tmp_path))
    catalog.add_prices(pa.table(prices), symbol="SPY", timeframe="1m", tz="America/New_York")

    report = catalog.metrics()

    query = (
        "select m.total_return from metrics as m join trace_files as t using (trace_id) "
        "where t.run_id = '{}' and m.period = 'all' order by t.strategy_id"
    )
    far, near = ([one for (one,) in rows(catalog, query.format(run))] for run in ("far", "near"))
    assert report.measured == 6
    # In a batch the sums of one trace begin where those of the one before end.
    assert far == pytest.approx(near, rel=1e-12)
    assert len(far) == 3 and any(far)


def test_a_catalog_of_objects_is_rebuilt_from_its_store(catalog, write, write_run, bucket):
    write("runs/r2", 2)
    write("runs/r1", 2)
    catalog.register(write_run("here", {"x": [1, 0]}))
    before = everything(catalog)

    report = catalog.rebuild()

    assert (report.traces, report.lost, report.differences) == (5, [], [])
    assert everything(catalog) == before

    for stored in objects.list_below(bucket):
        objects.remove(stored.url)
    assert sorted(catalog.rebuild().lost) == [
        f"{bucket}/runs/{run}: the folder is gone" for run in ("r1", "r2")
    ]


def test_a_store_out_of_reach_stops_a_rebuild_which_changes_nothing(catalog, write, monkeypatch):
    monkeypatch.setattr("catalog.tries.PAUSE", 0.001)
    write()
    before = rows(catalog, "from trace_files order by all")
    point_at("http://127.0.0.1:9", monkeypatch)

    with pytest.raises(ObjectStoreError, match="cannot be reached"):
        catalog.rebuild()

    assert rows(catalog, "from trace_files order by all") == before

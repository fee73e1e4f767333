"""Traces in object storage are verified, packed, written again and moved like those of a disk."""

from __future__ import annotations

import numpy as np
import pytest

from catalog import objects, write_signals
from catalog.errors import ObjectStoreError
from conftest import rows
from s3 import forget_connections

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


@pytest.mark.parametrize("how", [{}, {"fast": True}, {"deep": True}, {"sample": 0.5, "seed": 1}])
def test_objects_that_are_as_they_were_are_no_findings(catalog, write, how, monkeypatch):
    write()
    read = []
    real = objects.read
    monkeypatch.setattr(
        "catalog.verify.remote.read", lambda url, *a, **o: read.append(url) or real(url, *a, **o)
    )

    report = catalog.verify(**how)

    assert findings(report) == []
    assert report.files == 4
    assert len(read) == {"fast": 0, "sample": 2}.get(next(iter(how), ""), 4)


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

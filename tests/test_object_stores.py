"""What is said of an object is the same, however its store is asked; and what is no object."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.fs
import pytest

from catalog import Catalog, objects
from catalog.errors import UsageError
from catalog.objects import look_at
from catalog.places import absolute
from catalog.traces.target import place_of
from conftest import rows
from s3 import forget_connections, send


def test_a_url_that_was_made_a_path_is_refused_and_no_folder_of_its_name_is_used():
    with pytest.raises(UsageError, match="s3:/bucket/lake was a URL before"):
        absolute(Path("s3://bucket/lake"))
    assert absolute("s3://bucket/lake/") == "s3://bucket/lake"


def test_what_names_a_trace_may_be_a_path_and_no_url_that_was_made_one(tmp_path, write_run):
    one = Catalog(tmp_path / "catalog.duckdb")
    one.register(write_run(traces={"SPY_x_1": [1, 0]}))
    (path,) = [Path(path) for (path,) in rows(one, "select path from trace_files")]

    assert one.show(path).traces[0]["path"] == str(path)
    for ask in (one.show, one.forget):
        with pytest.raises(UsageError, match="s3:/bucket/x was a URL before"):
            ask(Path("s3://bucket/x"))
    one.forget(path)
    assert rows(one, "select * from trace_files") == []


def test_a_place_in_s3_is_one_however_its_scheme_is_spelt(bucket, write_run, tmp_path):
    _, _, name = bucket.partition("://")
    other = {scheme: f"{scheme}://{name}" for scheme in ("S3", "s3a", "S3N")}
    send(write_run("a", {"SPY_x_1": [1, 0], "SPY_x_2": [0, 1], "SPY_x_3": [0, 0]}), f"{bucket}/a")
    here, there = Catalog(tmp_path / "here.duckdb"), Catalog(tmp_path / "there.duckdb")

    assert here.register(f"{other['s3a']}/a").registered == 3
    for root in (bucket, *other.values()):
        assert here.register(f"{root}/a").registered == 0
    first, second, third = (
        path for (path,) in rows(here, "select path from trace_files order by 1")
    )

    assert first.startswith(f"{bucket}/a/")
    assert here.show(first.replace("s3:", "s3n:")).traces[0]["path"] == first
    assert here.diff(first.replace("s3:", "S3A:"), second) is not None
    here.forget(third.replace("s3:", "S3:"))
    assert rows(here, "select path from trace_files order by 1") == [(first,), (second,)]

    here.publish(f"{other['S3']}/lake")
    assert here.publish(f"{other['s3a']}/lake").place == f"{bucket}/lake"
    there.open(f"{other['S3N']}/lake")
    there.open(f"{bucket}/lake")
    assert rows(there, "from signals order by all") == rows(here, "from signals order by all")
    assert rows(there, "select count(*) from internal.lake") == [(1,)]

    send(Path(tmp_path / "runs" / "a"), f"{bucket}/b")
    assert here.relocate(f"{other['s3a']}/a", f"{other['S3']}/b").found == 2
    assert rows(here, "select path from trace_files order by 1 limit 1") == [
        (first.replace("/a/", "/b/"),)
    ]
    with pytest.raises(UsageError, match="is the same folder as"):
        here.relocate(f"{bucket}/b", f"{other['s3a']}/b")
    assert str(place_of(f"{other['S3']}/run/")) == f"{bucket}/run"


def test_a_bucket_itself_is_no_object(bucket):
    assert look_at(bucket) is None
    assert look_at(f"{bucket}/") is None


def test_a_file_system_of_pyarrow_tells_one_time_of_a_file_however_it_is_asked(tmp_path):
    (tmp_path / "bucket").mkdir()
    for number in range(8):
        path = tmp_path / "bucket" / f"{number}"
        path.write_bytes(b"x")
        os.utime(path, ns=(0, 1_795_836_256_900_946_001 + number))
    objects.use_filesystem(
        "lab", pyarrow.fs.SubTreeFileSystem(str(tmp_path), pyarrow.fs.LocalFileSystem())
    )
    try:
        listed = objects.list_below("lab://bucket")

        assert [one.mtime_ns for one in listed] == [
            1_795_836_256_900_946_001 + number for number in range(8)
        ]
        assert [objects.look_at(one.url) for one in listed] == listed
        assert objects.look_at("lab://bucket") is objects.look_at("lab://bucket/none") is None
    finally:
        forget_connections()

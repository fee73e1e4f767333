"""What is said of an object is the same, however its store is asked; and what is no object."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.fs
import pytest

from catalog import objects
from catalog.errors import UsageError
from catalog.objects import look_at
from catalog.places import absolute
from s3 import forget_connections


def test_a_url_that_was_made_a_path_is_refused_and_no_folder_of_its_name_is_used():
    with pytest.raises(UsageError, match="s3:/bucket/lake was a URL before"):
        absolute(Path("s3://bucket/lake"))
    assert absolute("s3://bucket/lake/") == "s3://bucket/lake"


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

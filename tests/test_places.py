"""A folder and a URL are worked on in one way."""

from __future__ import annotations

import time
from threading import Lock

import pytest

from catalog import places
from catalog.errors import ObjectStoreError
from catalog.objects import folders_in, many_at_once, read


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    return str(tmp_path) if request.param == "folder" else request.getfixturevalue("bucket")


def test_what_is_written_is_listed_looked_at_and_read(place):
    places.write_bytes(f"{place}/a/b.bin", b"abc")

    (found,) = places.list_files(place)

    assert (found.place, found.size) == (f"{place}/a/b.bin", 3)
    assert places.look_at(found.place) == found
    assert places.read_bytes(found.place) == b"abc"
    with places.on_this_machine(found.place) as path, open(path, "rb") as file:
        assert file.read() == b"abc"


def test_what_is_removed_is_not_there_and_may_be_removed_again(place):
    places.write_bytes(f"{place}/x", b"")
    places.remove(f"{place}/x")
    places.remove(f"{place}/x")

    assert places.look_at(f"{place}/x") is None
    assert not places.exists(f"{place}/x")
    with pytest.raises(FileNotFoundError):
        places.read_bytes(f"{place}/x")


def test_of_many_places_those_where_something_is_are_told(tmp_path, bucket):
    there = {str(tmp_path / "a"), f"{bucket}/a"}
    for one in there:
        places.write_bytes(one, b"x")

    assert places.existing([*there, str(tmp_path / "b"), f"{bucket}/b"]) == there


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("s3://b/x/", "s3://b/x"),
        ("s3://b/x//y", "s3://b/x//y"),
        ("s3://b/../x", "s3://b/../x"),
        ("/a/../b/", "/b"),
        ("file:///a/b", "/a/b"),
    ],
)
def test_a_url_is_left_as_it_is_and_a_path_is_made_absolute(given, wanted):
    assert places.absolute(given) == wanted


def test_ranges_are_read_from_either_end(bucket):
    places.write_bytes(f"{bucket}/x", b"0123456789")

    assert read(f"{bucket}/x", 2, 5) == b"234"
    assert read(f"{bucket}/x", -3) == b"789"


def test_a_bucket_that_is_not_there_is_no_empty_one(bucket):
    for work in (places.list_files, folders_in):
        assert work(bucket) == []
    with pytest.raises(ObjectStoreError, match="There is no bucket"):
        places.list_files(f"{bucket}-not-there")
    with pytest.raises(ObjectStoreError, match="There is no bucket"):
        places.write_bytes(f"{bucket}-not-there/x", b"x")


def test_so_many_are_under_way_at_a_time_and_come_in_their_order():
    lock, under_way, most, begun = Lock(), 0, 0, 0

    def work(number: int) -> int:
        nonlocal under_way, most, begun
        with lock:
            under_way, begun = under_way + 1, begun + 1
            most = max(most, under_way)
        time.sleep(0.002 * (number % 3))
        with lock:
            under_way -= 1
        return number

    results = many_at_once(work, range(100), at_once=8)
    assert next(results) == 0
    time.sleep(0.1)
    # Results wait to be taken, and no more is begun meanwhile.
    assert begun <= 2 * 8 + 1
    assert list(results) == list(range(1, 100))
    assert 2 <= most <= 8


def test_an_exception_ends_what_was_not_begun():
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise ValueError("three")
        return number

    with pytest.raises(ValueError, match="three"):
        list(many_at_once(work, range(1000), at_once=2))
    assert len(begun) < 20

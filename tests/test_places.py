"""A folder and a URL are worked on in one way."""

from __future__ import annotations

from catalog import places


def test_what_is_written_to_a_url_is_listed_and_read(bucket):
    places.write_bytes(f"{bucket}/a/b.bin", b"abc")

    (found,) = places.list_files(bucket)

    assert (found.place, found.size) == (f"{bucket}/a/b.bin", 3)
    assert places.read_bytes(found.place) == b"abc"

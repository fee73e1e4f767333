"""A process that reads trace files for another one: lists of files in, what they hold out."""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Sequence
from functools import partial
from struct import Struct
from typing import IO

# This module and what it imports are kept small: a process is there when they are loaded.
from catalog.errors import ObjectStoreError
from catalog.objects import is_url, many_at_once
from catalog.register.files import FileToRead, Outcome, read_file

_LENGTH = Struct("<Q")


def main() -> None:
    """Answer until the other process closes its end, or is gone."""
    # Nothing that is made here is part of a cycle, and all of it is short-lived.
    gc.disable()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    send(target, b"ready")
    while (message := receive(source)) is not None:
        files, is_stated_enough = pickle.loads(message)  # noqa: S301 - from who started this
        found = _read(files, is_stated_enough=is_stated_enough)
        send(target, pickle.dumps(found, pickle.HIGHEST_PROTOCOL))


def _read(
    files: Sequence[FileToRead], *, is_stated_enough: bool
) -> list[Outcome] | ObjectStoreError:
    """Return what the files hold; what keeps a store from being read is told, not raised."""
    if not is_url(files[0].folder):
        return [read_file(file) for file in files]
    # What speaks with a store leaves cycles behind.
    gc.enable()
    try:
        return list(many_at_once(partial(read_file, is_stated_enough=is_stated_enough), files))
    except ObjectStoreError as error:
        return ObjectStoreError(str(error), hint=error.hint)


def send(target: IO[bytes], message: bytes) -> None:
    """Write a message behind its length."""
    target.write(_LENGTH.pack(len(message)) + message)
    target.flush()


def receive(source: IO[bytes]) -> bytes | None:
    """Read a message, None where the other process has closed its end or is gone."""
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = source.read(length)
    return message if len(message) == length else None


if __name__ == "__main__":
    main()

"""A process that reads trace files for another one: lists of files in, what they hold out."""

from __future__ import annotations

import gc
import pickle
import sys
from struct import Struct
from typing import IO

# This module and what it imports are kept small: a process is there when they are loaded.
from catalog.register.files import FileToRead, read_file

_LENGTH = Struct("<Q")


def main() -> None:
    """Answer until the other process closes its end, or is gone."""
    # Nothing that is made here is part of a cycle, and all of it is short-lived.
    gc.disable()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    send(target, b"ready")
    while (message := receive(source)) is not None:
        files: list[FileToRead] = pickle.loads(message)  # noqa: S301 - from who started this
        send(target, pickle.dumps([read_file(file) for file in files], pickle.HIGHEST_PROTOCOL))


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

"""
What is wrong with a file that is not as it was: which page, or what it says now.

    python -m catalog.verify.describe

A damaged file can end the process that reads it, so that it is read in one of its own.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from catalog.errors import TraceFileError
from catalog.register.reader import receive, send
from catalog.traces.read import read_trace_file
from catalog.traces.source import UNREADABLE, close_source, open_source
from catalog.traces.trace_file import TraceFile

CRASHES = "reading it ends the program"


@dataclass(frozen=True, slots=True)
class Described:
    """What a file holds, None where it cannot be read; then why not, and where the damage is."""

    trace: TraceFile | None
    detail: str = ""


def describe(path: str, kind: str | None) -> Described:
    """Read a file as `register` does; where that fails, say where it is damaged."""
    try:
        return Described(read_trace_file(path, kind_hint=kind))
    except TraceFileError as error:
        reason = error.reason
    columns = _damaged_columns(path)
    if columns is None:
        return Described(None, f"{reason}: its footer cannot be read")
    if columns:
        return Described(None, f"{reason}: a page of {', '.join(columns)}")
    return Described(None, reason)


def _damaged_columns(path: str) -> list[str] | None:
    """Return the columns that cannot be read, None where not even the footer can."""
    try:
        source = open_source(path)
    except UNREADABLE:
        return None
    damaged = []
    try:
        for leaf in range(source.reader.metadata.num_columns):
            try:
                source.reader.read_column(leaf)
            except UNREADABLE:
                damaged.append(source.reader.metadata.schema.column(leaf).path)
    finally:
        with suppress(TraceFileError):
            close_source(source)
    return damaged


def describe_all(files: Iterable[tuple[str, str | None]]) -> Iterator[Described]:
    """
    Yield what is wrong with each of some files, in their order.

    Args:
        files: absolute paths, each with the kind that its folder stands for.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        for file in files:
            process = process or _start()
            answer = _ask(process, file)
            if answer is None:
                _end(process)
                process = None
            yield answer or Described(None, CRASHES)
    finally:
        if process is not None:
            _end(process)


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "catalog.verify.describe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _ask(process: subprocess.Popen[bytes], file: tuple[str, str | None]) -> Described | None:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
    try:
        send(process.stdin, pickle.dumps(file))
    except OSError:
        return None
    answer = receive(process.stdout)
    # A class of this module would come back as one of the other process's __main__.
    return None if answer is None else Described(*pickle.loads(answer))  # noqa: S301 - our own


def _end(process: subprocess.Popen[bytes]) -> None:
    process.communicate()


def main() -> None:
    """Answer until the other process closes its end, or is gone."""
    while (message := receive(sys.stdin.buffer)) is not None:
        path, kind = pickle.loads(message)  # noqa: S301 - from who started this
        described = describe(path, kind)
        send(sys.stdout.buffer, pickle.dumps((described.trace, described.detail)))


if __name__ == "__main__":
    main()

"""Reading over processes finds what reading here finds, whatever a file does to its reader."""

from __future__ import annotations

import os
import signal

import pytest

from catalog.register import reading
from catalog.register.files import FileToRead, Problem, read_file
from catalog.register.reading import read_files
from catalog.register.walk import Stamp
from conftest import old_trace


@pytest.fixture
def files(tmp_path):
    """Some hundred good files and a bad one among them."""
    folder = tmp_path / "signals"
    for number in range(200):
        old_trace(folder / f"{number:03}.parquet", [1, 0, number])
    (folder / "100.parquet").write_bytes(b"no parquet at all")
    return [
        FileToRead(str(folder), path.name, "signal", Stamp(path.stat().st_size, 1))
        for path in sorted(folder.iterdir())
    ]


def test_processes_find_what_this_one_finds_in_the_same_order(files, monkeypatch):
    monkeypatch.setattr(reading, "WORTHWHILE", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)

    outcomes = list(read_files(files, here=len(files)))

    assert outcomes == [read_file(file) for file in files]
    assert isinstance(outcomes[100], Problem)


def test_a_file_that_kills_its_reader_is_a_problem_and_the_others_are_read(files, monkeypatch):
    monkeypatch.setattr(reading, "WORTHWHILE", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    ask = reading._Readers._ask

    def kill_at_number_50(readers, process, piece):
        if any(file.name == "050.parquet" for file in piece):
            process.send_signal(signal.SIGKILL)
            process.wait()
        return ask(readers, process, piece)

    monkeypatch.setattr(reading._Readers, "_ask", kill_at_number_50)

    outcomes = list(read_files(files, here=len(files)))

    problems = {number: one for number, one in enumerate(outcomes) if isinstance(one, Problem)}
    assert problems.keys() == {50, 100}
    assert problems[50].reason == "crashes the reader"


def test_no_process_is_left_when_the_reading_stops_half_way(files, monkeypatch):
    monkeypatch.setattr(reading, "WORTHWHILE", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    started = []
    start = reading._start
    monkeypatch.setattr(reading, "_start", lambda: started.append(start()) or started[-1])

    outcomes = read_files(files, here=len(files))
    next(outcomes)
    outcomes.close()

    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_a_reader_that_cannot_start_is_a_bug_and_no_bad_file(files, monkeypatch):
    monkeypatch.setattr(reading, "WORTHWHILE", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr("sys.executable", "/bin/false")

    with pytest.raises(RuntimeError, match="did not start"):
        list(read_files(files, here=len(files)))

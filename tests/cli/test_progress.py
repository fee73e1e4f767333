"""How far a command is: shown in a terminal, where it takes long, and not with --quiet."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from catalog import Catalog
from catalog.cli import main
from catalog.cli.main import COMMANDS
from catalog.cli.progress import Progress, duration, rate
from markets import add_prices, copied, price_table, random_signals, write_strategies

PROGRAM = """
import time
import catalog.cli.progress as progress
from catalog.cli import main
progress.PATIENCE = 0.05
report = progress.Progress.__call__
def slowly(self, done, total):
    report(self, done, total)
    time.sleep(0.3)
progress.Progress.__call__ = slowly
main()
"""
"""The command line, on a disk so slow that whoever watches is told how far it is."""

BAR = r"reading traces .*━.* 64 of 130  +\d[\d,.]*/(s|min)  \d:\d\d left"
SPINNER = r"asking +[-\\|/] +\d:\d\d"
QUERY = "select sum(hash(range)) as total from range(100_000_000)"
STRATEGY = """
def positions(config, bars):
    return [float(config["parameters"]["held"])] * bars.num_rows
"""
GRID = "strategies: [{type: held, params: {held: [0, 1]}}]\nsymbols: [SPY]\ntimeframes: [1m]\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> list[str]:
    """How the program is started. Of one without a file DuckDB thinks that a person types it."""
    file = tmp_path_factory.mktemp("program") / "slow_catalog.py"
    file.write_text(PROGRAM)
    return [sys.executable, str(file)]


def in_terminal(program: list[str], *words: str, answer: str | None = None) -> tuple[str, str, int]:
    """Run a command whose stderr, and stdin if it asks, are a terminal: stdout, stderr, status."""
    ours, theirs = pty.openpty()
    asks = answer is not None
    child = subprocess.Popen(
        [*program, *words],
        stdin=theirs if asks else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    said = b""
    try:
        while True:
            # Who asks says nothing more until he has an answer.
            quiet_for = 0.5 if asks and b"[y/N]" in said else 60
            if not select.select([ours], [], [], quiet_for)[0]:
                assert asks, f"nothing was said for a minute after {said!r}"
                os.write(ours, f"{answer}\n".encode())
                asks, said = False, said + b"<answered>"
                continue
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says so where nobody has the other end any more.
                break
            if not part:
                break
            said += part
        out = child.communicate(timeout=60)[0]
    finally:
        child.kill()
        os.close(ours)
    return out.decode(), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode()), child.returncode


@pytest.fixture
def many(write_run) -> Path:
    """A run of 130 traces: a registration says how far it is after 64 and 128."""
    return write_run(traces={f"SPY_sma_grid_{n}_20": [1, 0, -1] for n in range(130)})


def test_in_a_terminal_a_bar_with_rate_and_remaining_time_appears(program, many, tmp_path):
    words = ("register", str(many), "--catalog", str(tmp_path / "c.duckdb"))
    out, said, status = in_terminal(program, *words)

    assert status == 0, said
    assert re.search(BAR, said), said
    assert "130 of 130" in said
    assert "\nregistered 130 traces" in said.replace("\r", "\n")
    assert out == ""


def test_quiet_shows_no_bar_and_says_the_same_otherwise(program, many, tmp_path):
    words = ("register", str(many), "--catalog", str(tmp_path / "c.duckdb"), "--quiet")
    _, said, status = in_terminal(program, *words)

    assert status == 0
    assert said.startswith("registered 130 traces")


def test_without_a_terminal_there_is_no_bar(program, many, tmp_path):
    words = ["register", str(many), "--catalog", str(tmp_path / "c.duckdb")]
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=True)

    assert done.stderr.startswith("registered 130 traces")
    assert "\x1b" not in done.stderr
    assert done.stdout == ""


def test_where_nothing_can_be_counted_a_spinner_with_the_elapsed_time_appears(
    program, catalog, write_run
):
    catalog.register(write_run())

    words = ("sql", QUERY, "--format", "csv", "--catalog", str(catalog.path))
    out, said, status = in_terminal(program, *words)

    assert status == 0, said
    assert re.search(SPINNER, said), said
    assert len(out.splitlines()) == 2
    assert "asking" not in out


def test_nothing_moves_while_a_question_waits_for_its_answer(program, catalog, write_run):
    catalog.register(write_run())

    words = ("forget", "--where", "true", "--delete-files", "--catalog", str(catalog.path))
    _, said, status = in_terminal(program, *words, answer="n")

    assert status == 1
    assert re.search(r"Forget them, and delete the files\? \[y/N\]: <answered>", said), said
    assert catalog.sql("from trace_files").fetchall()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Catalog:
    """A catalog with figures, beside all that the commands of COMMANDS_TRIED are given."""
    home = tmp_path_factory.mktemp("made") / "home"
    home.mkdir()
    made = Catalog(home / "catalog.duckdb")
    table = price_table(sessions=90, per_session=4)
    for run, seed in (("one", 0), ("two", 1)):
        write_strategies(made, random_signals(360, 4, changes=50, seed=seed), table, run=run)
    add_prices(made, table)
    made.metrics()
    made.publish(home / "lake")
    pq.write_table(table, home / "SPY.parquet")
    (home / "grid.yaml").write_text(GRID)
    (home / "held_strategy.py").write_text(STRATEGY)
    return made


COMMANDS_TRIED = [
    "register runs",
    "metrics --cost-bps 1",
    "compact",
    "unpack",
    "publish elsewhere",
    "open lake",
    "merge other.duckdb",
    "bundle some.zip",
    "backup kept",
    "vacuum",
    "rebuild --no-metrics",
    "relocate",
    "sweep run grid.yaml --strategy held_strategy:positions --workers 1",
    "sweep status grid.yaml",
    "sweep missing grid.yaml",
    "upgrade runs --output new",
    "report one -o one.html",
    "notebook one -o one.ipynb",
    "verify",
    "rank --pbo",
    "correlate",
    "plot correlation -o picture.svg",
    "export index.parquet",
    "sql from_runs",
    "forget --run one --delete-files --yes",
    "repaint",
    "duplicates",
    "changed",
    "find --like SPY_sma_0_0 --by behaviour",
    "diff SPY_sma_0_0 SPY_sma_1_0",
    "runs diff one two",
    "prices add SPY.parquet --symbol QQQ --timeframe 1m --tz America/New_York",
]
QUICK = {
    "info", "show", "runs", "tag", "lineage", "prices", "prices list", "sweep", "ui",
    "completion",
}  # fmt: skip
"""What takes no two seconds, or runs until it is stopped."""


@pytest.mark.parametrize("line", COMMANDS_TRIED)
def test_what_may_take_long_shows_how_far_it_is_unless_it_is_to_be_quiet(
    line, made, tmp_path, monkeypatch
):
    catalog = copied(made, tmp_path)
    monkeypatch.chdir(catalog.path.parent)
    (tmp_path / "home" / "other.duckdb").write_bytes(catalog.path.read_bytes())
    words = [word.replace("from_runs", "from runs") for word in line.split()]

    # Whoever begins to show something is known by that, and need not do the work.
    monkeypatch.setattr("catalog.cli.progress._is_terminal", lambda: True)
    monkeypatch.setattr(Progress, "shown", begin)
    loud = CliRunner().invoke(main, words)
    quiet = CliRunner().invoke(main, [*words, "--quiet"])

    assert isinstance(loud.exception, BegunError), loud.output
    assert quiet.exit_code in (0, 3), quiet.output
    assert not isinstance(quiet.exception, BegunError)


class BegunError(Exception):
    pass


def begin(progress: Progress) -> None:
    raise BegunError


@pytest.mark.parametrize(
    ("work", "steps"),
    [
        (lambda catalog, tell: catalog.unpack(to="out", progress=tell), 8),
        (lambda catalog, tell: catalog.backup("kept", progress=tell), None),
        (lambda catalog, tell: catalog.forget(run="one", delete_files=True, progress=tell), 4),
        (lambda catalog, tell: catalog.repaint(progress=tell), 4),
        (lambda catalog, tell: catalog.rank(pbo=True, progress=tell), 12_870),
    ],
    ids=["unpack", "backup", "forget", "repaint", "rank"],
)
def test_what_can_be_counted_is_counted_to_its_end(work, steps, made, tmp_path, monkeypatch):
    catalog = copied(made, tmp_path)
    catalog.compact()
    monkeypatch.chdir(tmp_path)
    told: list[tuple[int, int]] = []
    if steps is None:
        large = ("packs", "prices", "returns")
        beside = catalog.path.parent / "catalog.d"
        steps = sum(len(list((beside / name).glob("[!.]*"))) for name in large)

    work(catalog, lambda done, total: told.append((done, total)))

    assert told[-1] == (steps, steps)
    assert told == sorted(told)
    assert {total for _, total in told} == {steps}


def test_every_command_has_quiet_or_is_known_to_be_quick():
    def commands(group: click.Group, ctx: click.Context, before: str = ""):
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            assert command is not None
            yield before + name, command
            if isinstance(command, click.Group):
                yield from commands(command, ctx, f"{before}{name} ")

    with click.Context(main) as ctx:
        without = {
            name
            for name, command in commands(main, ctx)
            if all("--quiet" not in one.opts for one in command.params)
        }
        assert set(COMMANDS) <= {name for name, _ in commands(main, ctx)}

    assert without <= QUICK


def test_a_terminal_that_writes_over_nothing_gets_lines(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("rich.console.Console.is_dumb_terminal", True)
    monkeypatch.setattr("catalog.cli.progress.PATIENCE", 0.01)
    monkeypatch.setattr("catalog.cli.progress._SECONDS", 0.05)

    progress = Progress("reading")
    with progress.shown():
        progress(0, 10)
        progress(3, 10)
        time.sleep(0.4)
    said = capsys.readouterr().err.splitlines()
    time.sleep(0.2)

    assert len(said) > 2 and all(line.startswith("reading  ") for line in said)
    assert "3 of 10" in said[-1]
    assert capsys.readouterr().err == ""


def test_a_rate_counts_from_where_counting_began(monkeypatch):
    now = iter((0.0, 100.0, 100.0, 102.0, 102.0, 104.0))
    monkeypatch.setattr("catalog.cli.progress.time.monotonic", lambda: next(now))
    progress = Progress("reading")

    progress(0, 100)
    progress(50, 100)

    assert "25/s" in progress._figures(102.0)


@pytest.mark.parametrize(
    ("a_second", "said"),
    [(1234.5, "1,234/s"), (10, "10/s"), (2.54, "2.5/s"), (0.2, "12/min"), (0.001, "3.6/h")],
)
def test_a_rate_is_said_in_the_unit_that_has_figures(a_second, said):
    assert rate(a_second) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0:00"), (9, "0:09"), (75, "1:15"), (3723, "1:02:03")]
)
def test_a_time_is_said_in_minutes_and_seconds(seconds, said):
    assert duration(seconds) == said


def test_the_next_part_of_the_work_has_a_rate_of_its_own(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = Progress("making")
    now = 110.0
    progress(1000, 1000)
    assert progress._figures(now) == "1,000 of 1,000  100/s  0:10 so far"
    now = 120.0
    progress(50, 200)

    assert progress._figures(now) == "50 of 200  5.0/s  0:30 left"
    assert progress._figures(125.0) == "50 of 200  5.0/s  0:25 left"


def test_the_time_in_which_somebody_thinks_is_not_that_of_the_work(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = Progress("forgetting")
    with progress.paused():
        now = 1000.0
    now = 1010.0
    progress(10, 20)

    assert progress._figures(now) == "10 of 20  1.0/s  0:10 left"

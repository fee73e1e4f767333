"""The parts of the benchmark of queries: what is measured beside what, and the figures."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import measure, say
from query_data import Home, count_parameters, make_home, make_wide
from query_peers import make_iceberg, make_lake, make_lake_python
from query_questions import make_questions
from report import Figure, Run

SLOW_SIDE_SECONDS = 30.0
"""What a side takes for all questions at most, to be measured again."""
GLOB_FILES = 100_000

WIDE_QUESTION = "select count(*) from strategies where param_period = 20 and param_std_dev = 2.0"

Answers = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    files: int
    rounds: int
    repetitions: int
    strategies: int
    parameters: int
    lake_python: Path | None
    without: list[str]


@dataclass(frozen=True)
class Asked:
    """What one part found: for each side the seconds that each question took, and the figures."""

    name: str
    about: str
    sides: dict[str, dict[str, list[float]]]
    figures: list[Figure]


def traces(settings: Settings, home: Home) -> Asked:
    """Ask for one trace, some, those of parameters and all, each side in its own way."""
    files = make_home(home, settings.files)
    glob = f"{home.runs}/**/signals/*/*.parquet"
    home.peers.mkdir(exist_ok=True)
    questions = home.peers / "questions.json"
    questions.write_text(json.dumps(make_questions(home.loose, home.runs)))
    loose, packed = {"catalog": home.loose}, {"catalog": home.packed}
    sides: dict[str, tuple[str, dict[str, Any]]] = {
        "naive glob": ("query_sides:naive", {"glob": glob}),
        "Catalog.sql": ("query_sides:whole", loose),
        "planner, open": ("query_sides:planned", loose),
        "of that: planning": ("query_sides:planning", loose),
        "bound list, open": ("query_sides:listed", loose),
        "open + bound list": ("query_sides:listed_whole", loose),
        "packs: Catalog.sql": ("query_sides:whole", packed),
        "packs: planner, open": ("query_sides:planned", packed),
        "packs: plain DuckDB": ("query_sides:plain", packed),
    }
    if "ducklake" not in settings.without:
        python = make_lake_python(settings.lake_python or home.peers / "lake_python")
        sides["DuckLake"] = ("query_lake:ask", make_lake(home, python, glob, files))
    if "iceberg" not in settings.without:
        sides["pyiceberg"] = ("query_iceberg:ask", make_iceberg(home, files))
    more: dict[str, Any] = {
        "questions": questions,
        "repetitions": settings.repetitions,
        "files": files,
    }

    def ask(side: str) -> Answers:
        function, arguments = sides[side]
        run: Run = measure(function, expect=files, **arguments, **more)
        answers: Answers = run["answers"]
        return answers

    found = _in_turn(settings.rounds, sides, ask)
    sizes = _bytes(home.runs) / _bytes(home.packs)
    # What is promised beside a glob is promised of many files.
    is_promised = files >= GLOB_FILES
    figures = [*_figures(found, is_promised), *_packs(found, sizes, is_promised)]
    return Asked("traces", f"{files:,} traces", found, figures)


def _in_turn(
    rounds: int, sides: dict[str, Any], ask: Callable[[str], Answers]
) -> dict[str, dict[str, list[float]]]:
    """Ask all sides in turn, every other time in reverse, and see that they answer alike."""
    found: dict[str, dict[str, list[float]]] = {side: {} for side in sides}
    right: dict[str, Any] = {}
    slow = set()
    for number in range(rounds):
        for side in list(sides) if number % 2 == 0 else reversed(sides):
            if side in slow:
                continue
            answers = ask(side)
            for question, answer in answers.items():
                found[side].setdefault(question, []).extend(answer["seconds"])
                if answer["rows"] and right.setdefault(question, answer["rows"]) != answer["rows"]:
                    raise SystemExit(f"{side} answers {question!r} otherwise than the first side")
            took = sum(sum(answer["seconds"]) for answer in answers.values())
            say(f"{number + 1} of {rounds}: {side}, {took:.1f} s")
            if took > SLOW_SIDE_SECONDS:
                slow.add(side)
    return found


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _figures(found: dict[str, dict[str, list[float]]], is_promised: bool) -> list[Figure]:
    naive, whole, planned, listed = (
        found[side] for side in ("naive glob", "Catalog.sql", "planner, open", "bound list, open")
    )
    figures = [
        Figure(
            f"{name}: (planner - 10 ms) / bound list",
            (median(planned, name) - 0.01) / median(listed, name), most=2,
        )
        for name in ("1 trace", "20 traces")
    ]  # fmt: skip
    figures += [
        Figure(f"{name}: planner / bound list", median(planned, name) / median(listed, name), most)
        for name, most in {"300 traces": None, "parameters": 2.0, "top 20": None}.items()
    ]
    opened = found["open + bound list"]
    figures += [
        Figure(
            f"{name}: Catalog.sql / (open + bound list)", median(whole, name) / median(opened, name)
        )
        for name in opened
    ]
    figures += [
        Figure(
            f"{name}: naive glob / {side}",
            median(naive, name) / median(taken, name),
            least=1000 if is_promised else None,
        )
        for name in ("1 trace", "20 traces", "300 traces", "parameters", "top 20", "last signals")
        for side, taken in {"planner": planned, "Catalog.sql": whole}.items()
    ]
    for peer in ("DuckLake", "pyiceberg"):
        figures += [
            Figure(
                f"{name}: {peer} / planner", median(taken, name) / median(planned, name), least=1
            )
            for taken in (found.get(peer, {}),)
            for name in taken
            if name in planned
        ]
    return figures


def _packs(
    found: dict[str, dict[str, list[float]]], sizes: float, is_promised: bool
) -> list[Figure]:
    naive, packs = found["naive glob"], found["packs: Catalog.sql"]
    plain, name = found["packs: plain DuckDB"], "aggregate"
    return [
        Figure("bytes of files / (packs + companions)", sizes, least=8),
        Figure(
            f"{name}: naive glob / Catalog.sql on packs",
            median(naive, name) / median(packs, name), least=200 if is_promised else None,
        ),
        Figure(
            f"{name}: naive glob / plain DuckDB on packs",
            median(naive, name) / median(plain, name), least=200 if is_promised else None,
        ),
        Figure("1 trace from packs in plain DuckDB, ms", 1e3 * median(plain, "1 trace"), most=20),
    ]  # fmt: skip


def wide(settings: Settings, home: Home) -> Asked:
    """Filter very many strategies by parameters, and plan where there are 500 parameters."""
    many = make_wide(
        home.wide(settings.strategies, settings.parameters),
        settings.strategies, settings.parameters,
    )  # fmt: skip
    wider = make_wide(home.wide(1_000, 500), 1_000, 500)
    found: dict[str, dict[str, list[float]]] = {}
    about = []
    for catalog, question, side in (
        (many, WIDE_QUESTION, "plain"),
        (many, WIDE_QUESTION, "planned"),
        (many, WIDE_QUESTION, "whole"),
        (wider, _ONE_OF_PARAMETERS, "planning"),
        (wider, _ONE_OF_PARAMETERS, "planned"),
        (wider, _ONE_OF_PARAMETERS, "whole"),
    ):
        count = settings.strategies if catalog == many else 1_000
        questions = catalog.with_name("questions.json")
        questions.write_text(json.dumps({"question": {"catalog": question}}))
        seconds = []
        for _ in range(settings.rounds):
            run = measure(
                f"query_sides:{side}", expect=count, catalog=catalog, questions=questions,
                repetitions=settings.repetitions, files=count,
            )  # fmt: skip
            seconds += run["answers"]["question"]["seconds"]
        columns = count_parameters(catalog)
        about.append(f"{count:,} strategies with {columns} parameter columns: {question}")
        found[f"{side}, {columns} columns"] = {"question": seconds}
    filtered, _, _, planned, *_ = found.values()
    return Asked(
        "wide",
        "; ".join(dict.fromkeys(about)),
        found,
        [
            Figure("the filter in plain DuckDB, ms", 1e3 * median(filtered, "question"), most=5),
            Figure("planning with 500 parameters, ms", 1e3 * median(planned, "question")),
        ],
    )


_ONE_OF_PARAMETERS = (
    "select count(*), sum(val) from signals join strategies as s using (strategy_hash) "
    "where s.param_t3_4 = 3 and s.param_period = 28"
)


def median(side: dict[str, list[float]], question: str) -> float:
    """Return the median of what one question took, in seconds."""
    return statistics.median(side[question])


def print_asked(asked: Asked) -> None:
    """Print a table with a line a side and a column a question, in ms, and the figures."""
    names = list(dict.fromkeys(name for side in asked.sides.values() for name in side))
    print(f"\n{asked.name}: {asked.about}; medians in ms")
    print(f"  {'':24}" + "".join(f"{name:>14}" for name in names))
    for side, questions in asked.sides.items():
        cells = (f"{1e3 * median(questions, n):,.2f}" if n in questions else "-" for n in names)
        print(f"  {side:24}" + "".join(f"{cell:>14}" for cell in cells))
    for figure in asked.figures:
        print(f"  {figure}")


PARTS = {part.__name__: part for part in (traces, wide)}

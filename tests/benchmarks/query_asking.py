"""Ask one side all questions, some times each, and keep what it answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

SLOW_SECONDS = 1.0

Question = dict[str, Any]
Rows = list[tuple[Any, ...]]


def ask_all(
    questions: str, side: str, repetitions: int, files: int, ask: Callable[[Question], Rows]
) -> dict[str, Any]:
    """
    Ask the questions that the side has words for; each first once without counting it.

    What takes more than a second the first time is not asked again: that time counts.
    """
    answers = {}
    for name, question in json.loads(Path(questions).read_text()).items():
        if side not in question:
            continue
        seconds = []
        for repetition in range(repetitions + 1):
            before = perf_counter()
            rows = ask(question)
            took = perf_counter() - before
            if repetition or took > SLOW_SECONDS:
                seconds.append(took)
            if took > SLOW_SECONDS:
                break
        answers[name] = {"seconds": seconds, "rows": sorted(_plain(row) for row in rows)}
    return {"files": files, "answers": answers}


def _plain(row: tuple[Any, ...]) -> list[Any]:
    """Return the values as JSON has them, and numbers alike whatever their type."""
    return [float(value) if isinstance(value, int | Decimal) else value for value in row]

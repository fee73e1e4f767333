"""Sail answers over the real traces what DuckDB answers: the lake against the catalog itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest

from catalog.errors import QueryError
from spark.answers import assert_equal
from spark.conftest import Published, asking
from spark.questions import QUESTIONS, REFUSED, Question


@pytest.fixture(scope="module")
def ask(real: Published, sail: str) -> Iterator[Callable[[Question], pa.Table]]:
    """Ask the real lake through Sail."""
    with asking(sail, real) as made:
        yield made


@pytest.mark.parametrize("name", QUESTIONS)
def test_sail_answers_what_the_catalog_answers(real, ask, name):
    wanted = QUESTIONS[name].answer(real.catalog)

    found = ask(QUESTIONS[name])

    assert_equal(found, wanted)
    assert found.num_rows or name in ("all of tags", "all of daily_returns_next_open")


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_equal_in_spark_is_refused_by_its_name(real, ask, name):
    with pytest.raises(QueryError, match=f"(?i){name}"):
        ask(REFUSED[name])

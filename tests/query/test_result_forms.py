"""Rows as other libraries have them, and what is said where such a library is missing."""

from __future__ import annotations

import sys

import pyarrow as pa
import pytest

from catalog.errors import UsageError
from catalog.query.result import Result

ROWS = Result(pa.table({"n": [1, 2]}), ("BIGINT",))


def test_rows_become_data_frames():
    assert ROWS.df()["n"].tolist() == [1, 2]
    assert ROWS.pl()["n"].to_list() == [1, 2]


@pytest.mark.parametrize(("form", "library"), [("df", "pandas"), ("pl", "polars")])
def test_a_library_that_is_missing_is_named(monkeypatch, form, library):
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(UsageError, match=f"needs {library}") as told:
        getattr(ROWS, form)()
    assert told.value.hint == f"pip install {library}"

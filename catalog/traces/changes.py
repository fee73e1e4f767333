"""The changes of a signal or classifier file: put in bar order, checked, counted and digested."""

from __future__ import annotations

from typing import Final

from catalog.errors import TraceFileError
from catalog.traces.content import RowsDigest
from catalog.traces.format import SIGNAL
from catalog.traces.rows import Rows
from catalog.traces.table import Table

FEW: Final = 128
"""For so many rows a loop is faster than numpy, whose calls then cost more than the rows do."""


def read_changes(table: Table, kind: str, first_index: int) -> Rows:
    """
    Read the changes of a signal or classifier file whose bar 0 has the index `first_index`.

    Raises:
        TraceFileError: an index or a value is null, a value is not finite, a bar is negative or
            there twice, or a file too long to sort is not in bar order.
    """
    rows, digest = Rows(), RowsDigest(kind)
    for idx, val in table.pieces("idx", "val"):
        if val.null_count:
            raise TraceFileError("null val", f"val is null in {val.null_count:,} rows")
        if kind != SIGNAL:
            count_states(rows, digest, *in_bar_order())
        elif len(idx) <= FEW:
            ...
    rows.digest = digest.hexdigest()
    return rows

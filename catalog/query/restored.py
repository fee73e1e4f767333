"""Trace files that are in a pack only, written out again for as long as a query runs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from catalog.traces.unpack import restore


class Restored:
    """
    A folder that lives as long as a `with` block, for traces out of packs.

    It is made at the beginning: afterwards the connection may read no other folder.
    """

    def __init__(self, *, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        self._stack = ExitStack()
        self.folder: Path | None = None

    def __enter__(self) -> Restored:
        if self._is_wanted:
            made = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="catalog-"))
            self.folder = Path(made)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def write(self, traces: Sequence[tuple[str, str]]) -> dict[str, Path]:
        """
        Write traces as files and return them by trace_id.

        Args:
            traces: the path of the pack, and the trace_id.
        """
        assert self.folder is not None  # noqa: S101 - a query that reads laterally wants it
        return restore(traces, self.folder)

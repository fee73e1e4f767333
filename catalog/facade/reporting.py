"""Share what a catalog says: reports in one file, and notebooks to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.reports.notebook import Notebook
    from catalog.reports.report import Report


class Reporting(Located):
    """Share what a catalog says: reports in one file, and notebooks to go on from."""

    def notebook(
        self, run: PathLike, path: PathLike | None = None, *, overwrite: bool = False
    ) -> Notebook:
        """
        Write a Jupyter notebook about a run: paths, queries and plots filled in, to go on from.

        It finds the catalog from where it lies; one that is far from it by its absolute path.

        Args:
            run: its run_id, the beginning or end of that, its name or its folder.
            path: ends in .ipynb; the run's id in the working folder unless given.
            overwrite: a file that is there already may be written over.

        Raises:
            UsageError: the file is there already, its name ends in something else, or the extra
                `notebook` is not installed.
            QueryError: nothing, or more than one run, goes by that name.
            StoreError: the catalog cannot be used, or the file cannot be written.
        """
        from catalog.places import as_text
        from catalog.reports.notebook import write_notebook

        target = None if path is None else Path(path)
        return write_notebook(self.path, as_text(run), target, overwrite=overwrite)

    def report(
        self,
        selection: str | Sequence[str],
        path: PathLike,
        *,
        where: str | None = None,
        top: int | None = None,
        overwrite: bool = False,
    ) -> Report:
        """
        Write a report on a run or on strategies: one HTML file, which needs nothing else.

        Args:
            selection: a run, by its run_id, a name or its folder; else up to ten strategies or
                traces, as for `plot`.
            path: ends in .html.
            where: only strategies that meet a condition on `strategy_index`.
            top: so many strategies at most, the best by Sharpe ratio.
            overwrite: a file that is there already may be written over.

        Raises:
            UsageError: the file is there already, its name ends in something else, more is meant
                than there is room for, or the extra `report` is not installed.
            QueryError: nothing, or more than one thing, goes by a name.
            StoreError: the catalog cannot be used, or the file cannot be written.
        """
        from catalog.reports.report import write_report

        names = (selection,) if isinstance(selection, str) else tuple(selection)
        return write_report(self.path, names, Path(path), where=where, top=top, overwrite=overwrite)

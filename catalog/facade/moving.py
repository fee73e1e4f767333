"""Move what the catalog knows, hand some of it on, forget it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from catalog.facade.located import Located, PathLike
from catalog.upkeep.bundle import Bundle, bundle
from catalog.upkeep.relocate import Relocation, relocate


class Moving(Located):
    """Move what the catalog knows, hand some of it on, forget it."""

    def relocate(
        self,
        old: PathLike | None = None,
        new: PathLike | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Relocation:
        """
        Let the catalog know that traces are in another folder now, or where it is itself.

        Traces keep their ids, and nothing is registered anew. Files of another time of change are
        compared by their bytes; those that are not there are missing from then on.

        Args:
            old: the folder as it was called; it need not exist. Without it, the catalog's own
                folder was moved or copied, with what lies below it.
            new: the folder that it is now.
            progress: called with how many files were looked for, and how many there are.

        Raises:
            UsageError: nothing is known in the one folder, or nothing of it is in the other.
            StoreError: the catalog cannot be used.
        """
        return relocate(self.path, old, new, **({} if progress is None else {"progress": progress}))

    def bundle(
        self,
        path: PathLike,
        *,
        where: str | None = None,
        run: str | None = None,
        prices: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Bundle:
        """
        Bundle traces for a colleague: their files, an index and a small catalog of their own.

        Whoever registers the bundle gets the same trace ids, runs, hashes and configurations.

        Args:
            path: of a folder, or of an archive where it ends in `.zip`. It appears whole.
            where: only signal traces that meet a condition on the columns of `strategy_index`.
            run: only the traces of this run, of every kind.
            prices: also the price series of their symbols.
            progress: called with how many files were put in, and how many there are.

        Raises:
            UsageError: there is something of that name.
            QueryError: the condition is none, nothing meets it, or no file of it is there.
            StoreError: the catalog cannot be used.
            CatalogError: the bundle cannot be written.
        """
        return bundle(
            self.path,
            Path(path),
            where=where,
            run=run,
            prices=prices,
            **({} if progress is None else {"progress": progress}),
        )

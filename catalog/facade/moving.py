"""Move what the catalog knows, hand some of it on, forget it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.upkeep.bundle import Bundle
    from catalog.upkeep.forget import Forgetting
    from catalog.upkeep.relocation import Relocation


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

        Either folder may be a URL, for traces that were copied into a store or out of it.

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
        from catalog.upkeep.relocate import relocate

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
        from catalog.upkeep.bundle import bundle

        return bundle(
            self.path,
            Path(path),
            where=where,
            run=run,
            prices=prices,
            **({} if progress is None else {"progress": progress}),
        )

    def forget(
        self,
        *references: PathLike,
        run: str | None = None,
        where: str | None = None,
        missing: bool = False,
        delete_files: bool = False,
        dry_run: bool = False,
        confirm: Callable[[Forgetting], bool] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Forgetting:
        """
        Forget traces: their rows and figures. Their files stay, unless they are to be deleted.

        A file that stays is passed over by `register` as long as it is unchanged, unless that is
        called with `forgotten=True`. How many strategies were tried is not forgotten.

        Args:
            references: a trace's id or path, or what `show` takes for a strategy: all its traces.
            run: only the traces of this run, of every kind.
            where: only signal traces that meet a condition on the columns of `strategy_index`.
            missing: only those whose files are gone.
            delete_files: delete their files too, and what packs hold of them.
            dry_run: say what would be forgotten, and change nothing.
            confirm: called with what would be forgotten; nothing is, where it returns False.
            progress: called with how many files were deleted, and how many are to be.

        Raises:
            UsageError: nothing is named, or traces that are in packs only would be lost.
            QueryError: a reference or the condition is none, or nothing is meant by all of them.
            StoreError: the catalog cannot be used.
        """
        from catalog.upkeep.forget import forget

        return forget(
            self.path,
            references,
            run=run,
            where=where,
            missing=missing,
            delete_files=delete_files,
            dry_run=dry_run,
            confirm=confirm or (lambda report: True),
            progress=progress or (lambda done, total: None),
        )

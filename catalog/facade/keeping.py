"""Keep files and catalog true to each other, and small."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.upkeep.compact import Compaction
    from catalog.upkeep.unpack import Unpacking


class Keeping(Located):
    """Keep files and catalog true to each other, and small."""

    def compact(
        self,
        *,
        run: str | None = None,
        where: str | None = None,
        delete_originals: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Compaction:
        """
        Write registered signal traces into a few packs, which the views then read.

        Args:
            run: only the traces of this run.
            where: only those that meet a condition on the columns of `strategy_index`.
            delete_originals: delete the packed files, once the packs were read back and compared.
            progress: called with how many traces were packed, and how many are to be.

        Raises:
            QueryError: the condition is none, or nothing meets it.
            StoreError: the catalog cannot be used.
            CatalogError: a pack cannot be written.
        """
        from catalog.upkeep.compact import compact

        return compact(
            self.path,
            run=run,
            where=where,
            delete=delete_originals,
            **({} if progress is None else {"progress": progress}),
        )

    def unpack(
        self,
        *trace_ids: str,
        run: str | None = None,
        where: str | None = None,
        to: PathLike | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Unpacking:
        """
        Write the files of packed traces again, where they were or into a folder.

        A file that is there is left as it is, and the packs stay.

        Args:
            trace_ids: only these.
            run: only the traces of this run.
            where: only those that meet a condition on the columns of `strategy_index`.
            to: the folder, or a URL; nothing is registered there.
            progress: called with how many traces have their file, and how many are in packs.

        Raises:
            QueryError: the condition is none, or nothing meets it.
            CatalogError: a pack cannot be read, or a file cannot be written.
        """
        from catalog.upkeep.unpack import unpack

        return unpack(
            self.path,
            run=run,
            where=where,
            trace_ids=trace_ids,
            to=to,
            **({} if progress is None else {"progress": progress}),
        )

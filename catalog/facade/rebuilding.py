"""Make the catalog anew, back it up, and make its file smaller."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.upkeep.backup import Backup
    from catalog.upkeep.rebuild import Rebuild
    from catalog.upkeep.vacuum import Vacuuming


class Rebuilding(Located):
    """Make the catalog anew, back it up, and make its file smaller."""

    def rebuild(
        self,
        *folders: PathLike,
        metrics: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Rebuild:
        """
        Make the catalog anew from trace files, packs, and what lies beside it.

        What was registered, said and computed comes back, whatever became of catalog.duckdb, and
        is compared with the old one where that can be read. The old one is kept under another
        name. Other writers wait, or leave notes in the inbox.

        Args:
            folders: to be registered too, beside those that are known to have been.
            metrics: compute the figures of all metric sets again.
            progress: called with how many files were read or traces measured, and how many are
                to be.

        Raises:
            UsageError: a folder does not exist, or nothing is known to make it from.
            CatalogBusyError: another process has the catalog.
            StoreError: the disk is full, or the folder cannot be written.
        """
        from catalog.upkeep.rebuild import rebuild

        return rebuild(
            self.path,
            folders,
            metrics=metrics,
            **({} if progress is None else {"progress": progress}),
        )

    def backup(
        self,
        folder: PathLike,
        *,
        overwrite: bool = False,
        packs: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Backup:
        """
        Copy the catalog, and what lies beside it, as they are at one moment.

        Others go on reading and writing. The trace files themselves are not copied; those in packs
        are, with the packs. To restore, copy both back to where the catalog was.

        Args:
            folder: is made, and must not exist, or be empty.
            overwrite: it may be an earlier backup, which this one takes the place of.
            packs: also copy the packs of traces and of session returns.
            progress: called with how many packs and prices were copied, and how many are to be.

        Raises:
            UsageError: the folder is there and is no backup, or is the catalog's own.
            CatalogBusyError: another process is writing to the catalog.
            StoreError: the catalog cannot be used, or the copy cannot be written.
        """
        from catalog.upkeep.backup import backup

        return backup(
            self.path,
            Path(folder),
            overwrite=overwrite,
            packs=packs,
            **({} if progress is None else {"progress": progress}),
        )

    def vacuum(self) -> Vacuuming:
        """
        Make the file of the catalog as small as what is in it, where that gains a tenth.

        Raises:
            StoreError: the catalog cannot be used, or the disk is full.
            CatalogBusyError: another process has it.
        """
        from catalog.upkeep.vacuum import vacuum

        return vacuum(self.path)

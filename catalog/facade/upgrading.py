"""Bring traces of older generations into our own format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.sweeps.grid import Sweep
    from catalog.upgrade.report import Upgrade


class Upgrading(Located):
    """Bring traces of older generations into our own format."""

    def upgrade(
        self,
        folder: PathLike,
        *,
        output: PathLike,
        sweeps: Sequence[PathLike | Sweep] = (),
        dry_run: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Upgrade:
        """
        Write the traces at and below a folder anew in our format; the folder is left alone.

        Each new file has the configuration and its hash, 0-based bars, and times in UTC: those
        of the file, else those of its bars among the prices that this catalog knows, else none.
        What the files hold beside that (values, `px`) stays what it is. A new file appears once
        it was read back and compared with its source, row by row; its content digest is the
        source's. Nothing is registered; the catalog need not exist.

        Files that were made before, from the same sources with the same knowledge, are passed
        over, so that it can be run again after it was interrupted, or when more is known.

        Args:
            output: a folder that does not exist, is empty, or was made from `folder` before.
            sweeps: sweep files (YAML), or their URLs, to find parameters in that the traces do not
                carry.
            dry_run: read and report, and write nothing.
            progress: called with how many files were converted, and how many are to be.

        Raises:
            UsageError: the folder is none, or the output lies in it or holds something else.
            SweepFileError: a sweep file cannot be read.
            StoreError: the catalog cannot be read.
            CatalogError: the output cannot be written.
        """
        from catalog.sweeps.file import load_sweep
        from catalog.sweeps.grid import Sweep
        from catalog.upgrade.upgrade import upgrade

        return upgrade(
            self.path,
            folder,
            output,
            sweeps=[one if isinstance(one, Sweep) else load_sweep(one) for one in sweeps],
            dry_run=dry_run,
            **({} if progress is None else {"progress": progress}),
        )

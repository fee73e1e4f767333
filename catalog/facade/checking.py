"""See whether files and catalog are still true to each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.verify.finding import Verification
    from catalog.verify.last import LastVerification


class Checking(Located):
    """See whether files and catalog are still true to each other."""

    def verify(
        self,
        *paths: PathLike,
        sample: float | None = None,
        fast: bool = False,
        deep: bool = False,
        repair: bool = False,
        seed: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Verification:
        """
        Look for what is damaged, changed, gone, unknown or left over.

        Every registered file is to be there, with the bytes that it was registered with, and so
        with the pages, rows and configuration that were checked then; likewise packs, prices and
        session returns. Registered folders are to hold no trace file that no scan has seen. Rows
        are to belong to each other, and views to open. What others write meanwhile is no finding.

        Args:
            paths: look only at these files and folders, and at nothing beside the trace files.
            sample: a share of the files, from 0 to 1, whose bytes are read; of the others only
                size and time of change are looked at.
            fast: look at sizes, times and names only.
            deep: read every file as a trace again, and compare all that its row says with it;
                also what packs hold.
            repair: mend what needs no trace file to be touched.
            seed: makes the same sample again.
            progress: called with how many files were looked at, and how many there are.

        Returns:
            What is wrong, or left so after repairs; and the repairs.

        Raises:
            UsageError: the catalog knows nothing of a path, or the options are at odds.
            StoreError: the catalog cannot be used.
        """
        from catalog.verify.last import keep_last
        from catalog.verify.verify import How, verify

        how = How(fast=fast, deep=deep, sample=sample, seed=seed)
        report = verify(
            self.path,
            paths,
            how=how,
            mend=repair,
            **({} if progress is None else {"progress": progress}),
        )
        if not paths:
            keep_last(self.path, report, how=how.name)
        return report

    def last_verification(self) -> LastVerification | None:
        """Return what the last `verify` of the whole catalog found, None where none is known."""
        from catalog.verify.last import read_last

        return read_last(self.path)

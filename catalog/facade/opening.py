"""Take in what others know: a published lake, another catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.lake.merge import Merge
    from catalog.lake.open import Opened


class Opening(Located):
    """Take in what others know: a published lake, another catalog."""

    def open(self, lake: PathLike, *, forgotten: bool = False) -> Opened:
        """
        Open a published lake: what it says of its traces comes in here, their rows stay there.

        Strategies, runs, traces, figures, tags, prices and session returns are in the catalog
        then; signals, classifications, orders, fills and positions are read from the lake. Opened
        again, the catalog has what the lake has then; but traces that were forgotten here stay so.

        Different runs of several writers that go by one run_id, such as two that are called
        `demo`, are one run here, since a trace's id is made from its run's: name runs apart
        before they are published. `merge` tells them apart.

        Args:
            lake: a folder, or a URL such as s3://bucket/lake.
            forgotten: bring back those of its traces that were forgotten here.

        Raises:
            LakeError: there is no lake, or a file or manifest of it is gone or damaged.
            HashCollisionError: two configurations share twelve digits.
            ObjectStoreError: the store cannot be reached, or says no.
            StoreError: the catalog cannot be used.
        """
        from catalog.lake.open import open_lake

        return open_lake(self.path, lake, forgotten=forgotten)

    def merge(self, other: Located | PathLike) -> Merge:
        """
        Take another catalog's rows in, in one transaction; a second merge changes nothing.

        The same trace in both is one, and what both say otherwise is said as it was registered
        last. Trace files stay where they are. Prices, session returns, sweeps, and the rows of
        traces that only a pack holds are copied from beside the other catalog.

        Raises:
            UsageError: it is this catalog.
            HashCollisionError: two configurations share twelve digits.
            MigrationError: an older or a newer program made the other catalog.
            CatalogBusyError: another process has one of them.
            StoreError: one of them cannot be used.
        """
        from catalog.lake.merge import merge

        return merge(self.path, other.path if isinstance(other, Located) else Path(other))

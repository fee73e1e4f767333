"""Put into the catalog: trace directories and prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.prices.add import PricesAdded
    from catalog.register.report import Registration
    from catalog.sweeps.grid import Sweep


class Registering(Located):
    """Put into the catalog: trace directories and prices."""

    def register(
        self,
        *folders: PathLike,
        sweeps: Sequence[PathLike | Sweep] = (),
        forgotten: bool = False,
        dry_run: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Registration:
        """
        Register the trace files at and below some folders. Harmless when done twice.

        Args:
            folders: paths, or URLs of object storage such as `s3://bucket/runs`.
            sweeps: sweep files (YAML), or their URLs, to find parameters in that the traces do not
                carry.
            forgotten: bring back what was forgotten in the folders.
            dry_run: read and report, and write nothing.
            progress: called with how many files were read, and how many are to be.

        Returns:
            What was registered, found, ignored and quarantined.

        Raises:
            UsageError: a folder does not exist, or nothing lies below a URL.
            ObjectStoreError: a store cannot be reached, or says no. What was read is registered.
                One object that it refuses is in quarantine; where it refuses all that were asked
                for, none is: that is no property of theirs.
            SweepFileError: a sweep file cannot be read.
            StoreError: the catalog cannot be used.
        """
        from catalog.places import absolute
        from catalog.register.register import register
        from catalog.sweeps.file import load_sweep
        from catalog.sweeps.grid import Sweep
        from catalog.tags import settle_tags
        from catalog.upkeep.forgotten import bring_back, forget_again

        loaded = [sweep if isinstance(sweep, Sweep) else load_sweep(sweep) for sweep in sweeps]
        if forgotten and not dry_run:
            bring_back(self.path, [absolute(folder) for folder in folders])
        report = register(
            self.path,
            folders,
            sweeps=loaded,
            dry_run=dry_run,
            **({} if progress is None else {"progress": progress}),
        )
        if report.registered and not dry_run and (again := forget_again(self.path)):
            # Its time of change or its place is another, and its bytes are the same.
            report.warnings.append(
                f"{again:,} of these were forgotten before, and are again: "
                "bring them back with --forgotten"
            )
        if report.registered and not dry_run:
            settle_tags(self.path)
        return report

    def add_prices(
        self,
        source: Any,
        *,
        symbol: str,
        timeframe: str,
        tz: str | None = None,
        label: str = "open",
        adjustment: str | None = None,
        columns: Mapping[str, str] | None = None,
        regular_hours: str | None = None,
        renumber: bool = False,
    ) -> PricesAdded:
        """
        Add the bars of a symbol and timeframe, or a newer version of them.

        The same again changes nothing. Other prices take the place of those that were there,
        and what was computed from those is forgotten.

        Args:
            source: the path of a Parquet or CSV file, or a pandas, polars or Arrow table.
            symbol: as the traces have it, such as `SPY`.
            timeframe: the length of a bar, such as `1m`, `5m`, `1h`, `1d`.
            tz: the market's time zone: its days are the sessions, and times without an offset
                are local in it. UTC where none is given and times have an offset.
            label: `open` where a bar's time is its beginning, `close` where it is its end.
            adjustment: how prices were adjusted for splits and dividends, to be remembered.
            columns: names of columns by ts, open, high, low, close or volume, where they are not
                the usual ones.
            regular_hours: such as `09:30-16:00`, which it is for bars of less than a day in New
                York unless given; elsewhere all bars are regular.
            renumber: that traces mean the bar numbers of these prices, and not those of the
                version that was added first.

        Returns:
            The series as the catalog knows it now, and what is odd about it.

        Raises:
            UsageError: an argument is wrong, or there is no such file.
            PriceFileError: the file cannot be read, or its bars make no series.
            StoreError: the catalog cannot be used.
            CatalogError: the series cannot be written.
        """
        from catalog.prices.add import add_prices

        return add_prices(
            self.path,
            source,
            symbol=symbol,
            timeframe=timeframe,
            tz=tz,
            label=label,
            adjustment=adjustment,
            columns=columns,
            regular_hours=regular_hours,
            renumber=renumber,
        )

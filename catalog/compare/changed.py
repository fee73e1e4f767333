"""Traces of one configuration over one range that differ, and what explains that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from catalog.query.chosen import chosen_ids
from catalog.query.result import Result
from catalog.query.run import execute
from catalog.statements import statement
from catalog.store.database import reading


@dataclass(frozen=True, eq=False)
class Changed:
    """
    Pairs of traces of one configuration, symbol, timeframe and range whose contents differ.

    A row has the `earlier` and the `later` trace and the `cause`: `data`, `code`, or `data and
    code` where the digests of these are known and differ; `unknown` where one that is not known
    may be the cause, and `unknown` names those; `none` where every key is known and equal. That
    is an alarm: the strategy is not deterministic, depends on something that nobody recorded,
    or a file is not what it says.

    `unknown_configs` counts the traces of unknown configurations, which cannot be compared.
    """

    pairs: Result
    unknown_configs: int

    @property
    def alarms(self) -> pa.Table:
        """The pairs that nothing explains, though every key is known."""
        return self._of("none")

    @property
    def unexplained(self) -> pa.Table:
        """The pairs whose cause is unknown, since a key is."""
        return self._of("unknown")

    @property
    def explained(self) -> dict[str, int]:
        """How many pairs other data, other code, or both explain."""
        causes = self.pairs.table["cause"].to_pylist()
        return {cause: causes.count(cause) for cause in ("data", "code", "data and code")}

    def _of(self, cause: str) -> pa.Table:
        return self.pairs.table.filter(pc.equal(self.pairs.table["cause"], cause))


def find_changed(catalog: Path, *, where: str | None = None) -> Changed:
    """
    Find traces whose every key but the content is the same, or may be.

    The keys are the configuration (by its meaning: 20 is 20.0), symbol, timeframe, the bars and
    times of the first and last bar, the digest of the prices over that range and that of the code.
    Each version of a trace is compared with the one before it. Traces over different ranges are
    another matter: see `find_repaints`.

    Args:
        where: only pairs with a trace that meets a condition on the columns of `strategy_index`.

    Raises:
        QueryError: the condition is none, or nothing meets it.
        StoreError: the catalog cannot be used.
    """
    values = {"only": chosen_ids(catalog, run=None, where=where)}
    with reading(catalog) as con:
        pairs = execute(con, statement("select_changed"), values)
        ((unknown,),) = con.execute(statement("count_unknown_configs"), values).fetchall()
    return Changed(pairs, unknown)

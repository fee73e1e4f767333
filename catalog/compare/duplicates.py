"""What was computed more than once: configurations traced again, behaviour that several have."""

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
class Duplicates:
    """
    Two tables of groups, the greatest first; lists in them hold five examples at most.

    `repeated` has a row for each configuration, symbol, timeframe and range that was traced more
    than once: how many `traces` there are, in how many `runs`, under how many `hashes` (20 and
    20.0 are one configuration and two hashes), and how many `contents`, of which there should be
    one.

    `alike` has a row for each content that several configurations have: how many `strategies`.
    Where `is_one_range` is False, some were evaluated over more bars than others, and they are
    alike as far as all go, from `first_bar` to `last_bar`.
    Its `finding` is `flat` where the position is never other than 0, or where a classifier never
    leaves its first state, else `same behaviour`.
    """

    repeated: Result
    alike: Result

    @property
    def behaviour(self) -> pa.Table:
        """The groups that behave alike and do something."""
        return self._of("same behaviour")

    @property
    def flat(self) -> pa.Table:
        """The groups that do nothing."""
        return self._of("flat")

    def table(self) -> pa.Table:
        """Return all groups in one table, with NULL where a column is of the other one."""
        return pa.concat_tables([self.repeated.table, self.alike.table], promote_options="default")

    def _of(self, finding: str) -> pa.Table:
        table = self.alike.table
        return table.filter(pc.equal(table["finding"], finding))


def find_duplicates(catalog: Path, *, where: str | None = None) -> Duplicates:
    """
    Find configurations that were traced again, and contents that several configurations have.

    Traces of one configuration have one range where the bars and times of its ends are the same,
    as far as these are known.

    Args:
        where: only groups with a trace that meets a condition on the columns of `strategy_index`.

    Raises:
        QueryError: the condition is none, or nothing meets it.
        StoreError: the catalog cannot be used.
    """
    values = {"only": chosen_ids(catalog, run=None, where=where)}
    with reading(catalog) as con:
        return Duplicates(
            execute(con, statement("select_repeated"), values),
            execute(con, statement("select_alike"), values),
        )

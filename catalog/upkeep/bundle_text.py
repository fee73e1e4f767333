"""What people read of a bundle: its index, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.registered import registered
from catalog.upkeep.bundle_files import Put

README = """\
{traces} traces of {strategies} strategies in {runs} runs, bundled on {day} with
strategy-trace-catalog.

To look at them, with Python 3.11 or newer, in this folder:

    pip install strategy-trace-catalog
    catalog relocate
    catalog sql "from strategy_index limit 5"

`catalog relocate` tells the catalog where it is now. From then on any DuckDB client (from 1.2.2 on)
reads its tables; before, one that says: set variable catalog_root = '/where/this/folder/is'

To take them into a catalog of your own, from its folder:

    catalog register THIS_FOLDER

The traces keep their ids, their runs and their configurations there.

    strategy_index.parquet    a row per signal trace: parameters, figures, the path of its file
    catalog.duckdb            the catalog of these traces, with the tables of `catalog sql`
    runs/                     the trace files, as they were written
    bundle.json               what `catalog register` has to know of the runs
{prices}
The ledger of trials is in the catalog whole: a deflated Sharpe ratio counts every strategy that
was tried on the same data, not only those of this bundle.
"""

_PRICES = """\
    catalog.d/prices/         the prices of {series}: catalog metrics
"""


def put_index(catalog: Path, folder: Path, put: Put) -> None:
    """Write the strategy index of the traces, with the figures that are known and its own paths."""
    places = {one.trace_id: put.place(one) for one in put.traces}
    ids = pa.table({"trace_id": pa.array(places, pa.string())})
    with reading(catalog) as con, registered(con, incoming_id=ids):
        table = con.sql(statement("select_index_of")).to_arrow_table()
    paths = [places[trace_id] for trace_id in table["trace_id"].to_pylist()]
    table = table.set_column(
        table.column_names.index("trace_path"), "trace_path", pa.array(paths, pa.string())
    )
    pq.write_table(
        table, folder / "strategy_index.parquet", compression="zstd", write_page_checksum=True
    )


def put_readme(
    folder: Path, traces: int, strategies: int, runs: int, series: Sequence[str]
) -> None:
    """Write README.txt."""
    text = README.format(
        traces=f"{traces:,}",
        strategies=f"{strategies:,}",
        runs=f"{runs:,}",
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        prices=_PRICES.format(series=", ".join(series)) if series else "",
    )
    (folder / "README.txt").write_text(text, encoding="utf-8")

"""The list of strategies: filtered, sorted, a page at a time; and all of it as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Final

import pyarrow.csv as csv
import pyarrow.parquet as pq
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from catalog.web.columns import Column
from catalog.web.facets import Facets, ParameterFacet, facets_of, parameters_of
from catalog.web.list_asked import MAX, MIN, Asked, read_asked
from catalog.web.listing import PAGE, all_rows, list_page
from catalog.web.page import catalog_of, render
from catalog.web.table import Cell, cell

CHOICES: Final = ("strategy_type", "symbol", "timeframe", "run_id")
"""Columns of which a value can be chosen, in their order."""
CHUNK: Final = 1 << 18


@dataclass(frozen=True)
class Row:
    """A trace: what leads to it, and a cell for each column that is shown."""

    strategy_key: str
    trace_id: str
    name: str
    is_flat: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Looked:
    """What an address asks for, and what it can ask for beside that."""

    facets: Facets
    parameters: tuple[ParameterFacet, ...]
    asked: Asked
    columns: list[Column]


def page(request: Request) -> Response:
    """Answer with the page of the list that the address asks for."""
    looked = look(request)
    asked, facets = looked.asked, looked.facets
    listed = list_page(catalog_of(request), asked, facets, looked.columns)
    rows = [_row(row, looked.columns) for row in listed.rows]
    return render(
        request,
        "strategies",
        asked=asked,
        facets=facets,
        choices=[facets.columns[name] for name in CHOICES if is_chosen(name, facets, asked)],
        parameters=looked.parameters,
        columns=looked.columns,
        choosable=choosable(looked),
        kept=kept(looked),
        rows=rows,
        found=listed.found,
        first=PAGE * (asked.page - 1) + 1,
        last_page=max(1, -(-listed.found // PAGE)),
    )


def export_csv(request: Request) -> Response:
    """Answer with all rows that the address asks for, as CSV."""
    return _file(request, "strategies.csv", "text/csv; charset=utf-8", csv.CSVWriter)


def export_parquet(request: Request) -> Response:
    """Answer with all rows that the address asks for, as Parquet."""
    kind = "application/vnd.apache.parquet"
    return _file(request, "strategies.parquet", kind, partial(pq.ParquetWriter, compression="zstd"))


def look(request: Request) -> Looked:
    """
    Read what an address asks for.

    Raises:
        UsageError: it names no column, or a number is none.
    """
    catalog = catalog_of(request)
    facets = facets_of(catalog)
    asked = read_asked(request.query_params, facets)
    kind = asked.strategy_type
    parameters = () if kind is None else parameters_of(catalog, kind)
    asked = asked.narrowed(parameters)
    return Looked(facets, parameters, asked, asked.shown(facets, parameters))


def is_chosen(name: str, facets: Facets, asked: Asked) -> bool:
    """Say whether there is anything to choose, or something is chosen."""
    return name != "timeframe" or len(facets.of(name)) > 1 or bool(asked.value(name))


def choosable(looked: Looked) -> list[Column]:
    """Return the columns that can be shown: of parameters, those of the type that is asked for."""
    own = {one.column.name for one in looked.parameters} | set(looked.asked.columns)
    return [
        column
        for column in looked.facets.columns.values()
        if not column.is_parameter or column.name in own
    ]


def kept(looked: Looked) -> list[tuple[str, str]]:
    """Return what the address asks for and the form has no box for."""
    boxes = {*CHOICES, "is_flat", "q", "tag", "col", "sort", "page"}
    numbers = [one.name for one in looked.facets.metrics]
    for one in looked.parameters:
        boxes.add(one.column.name)
        numbers.append(one.column.name)
    boxes |= {name + side for name in numbers for side in ("", MIN, MAX)}
    return [pair for pair in looked.asked.pairs() if pair[0] not in boxes]


def _row(row: dict[str, Any], columns: list[Column]) -> Row:
    note = row.get("metrics_note") or ""
    return Row(
        strategy_key=row["strategy_key"],
        trace_id=row["trace_id"],
        name=row["strategy_id"] or row["strategy_key"],
        is_flat=bool(row["is_flat"]),
        cells=[cell(row[column.name], column, note=note) for column in columns],
    )


def _file(request: Request, name: str, kind: str, writer: Callable[..., Any]) -> Response:
    looked = look(request)
    # Not sent as it comes: until a slow download ends, nobody could write to the catalog.
    file = tempfile.TemporaryFile()  # noqa: SIM115  (closed once it is sent)
    try:
        with all_rows(catalog_of(request), looked.asked, looked.facets, looked.columns) as rows:
            schema, batches = rows
            with writer(file, schema) as written:
                for batch in batches:
                    written.write_batch(batch)
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(file.tell()),
            # To pack it would take longer than to send it on this machine.
            "Content-Encoding": "identity",
        }
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return StreamingResponse(_chunks(file), media_type=kind, headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def _to_list(request: Request) -> Response:
    query = request.url.query
    return RedirectResponse("/" + (f"?{query}" if query else ""), 307)


ROUTES: Final = [
    Route("/", page),
    Route("/strategies", _to_list),
    Route("/strategies.csv", export_csv),
    Route("/strategies.parquet", export_parquet),
]

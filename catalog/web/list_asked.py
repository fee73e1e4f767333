"""
What the address of the list of strategies asks for.

    /?strategy_type=rsi&symbol=SPY&run_id=sweep   equal to a value of any column of `leaderboard`
      &param_period=14                            likewise a parameter; a number by its value
      &param_period.min=5&sharpe.min=0.5          at least, and .max for at most
      &tag=good&tag=paper                         with all of these tags
      &latest=yes                                 of a run, what no later run made anew
      &q=39a6                                     part of the strategy's name or hash
      &col=symbol&col=sharpe                      the columns; a usual choice without any
      &sort=-sharpe&page=2                        from the greatest on; without - from the least
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from catalog.errors import UsageError
from catalog.reports.shown import exact
from catalog.web.columns import Column
from catalog.web.facets import Facets, ParameterFacet
from catalog.web.values import parse_number

MIN: Final = ".min"
MAX: Final = ".max"
_OWN: Final = frozenset({"tag", "q", "col", "sort", "page", "latest"})
_USUAL: Final = (
    *("strategy_type", "symbol", "sharpe", "sharpe_oos", "deflated_sharpe"),
    *("total_return", "max_drawdown", "trades", "config", "run_id"),
)
_SORT: Final = "-sharpe"
_MOST_TAGS: Final = 20
_DIGITS: Final = 7
"""Of the number of a page: DuckDB skips no more than it can count."""

# What cannot be compared: it is shown, and that is all.
_OPAQUE: Final = frozenset({"config"})


@dataclass(frozen=True)
class Asked:
    """
    What an address asks the list for, each column by its name.

    `equals` are texts as they were written, `ranges` are the least and the greatest number,
    None for no bound. `columns` is empty for the usual ones.
    """

    text: str = ""
    tags: tuple[str, ...] = ()
    equals: tuple[tuple[str, str], ...] = ()
    ranges: tuple[tuple[str, float | None, float | None], ...] = ()
    columns: tuple[str, ...] = ()
    sort: str = _SORT
    page: int = 1
    is_latest: bool = False

    @property
    def strategy_type(self) -> str | None:
        """The only type that is asked for, if there is one."""
        return dict(self.equals).get("strategy_type")

    @property
    def is_descending(self) -> bool:
        """Whether the greatest come first."""
        return self.sort.startswith("-")

    @property
    def sorted_by(self) -> str:
        """The column that says which come first."""
        return self.sort.removeprefix("-")

    @property
    def is_narrowed(self) -> bool:
        """Whether not all strategies are asked for."""
        return bool(self.text or self.tags or self.equals or self.ranges)

    def value(self, name: str) -> str:
        """Return what a column is to be equal to, as it was written; nothing for any."""
        return dict(self.equals).get(name, "")

    def bound(self, name: str, side: str) -> str:
        """Return the least (`.min`) or the greatest number of a column, nothing for none."""
        for column, low, high in self.ranges:
            if column == name:
                number = low if side == MIN else high
                return "" if number is None else exact(number)
        # A link that asks for one value, as those of heat maps do.
        return self.value(name)

    def pairs(self, *, without: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Return the names and values of the address, in one order, but for some names."""
        pairs = [("q", self.text)] if self.text else []
        pairs += self.equals
        for name, low, high in self.ranges:
            pairs += [] if low is None else [(name + MIN, exact(low))]
            pairs += [] if high is None else [(name + MAX, exact(high))]
        pairs += [("latest", "yes")] if self.is_latest else []
        pairs += [("tag", tag) for tag in self.tags]
        pairs += [("col", column) for column in self.columns]
        pairs += [] if self.sort == _SORT else [("sort", self.sort)]
        pairs += [] if self.page == 1 else [("page", str(self.page))]
        return [(name, value) for name, value in pairs if name not in without]

    def address(self, path: str = "/", **changes: Any) -> str:
        """Return the address that asks for the same, but for some changes."""
        pairs = replace(self, **changes).pairs()
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def narrowed(self, parameters: Sequence[ParameterFacet]) -> Asked:
        """Return the same without parameters that the type asked for does not have."""
        if self.strategy_type is None:
            return self
        own = {one.column.name for one in parameters}

        def is_foreign(name: str) -> bool:
            return Column(name, "").is_parameter and name not in own

        return replace(
            self,
            equals=tuple(one for one in self.equals if not is_foreign(one[0])),
            ranges=tuple(one for one in self.ranges if not is_foreign(one[0])),
            columns=tuple(one for one in self.columns if not is_foreign(one)),
            sort=_SORT if is_foreign(self.sorted_by) else self.sort,
        )

    def shown(self, facets: Facets, parameters: Sequence[ParameterFacet]) -> list[Column]:
        """Return the columns to show: the chosen ones, or else the usual ones."""
        names = list(self.columns)
        if not names:
            names = list(_USUAL)
            if self.strategy_type is not None:
                # Known, and said in columns of their own.
                names.remove("strategy_type")
                own = [one.column.name for one in parameters]
                if own:
                    names.remove("config")
                at = names.index("symbol") + 1
                names[at:at] = own
        return [facets.columns[name] for name in names if name in facets.columns]


def read_asked(query: QueryParams, facets: Facets) -> Asked:
    """
    Return what an address asks for.

    Raises:
        UsageError: it names no column, or a number is none.
    """
    equals: dict[str, str] = {}
    ranges: dict[str, list[float | None]] = {}
    for name, value in query.multi_items():
        if name in _OWN or value == "":
            continue
        # A parameter may be called so itself.
        column, side = (name, None) if name in facets.columns else _split(name)
        known = _known(column, facets)
        if side is None:
            if known.name in _OPAQUE:
                raise UsageError(f"The column {known.name} cannot be filtered by in an address")
            value_of(known, value)
            equals[column] = value
        elif not known.is_number:
            raise UsageError(f"{column} is no number, so there is no {name}")
        else:
            ranges.setdefault(column, [None, None])[side == MAX] = parse_number(name, value)
    sort = query.get("sort") or _SORT
    if _known(sort.removeprefix("-"), facets).name in _OPAQUE:
        raise UsageError(f"The list cannot be sorted by {sort.removeprefix('-')}")
    for column in query.getlist("col"):
        _known(column, facets)
    tags = tuple(dict.fromkeys(tag for tag in query.getlist("tag") if tag))
    if len(tags) > _MOST_TAGS:
        raise UsageError(
            f"The address asks for {len(tags)} tags", hint=f"Take {_MOST_TAGS} at most"
        )
    return Asked(
        text=query.get("q", "").strip(),
        tags=tags,
        equals=tuple(equals.items()),
        ranges=tuple((name, low, high) for name, (low, high) in ranges.items()),
        columns=tuple(dict.fromkeys(query.getlist("col"))),
        sort=sort,
        page=_page(query.get("page") or "1"),
        is_latest=query.get("latest") == "yes",
    )


def _split(name: str) -> tuple[str, str | None]:
    for side in (MIN, MAX):
        if name.endswith(side):
            return name.removesuffix(side), side
    return name, None


def _known(name: str, facets: Facets) -> Column:
    column = facets.columns.get(name)
    if column is None:
        raise UsageError(
            f"There is no column {name} to filter, sort or show strategies by",
            hint="Its columns are those of: catalog sql 'describe leaderboard'",
        )
    return column


def value_of(column: Column, text: str) -> object:
    """
    Return the value of a column that a text of an address means.

    Raises:
        UsageError: it is none.
    """
    if column.is_number:
        return parse_number(column.name, text)
    if column.type == "BOOLEAN" and text.lower() not in ("true", "false"):
        raise UsageError(f"{column.name} is {text[:40]!r}", hint="Take true or false")
    if column.type.startswith(("TIMESTAMP", "DATE")):
        try:
            return datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageError(
                f"{column.name} is {text[:40]!r}, which is no date", hint="Write it as 2024-12-31"
            ) from error
    return text


def _page(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) >= 1):
        raise UsageError(f"page is {text[:40]!r}, which is no number of a page")
    return int(text)

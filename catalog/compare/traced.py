"""Traces as comparisons want them: where their rows are, and which strategy and run made them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from catalog.metrics.traces import Trace, select_traces
from catalog.statements import statement

KINDS = ("signal", "classifier")


@dataclass(frozen=True)
class Traced:
    """A registered signal or classifier trace with its place."""

    trace: Trace
    kind: str
    run_id: str
    strategy_id: str | None
    is_latest: bool

    @property
    def has_range(self) -> bool:
        """Whether the range that it was evaluated over is known."""
        return self.trace.first_bar is not None and self.trace.last_bar is not None

    @property
    def on(self) -> tuple[str, str | None, str | None]:
        """Only traces of the same kind, symbol and timeframe are compared."""
        return self.kind, self.trace.symbol, self.trace.timeframe


Pair = tuple[Traced, Traced]


def select_traced(
    con: DuckDBPyConnection,
    root: str,
    *,
    strategy_key: str | None = None,
    only: Collection[str] | None = None,
) -> list[Traced]:
    """
    Return registered traces, the latest first.

    Args:
        root: the folder of the catalog.
        strategy_key: those of one strategy.
        only: those with these ids.
    """
    values = {"strategy_key": strategy_key, "only": None if only is None else list(only)}
    rows = con.execute(statement("select_traced"), values).fetchall()
    ids = [trace_id for trace_id, *_ in rows]
    traces = select_traces(con, root, only=ids, kinds=KINDS)
    by_id = {trace.trace_id: trace for trace in traces}
    return [Traced(by_id[trace_id], *place) for trace_id, *place in rows]


def pairs_of(a: Sequence[Traced], b: Sequence[Traced]) -> Iterator[list[Pair]]:
    """Yield which traces may be compared, the best pair first, for each kind, symbol, timeframe."""
    for on in dict.fromkeys(one.on for one in a):
        ours, theirs = ([one for one in side if one.on == on] for side in (a, b))
        # They come latest first.
        pairs = [(one, other) for one in ours for other in theirs if one != other]
        if pairs:
            rest = sorted(pairs[1:], key=_shared_bars, reverse=True)
            first = pairs[:1]
            yield (
                [*first, *rest]
                if _shared_bars(first[0])
                else sorted([*first, *rest], key=_shared_bars, reverse=True)
            )


def _shared_bars(pair: Pair) -> float:
    """Return about how many bars two traces share, by their times where both know these."""
    a, b = (one.trace for one in pair)
    if a.first_bar is None or a.last_bar is None or b.first_bar is None or b.last_bar is None:
        return 0
    bars = a.last_bar - a.first_bar + 1
    if a.first_us is None or a.last_us is None or b.first_us is None or b.last_us is None:
        return max(min(a.last_bar, b.last_bar) - max(a.first_bar, b.first_bar) + 1, 0)
    shared = min(a.last_us, b.last_us) - max(a.first_us, b.first_us)
    if shared < 0:
        return 0
    return max(bars * shared / max(a.last_us - a.first_us, 1), 1)

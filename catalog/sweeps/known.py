"""What the catalog knows of every configuration at a place, ready to be looked up by its key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from catalog.prices.series import PriceSeries
from catalog.statements import statement
from catalog.store.registered import registered
from catalog.sweeps.failures import Failure
from catalog.sweeps.places import Place
from catalog.sweeps.ranges import DONE, FAILED, MISSING, STALE, STATES, TraceRange, judge_ranges
from catalog.sweeps.versions import Noted

States = NDArray[np.int8]
Reasons = NDArray[np.int32]
NO_REASON = -1
_KINDS = ("signal", "classifier")
_TEXTS = ("data_digest", "run_id")
_NUMBER = {state: number for number, state in enumerate(STATES)}
_MISSING = _NUMBER[MISSING]


@dataclass(frozen=True, eq=False)
class Known:
    """
    The state of each configuration of one kind that the catalog has heard of.

    `states` are numbers of STATES, `reasons` places in `texts`, NO_REASON for none.
    """

    keys: Any
    states: States
    reasons: Reasons
    texts: tuple[str, ...]

    def look_up(self, keys: Sequence[str]) -> tuple[States, Reasons]:
        """Return the states of some keys, and why; what is not known is missing."""
        found = pc.index_in(pa.array(keys, pa.string()), value_set=self.keys)
        places = found.fill_null(len(self.keys)).to_numpy()
        return (
            np.append(self.states, np.int8(_MISSING))[places],
            np.append(self.reasons, np.int32(NO_REASON))[places],
        )


def read_known(
    con: DuckDBPyConnection,
    place: Place,
    series: PriceSeries | None,
    *,
    types: Collection[str] | None,
    codes: Mapping[str, Sequence[str]],
    noted: Noted,
    bars: Callable[[], Any],
) -> Any:
    """
    Return the best trace of each configuration at a place, as `sweep_known` has it.

    Args:
        series: the place's registered prices, None where there are none.
        types: only strategies of these types; all unless given.
        codes: the digests of the code that strategies have now, by their type.
        noted: of the place's prices.
        bars: returns these with all columns, an Arrow table.
    """
    values = {
        "symbol": place.symbol,
        "timeframe": place.timeframe,
        "types": None if types is None else sorted(types),
        "runs": sorted({one.run_id for one in noted.handed}),
    }
    rows = con.execute(statement("sweep_ranges"), values).fetchall()
    ranges = [TraceRange(*row) for row in rows]
    verdicts = judge_ranges(place, series, ranges, noted, bars)
    judged = pa.table(
        {
            **{
                field.name: pa.array(
                    [getattr(one, field.name) for one in ranges],
                    pa.string() if field.name in _TEXTS else pa.int64(),
                )
                for field in fields(TraceRange)
            },
            "state": pa.array([one.state for one in verdicts], pa.string()),
            "why": pa.array([one.why for one in verdicts], pa.string()),
        }
    )
    code = pa.table(
        {
            "strategy_type": pa.array(list(codes), pa.string()),
            "digests": pa.array([list(one) for one in codes.values()], pa.list_(pa.string())),
        }
    )
    with registered(con, incoming_range=judged, incoming_code=code):
        return con.sql(statement("sweep_known"), params=values).to_arrow_table()


def known_by_kind(
    traces: Any,
    failures: Mapping[tuple[str, str], Failure],
    changed: Mapping[tuple[str, str], str],
) -> dict[str, Known]:
    """
    Return what is known, of signals and of classifiers.

    A failure counts unless there is a trace of this range that is newer, or done. A composite
    without a trace whose components changed is stale.

    Args:
        traces: what `read_known` returned.
        failures: the last one of each configuration, by kind and key.
        changed: what changed in the components of composites, by kind and key.
    """
    found = {}
    for kind in _KINDS:
        own = traces.filter(pc.equal(traces["kind"], kind)) if traces is not None else None
        found[kind] = _known(
            own,
            {key: one for (k, key), one in failures.items() if k == kind},
            {key: one for (k, key), one in changed.items() if k == kind},
        )
    return found


def _known(traces: Any, failures: Mapping[str, Failure], changed: Mapping[str, str]) -> Known:
    if traces is None:
        keys, made = pa.array([], pa.string()), np.zeros(0, np.int64)
        states, reasons = np.zeros(0, np.int8), np.zeros(0, np.int32)
        texts: list[str] = []
    else:
        keys, made = traces["config_key"].combine_chunks(), traces["made_us"].to_numpy()
        names = traces["state"].combine_chunks().dictionary_encode()
        numbers = np.array([_NUMBER[name] for name in names.dictionary.to_pylist()], np.int8)
        states = numbers[names.indices.to_numpy()] if len(names) else np.zeros(0, np.int8)
        why = traces["why"].combine_chunks().dictionary_encode()
        reasons = why.indices.fill_null(NO_REASON).to_numpy().astype(np.int32)
        texts = why.dictionary.to_pylist()
    known = Known(keys, states, reasons, tuple(texts))
    return _overridden(known, _not_of_traces(known, made, failures, changed))


def _not_of_traces(
    known: Known, made: Any, failures: Mapping[str, Failure], changed: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Return the states that failures and components give, and why, by the configuration's key."""
    found: dict[str, tuple[str, str]] = {}
    for key, place in _places(known.keys, [*changed, *failures]):
        state = _MISSING if place is None else known.states[place]
        if key in changed and state == _MISSING:
            found[key] = (STALE, changed[key])
        failure = failures.get(key)
        if failure is None or state == _NUMBER[DONE]:
            continue
        if place is None or state == _MISSING or made[place] < failure.failed_us:
            found[key] = (FAILED, failure.error)
    return found


def _overridden(known: Known, others: Mapping[str, tuple[str, str]]) -> Known:
    if not others:
        return known
    keys = pa.array(list(others), pa.string())
    kept = pc.invert(pc.is_in(known.keys, value_set=keys))
    is_kept = np.array(kept, bool)
    texts = list(dict.fromkeys((*known.texts, *(why for _, why in others.values()))))
    place_of = {text: place for place, text in enumerate(texts)}
    states = np.array([_NUMBER[state] for state, _ in others.values()], np.int8)
    reasons = np.array([place_of[why] for _, why in others.values()], np.int32)
    return Known(
        pa.concat_arrays([known.keys.filter(kept), keys]),
        np.concatenate([known.states[is_kept], states]),
        np.concatenate([known.reasons[is_kept], reasons]),
        tuple(texts),
    )


def _places(keys: Any, wanted: Sequence[str]) -> list[tuple[str, int | None]]:
    """Return where some keys are among others."""
    wanted = list(dict.fromkeys(wanted))
    found = pc.index_in(pa.array(wanted, pa.string()), value_set=keys)
    return list(zip(wanted, found.to_pylist(), strict=True))

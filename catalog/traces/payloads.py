"""What the events of a backtest say, in the words that people use for it."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, nan
from typing import Any, Final

from catalog.errors import UsageError
from catalog.strategy import parse_config
from catalog.traces.moments import microseconds_of
from catalog.traces.series import Series

Payload = Mapping[str, Any]

DIRECTIONS: Final = {"long": 1.0, "short": -1.0, "flat": 0.0}
_STATES: Final = ("regime", "classification", "state", "value")


def required(payload: Payload, key: str, event: str) -> Any:
    """
    Return what a payload must say.

    Raises:
        UsageError: it does not.
    """
    found = payload.get(key)
    if found is None:
        raise UsageError(f"The payload of a {event} has no {key}")
    return found


def time_of(event: Any) -> int | None:
    """Return an event's time in microseconds since 1970 in UTC, None where it says none."""
    moment = event["timestamp"] if isinstance(event, Mapping) else event.timestamp
    return None if moment is None else microseconds_of(moment)


def close_of(payload: Payload) -> float:
    """Return the closing price of a BAR, NaN where it says none."""
    close = payload.get("close")
    if close is None:
        close = getattr(payload.get("bar"), "close", None)
    return nan if close is None else float(close)


def position_of(direction: Any) -> float:
    """
    Return a signal's direction as a fraction of equity.

    Raises:
        UsageError: it is neither long, short or flat nor a finite number.
    """
    # Upper case, or a member of an enumeration.
    word = str(getattr(direction, "name", direction)).lower()
    if word in DIRECTIONS:
        return DIRECTIONS[word]
    try:
        number = float(direction) + 0.0
    except (TypeError, ValueError):
        number = nan
    if isinstance(direction, str) or not isfinite(number):
        raise UsageError(
            f"A signal's direction is {direction!r}", hint="It is long, short, flat, or a number"
        )
    return number


def state_of(payload: Payload, name: str) -> str:
    """
    Return the state that a CLASSIFICATION says.

    Raises:
        UsageError: it says none.
    """
    state = next((str(payload[key]) for key in _STATES if payload.get(key) is not None), "")
    if not state:
        raise UsageError(f"The CLASSIFICATION of {name} says no regime")
    return state


def config_of(payload: Payload, name: str) -> Mapping[str, Any]:
    """
    Return the full configuration that the first event of a strategy says.

    Raises:
        UsageError: it says none.
        ConfigurationError: what it says as text is no JSON.
    """
    config = payload.get("strategy_config")
    if isinstance(config, str):
        return parse_config(config)
    if config is not None:
        return dict(config)
    kind = payload.get("strategy_type") or payload.get("classifier_type")
    if kind is None:
        raise UsageError(
            f"The first event of {name} says no configuration",
            hint="Give strategy_config, or strategy_type and parameters, in its payload",
        )
    config = {"type": kind, "parameters": dict(payload.get("parameters") or {})}
    for key in ("constraints", "threshold"):
        if payload.get(key) is not None:
            config[key] = payload[key]
    return config


def check_is_same(payload: Payload, name: str, symbol: str, config: Mapping[str, Any]) -> None:
    """
    Refuse a change of a strategy that came with another symbol or configuration before.

    Raises:
        UsageError: it did.
    """
    if payload.get("symbol", symbol) != symbol:
        raise UsageError(
            f"{name} came with {symbol}, and now with {payload['symbol']}",
            hint="A strategy id is unique in a run: put the symbol into it",
        )
    own = payload.get("strategy_config")
    if own is not None and own != config and config_of(payload, name) != config:
        raise UsageError(
            f"{name} came with one configuration, and now with another",
            hint="A strategy id is unique in a run: give each strategy one of its own",
        )


def bar_of(payload: Payload, series: Series | None, what: str, symbol: str) -> int:
    """
    Return the bar that an event belongs to: the one that its series is at, else its own word.

    Raises:
        UsageError: there was no BAR of its symbol, and it says no bar_index.
    """
    if series is not None and series.bar >= 0:
        return series.bar
    bar = payload.get("bar_index")
    if bar is None:
        raise UsageError(f"{what} comes before any BAR of {symbol}, and says no bar_index")
    return int(bar)

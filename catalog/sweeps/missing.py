"""Which of some configurations are not computed yet: asked in a loop that computes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from catalog.errors import UsageError
from catalog.store.database import reading
from catalog.strategy import Strategy, config_key
from catalog.sweeps.code import Codes
from catalog.sweeps.compare import look
from catalog.sweeps.failures import last_failures
from catalog.sweeps.grid import Sweep
from catalog.sweeps.known import known_by_kind
from catalog.sweeps.places import Wanted, make_place
from catalog.sweeps.ranges import STATES
from catalog.sweeps.rows import NOT_COMPUTED
from catalog.sweeps.versions import read_noted

Config = Mapping[str, Any] | Strategy


def missing(
    catalog: Path,
    configs: Iterable[Config] | Sweep,
    *,
    name: tuple[str, str],
    wanted: Wanted,
    codes: Codes,
    kind: str = "signal",
    states: Collection[str] = NOT_COMPUTED,
) -> list[Any]:
    """
    Return those of some configurations that are not computed, as they were given, in their order.

    Of several that mean the same the first is returned.

    Args:
        name: symbol and timeframe.
        kind: of the traces, where the configurations are not a sweep's.
    """
    if kind not in ("signal", "classifier"):
        raise UsageError(f"A trace is a signal or a classifier, and not {kind!r}")
    given: dict[tuple[str, str], Any] = {}
    for one_kind, config in _given(configs, kind):
        own = config.key if isinstance(config, Strategy) else config_key(config)
        given.setdefault((one_kind, own), config)
    types = {one.type if isinstance(one, Strategy) else one.get("type") for one in given.values()}
    if catalog.exists():
        known_types = [one for one in types if isinstance(one, str)]
        digests = codes.digests(known_types)
        noted = read_noted(catalog, [name])
        with reading(catalog) as con:
            place, traces, _ = look(
                con,
                catalog,
                name,
                wanted=wanted,
                # A configuration without a type is one of traces that say none either.
                types=sorted(known_types) if len(known_types) == len(types) else None,
                codes=digests,
                noted=noted[name],
            )
        (failures,) = last_failures(catalog, [place], noted)
        known = known_by_kind(traces, failures, {})
    else:
        make_place(*name, wanted, None)
        known = known_by_kind(None, {}, {})
    chosen = {STATES.index(state) for state in states}
    result: dict[tuple[str, str], int] = {}
    for one_kind, of_kind in known.items():
        keys = [key for k, key in given if k == one_kind]
        found, _ = of_kind.look_up(keys)
        result |= {(one_kind, key): state for key, state in zip(keys, found.tolist(), strict=True)}
    return [config for key, config in given.items() if result[key] in chosen]


def _given(configs: Iterable[Config] | Sweep, kind: str) -> Iterable[tuple[str, Config]]:
    if isinstance(configs, Sweep):
        for grid in configs.grids:
            for strategy in grid.expand(None):
                yield strategy.kind, strategy.config
        return
    if isinstance(configs, Mapping | Strategy):
        raise UsageError("configs is one configuration", hint="Give a list of them: [config]")
    for config in configs:
        if not isinstance(config, Mapping | Strategy):
            raise UsageError(
                f"A configuration is a mapping or a Strategy, and not a {type(config).__name__}"
            )
        yield kind, config

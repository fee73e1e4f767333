"""
Which sweep file made a run, and with what parameters: asked for runs that kept only names.

A sweep and its names are in catalog.sweeps.grid, reading a file in catalog.sweeps.file.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from catalog.canonical import Config
from catalog.sweeps.grid import Name, Sweep, as_list, different


@dataclass(frozen=True)
class Disagreement:
    """A name that stays unknown: the files in `paths` say different things about it."""

    kind: str
    strategy_id: str
    paths: tuple[Path | str, ...]


@dataclass(frozen=True)
class Matches:
    """What sweep files say about the files of one run."""

    configs: dict[Name, tuple[Config, Sweep]]
    disagreements: list[Disagreement]


def match_sweeps(sweeps: Collection[Sweep], wanted: Collection[Name]) -> Matches:
    """
    What sweep files say about the strategies of *one* run.

    `wanted` are the (kind, strategy_id) of the run's files. The sweeps that cover most of them
    are asked; of these only those that fit exactly, if any do: the grids that the run touches
    have no other names. What they agree on is known. Where they disagree, or one gives a name
    several configurations, it stays unknown and the files are named: a run may hold a part of
    its sweep, so having less beside proves nothing, and a wrong parameter is worse than none.
    The risk that remains: a run stopped within a grid may fit another sweep exactly.
    """
    wanted = list(dict.fromkeys(wanted))
    asked = _asked(sweeps, frozenset(wanted))
    matches = Matches({}, [])
    for name in wanted:
        saying = [sweep for sweep in asked if name in sweep.names]
        said = [strategy for sweep in saying for strategy in as_list(sweep.names[name])]
        if len(different(said)) > 1:
            paths = tuple(sweep.path for sweep in saying)
            matches.disagreements.append(Disagreement(*name, paths))
        elif said:
            matches.configs[name] = (said[0].config, saying[0])
    return matches


def _asked(sweeps: Collection[Sweep], run: frozenset[Name]) -> list[Sweep]:
    """The sweeps that may have made a run: least beside first, then by path."""
    opinions: dict[str, Sweep] = {}
    for sweep in sorted(sweeps, key=lambda sweep: str(sweep.path)):
        # A copy of a file is no second opinion, nor are its grids with other dates beside them.
        opinions.setdefault(repr((sweep.symbols, sweep.grids)), sweep)
    covered = [(sum(name in sweep.names for name in run), sweep) for sweep in opinions.values()]
    most = max((count for count, _ in covered), default=0)
    best = [sweep for count, sweep in covered if count and count == most]
    if len(best) < 2:
        return best
    beside = [(_count_beside(sweep, run), sweep) for sweep in best]
    beside.sort(key=lambda fit: fit[0])
    exact = [sweep for count, sweep in beside if count == 0]
    return exact or [sweep for _, sweep in beside]


def _count_beside(sweep: Sweep, run: frozenset[Name]) -> int:
    """
    How many names the grids that a run touches have, and the run has not.

    Grids that it does not touch are left out: a run of one grid says nothing about the others.
    """
    beside: set[Name] = set()
    for grid_names in sweep.names_of_grids:
        if not grid_names.isdisjoint(run):
            beside |= grid_names - run
    return len(beside)

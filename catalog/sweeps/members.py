"""
The keys and the canonical JSON of a grid's configurations, a million in a few seconds.

Every value of every parameter is encoded once, by the functions that encode a whole
configuration; a configuration is then those pieces joined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import compress, repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from catalog.canonical import encode
from catalog.strategy import meaning
from catalog.sweeps.grid import Grid

Numbers = NDArray[np.int64]
BATCH: Final = 250_000
"""Keys that are held together, as Python's text and as Arrow's."""


def key_batches(grids: tuple[Grid, ...]) -> Iterator[tuple[Grid, Numbers, list[str]]]:
    """
    Yield the numbers and config keys of grids, in their order; what means the same comes once.

    Numbers are those of `Grid.member`.
    """
    seen: dict[tuple[str, str], set[str]] = {}
    repeated = _repeated(grids)
    for grid in grids:
        chosen = _distinct(grid)
        members = np.arange(grid.combinations) if chosen is None else np.flatnonzero(chosen)
        for begin in range(0, len(members), BATCH):
            numbers = members[begin : begin + BATCH]
            batch = [sha256(text).hexdigest()[:32] for text in texts(grid, numbers, key=True)]
            if (grid.kind, grid.type) in repeated:
                # Two entries may hold one configuration; entries of other types cannot.
                before = seen.setdefault((grid.kind, grid.type), set())
                fresh = np.array([key not in before for key in batch], bool)
                before.update(batch)
                numbers, batch = numbers[fresh], list(compress(batch, fresh.tolist()))
            yield grid, numbers, batch


def texts(grid: Grid, numbers: Numbers, *, key: bool = False) -> Iterator[bytes]:
    """
    Yield the canonical JSON of some combinations of a grid.

    Args:
        key: of what counts where configurations are compared, and not of all that they say.
    """
    before, columns, after = _pieces(grid, meaning if key else _as_it_is)
    names = [name for name, _ in grid.parameters]
    order = sorted(range(len(names)), key=names.__getitem__)
    is_whole = all(piece is not None for column in columns for piece in column)
    for pieces in combined(grid, numbers, columns, order):
        yield before + b",".join(pieces if is_whole else filter(None, pieces)) + after


def words(grid: Grid, numbers: Numbers) -> Iterator[str]:
    """Yield the names of some combinations of a grid, without a symbol; see catalog.sweeps.grid."""
    swept = [axis for axis, (_, value) in enumerate(grid.parameters) if isinstance(value, list)]
    columns = [list(map(grid.printed, choices)) for choices in grid.choices]
    for values in combined(grid, numbers, columns, swept):
        yield "_".join((grid.name, *values))


def combined(
    grid: Grid, numbers: Numbers, columns: Sequence[Sequence[Any]], order: Sequence[int]
) -> Iterator[tuple[Any, ...]]:
    """
    Yield what stands for the values of some combinations of a grid.

    Args:
        columns: something for each value of each parameter.
        order: the parameters that are wanted, in the order in which they are.
    """
    if not order:
        yield from repeat((), len(numbers))
        return
    places = np.unravel_index(numbers, grid.shape)
    streams = (map(columns[axis].__getitem__, places[axis].tolist()) for axis in order)
    yield from zip(*streams, strict=True)


def _repeated(grids: tuple[Grid, ...]) -> set[tuple[str, str]]:
    names = Counter((grid.kind, grid.type) for grid in grids)
    return {name for name, count in names.items() if count > 1}


def _distinct(grid: Grid) -> NDArray[np.bool_] | None:
    """Return which combinations are members, without those that mean what one before them does."""
    _, columns, _ = _pieces(grid, meaning)
    first_of = []
    for column in columns:
        places: dict[bytes | None, int] = {}
        first_of.append([places.setdefault(piece, place) for place, piece in enumerate(column)])
    if all(first == list(range(len(first))) for first in first_of):
        return grid.kept
    # The first that is kept: conditions may keep another of two values that mean the same.
    members = np.arange(grid.combinations) if grid.kept is None else np.flatnonzero(grid.kept)
    axes = np.unravel_index(members, grid.shape)
    alike = [np.array(first)[axis] for first, axis in zip(first_of, axes, strict=True)]
    _, kept = np.unique(np.ravel_multi_index(alike, grid.shape), return_index=True)
    chosen = np.zeros(grid.combinations, bool)
    chosen[members[kept]] = True
    return chosen


def _pieces(
    grid: Grid, read: Callable[[Any], Any]
) -> tuple[bytes, list[list[bytes | None]], bytes]:
    """
    Return what stands before the parameters, a piece for each value, and what stands after them.

    A value that does not count has no piece.
    """
    columns = [
        [_inside(read({name: value})) for value in values]
        for (name, _), values in zip(grid.parameters, grid.choices, strict=True)
    ]
    said = {"type": grid.type, **dict(grid.extra)}
    head = [_inside(read({name: said[name]})) for name in sorted(said) if name < "parameters"]
    tail = [_inside(read({name: said[name]})) for name in sorted(said) if name > "parameters"]
    before = b"".join(piece + b"," for piece in head if piece)
    after = b"".join(b"," + piece for piece in tail if piece)
    return b"{" + before + b'"parameters":{', columns, b"}" + after + b"}"


def _inside(plain: dict[str, Any]) -> bytes | None:
    """Return the text of a mapping without its brackets, None where nothing is in it."""
    return encode(plain)[1:-1] or None


def _as_it_is(plain: Any) -> Any:
    return plain

"""The probability that the best of many trials was chosen for its luck."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catalog.compare.independence import binary_scale, trial_returns
from catalog.errors import UsageError

LEAST_SESSIONS: Final = 80
MOST_BLOCKS: Final = 20

# Blocks whose subsets are tabulated: a table has 2 ** _TABULATED rows.
_TABULATED: Final = 4
# Sharpe ratios that are compared at a time; a few arrays of so many fit into a core's cache.
_CELLS: Final = 100_000
# Floats near it are 2 ** -40 apart: adding it and taking it away rounds to twelve decimals or so.
_ROUNDING: Final = 1.5 * 2.0**12

Floats = NDArray[np.float64]
Masks = NDArray[np.int64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Overfitting:
    """
    How often the best trial of one half of the sessions was below the median of the other.

    `probability` and `mean_rank`, the mean relative rank of the winners (0.5 is no better than
    any, near 1 the best), are between 0 and 1, or None, and `note` says why. `combinations` is
    how many halves were tried, and `sessions_used` how many sessions the blocks hold.
    """

    probability: float | None
    combinations: int
    mean_rank: float | None
    trials: int
    sessions_used: int
    note: str | None = None


def probability_of_overfitting(
    returns: ArrayLike, *, blocks: int = 16, progress: Progress = lambda done, total: None
) -> Overfitting:
    """
    Estimate the probability of backtest overfitting of a search.

    Combinatorially symmetric cross-validation (Bailey, Borwein, López de Prado and Zhu 2017,
    "The Probability of Backtest Overfitting"): each way to choose half the blocks is a sample to
    select from, and the other half is the test. The probability is the share of them in which
    the trial with the highest Sharpe ratio in the sample ranks in the test at or below the
    median, that is, has a logit ln(ω/(1 - ω)) ≤ 0 for its relative rank ω (`winners_ranks`).

    Args:
        returns: sessions × trials in order of time, one return a session as a fraction, of all
            trials that were looked at.
        blocks: how many stretches of equal length the sessions are cut into. What is beyond a
            multiple of it is left out at the end.
        progress: as for `winners_ranks`.

    Returns:
        Without a probability, and with a note, where there are fewer than 80 sessions or 2
        trials, or all trials earned the same.

    Raises:
        UsageError: as `winners_ranks`.
    """
    array = trial_returns(returns)
    _check_blocks(blocks)
    sessions, trials = array.shape
    note = None
    if sessions < LEAST_SESSIONS:
        note = f"fewer than {LEAST_SESSIONS} sessions"
    elif trials < 2:
        note = "fewer than 2 trials"
    elif (array == array[:, :1]).all():
        # All would be tied at the median: a probability of 1 for a choice that was none.
        note = "all trials earned the same"
    if note:
        return Overfitting(None, 0, None, trials, 0, note)
    ranks = winners_ranks(array, blocks=blocks, progress=progress)
    return Overfitting(
        probability=float(np.mean(ranks <= 0.5)),
        combinations=len(ranks),
        mean_rank=float(np.mean(ranks)),
        trials=trials,
        sessions_used=sessions - sessions % blocks,
    )


def winners_ranks(
    returns: ArrayLike, *, blocks: int = 16, progress: Progress = lambda done, total: None
) -> Floats:
    """
    Return the relative rank in one half of the sessions of the best trial of the other half.

    Trials are compared by their Sharpe ratio a session, mean ÷ sample standard deviation, made
    from the sums and the sums of squares of the blocks. A half in which a trial earned the same
    in each session, because it never traded there, has a Sharpe ratio of 0: nothing was earned,
    and such trials take part like all others. Ratios that are the same to 2⁻⁴⁰, or 1e-12, are
    tied. The first column wins a tie; in the test, tied trials share their average rank.

    Memory grows with blocks × trials, and not with the combinations.

    Args:
        returns: sessions × trials in order of time, as `probability_of_overfitting` takes them.
        blocks: an even number from 2 to 20.
        progress: called with how many combinations were tried, and how many there are.

    Returns:
        rank ÷ (trials + 1) of each combination of half the blocks that is selected from, in
        lexicographic order: 12,870 for 16 blocks.

    Raises:
        UsageError: the returns are not two-dimensional numbers, one is missing, there are no
            trials or fewer sessions than two a block, or the number of blocks is not allowed.
    """
    array = trial_returns(returns)
    _check_blocks(blocks)
    sessions, trials = array.shape
    if not trials or sessions < 2 * blocks:
        raise UsageError(
            f"{sessions:,} sessions of {trials:,} trials cannot be cut into {blocks} blocks",
            hint="Give one trial or more, and two sessions or more a block",
        )
    halves = _Halves.of(array, blocks)
    count = comb(blocks, blocks // 2)
    ranks = np.empty(count)
    done = 0
    # Each half that holds the first block, with its complement: one is selected from while the
    # other tests, and the other way around. In lexicographic order complements are mirrored.
    for masks in _masks_with_first_block(blocks, at_a_time=max(1, _CELLS // trials)):
        one, other = halves.sharpe(masks), halves.sharpe(2**blocks - 1 - masks)
        places = np.arange(done, done + len(masks))
        ranks[places] = _ranks_of_winners(one, other)
        ranks[count - 1 - places] = _ranks_of_winners(other, one)
        done += len(masks)
        progress(2 * done, count)
    ranks /= trials + 1
    return ranks


@dataclass(frozen=True)
class _Halves:
    """What the Sharpe ratios of any half of the blocks are made from."""

    sessions: int
    centre: Floats
    sums: list[Floats]
    squares: list[Floats]
    highest: list[Floats]
    lowest: list[Floats]

    @classmethod
    def of(cls, returns: Floats, blocks: int) -> _Halves:
        """Sum returns up over blocks, and these over all subsets of a few blocks."""
        length, trials = len(returns) // blocks, returns.shape[1]
        scale = binary_scale(returns)

        def pieces() -> Iterator[Floats]:
            for block in range(blocks):
                yield np.ldexp(returns[block * length : (block + 1) * length], -scale)

        centre = np.zeros(trials)
        for piece in pieces():
            centre += piece.sum(axis=0)
        centre /= blocks * length
        sums, squares, highest, lowest = np.empty((4, blocks, trials))
        for block, piece in enumerate(pieces()):
            highest[block], lowest[block] = piece.max(axis=0), piece.min(axis=0)
            # Around the mean of all sessions, which every half adds again, the difference of
            # squares that a variance is loses no digits to the mean.
            piece -= centre
            sums[block] = piece.sum(axis=0)
            squares[block] = (piece * piece).sum(axis=0)
        return cls(
            sessions=length * blocks // 2,
            centre=centre,
            sums=_over_subsets(sums, np.add, empty=0.0),
            squares=_over_subsets(squares, np.add, empty=0.0),
            highest=_over_subsets(highest, np.maximum, empty=-np.inf),
            lowest=_over_subsets(lowest, np.minimum, empty=np.inf),
        )

    def sharpe(self, masks: Masks) -> Floats:
        """Return the Sharpe ratio a session of each trial in each half, halves × trials."""
        mean = _look_up(self.sums, masks, np.add)
        mean /= self.sessions
        variance = _look_up(self.squares, masks, np.add)
        variance -= self.sessions * mean**2
        variance /= self.sessions - 1
        mean += self.centre
        varies = _look_up(self.highest, masks, np.maximum) > _look_up(
            self.lowest, masks, np.minimum
        )
        varies &= variance > 0
        sharpe = np.zeros_like(mean)
        np.sqrt(variance, out=variance, where=varies)
        np.divide(mean, variance, out=sharpe, where=varies)
        # Trials that differ in size only, or traded in one session each, have the same ratio:
        # the last digits, which are noise, must not rank them.
        sharpe += _ROUNDING
        sharpe -= _ROUNDING
        return sharpe


def _over_subsets(values: Floats, combine: np.ufunc, *, empty: float) -> list[Floats]:
    """Combine the rows of each group of a few blocks, for every subset of the group."""
    tables = []
    for start in range(0, len(values), _TABULATED):
        group = values[start : start + _TABULATED]
        table = np.full((2 ** len(group), values.shape[1]), empty)
        for number, row in enumerate(group):
            half = 2**number
            combine(table[:half], row, out=table[half : 2 * half])
        tables.append(table)
    return tables


def _look_up(tables: list[Floats], masks: Masks, combine: np.ufunc) -> Floats:
    """Combine, for each mask, the rows that the tables have for its blocks."""
    total: Floats = tables[0][masks % len(tables[0])]
    for number, table in enumerate(tables[1:], 1):
        combine(total, table[(masks >> (number * _TABULATED)) % len(table)], out=total)
    return total


def _ranks_of_winners(sample: Floats, test: Floats) -> Floats:
    """Return the average rank in `test` of the best of `sample`, row by row, without sorting."""
    best = sample.argmax(axis=1)[:, np.newaxis]
    theirs = np.take_along_axis(test, best, axis=1)
    below = np.count_nonzero(test < theirs, axis=1)
    tied = np.count_nonzero(test == theirs, axis=1)
    ranks: Floats = below + (tied + 1) / 2
    return ranks


def _masks_with_first_block(blocks: int, *, at_a_time: int) -> Iterator[Masks]:
    """Yield the halves that hold the first block in lexicographic order, a bit for each block."""
    rest = combinations(range(1, blocks), blocks // 2 - 1)
    while chosen := list(islice(rest, at_a_time)):
        yield np.array([1 + sum(1 << block for block in others) for others in chosen], np.int64)


def _check_blocks(blocks: int) -> None:
    if not 2 <= blocks <= MOST_BLOCKS or blocks % 2:
        raise UsageError(
            f"{blocks} blocks cannot be halved in all ways",
            hint=f"Give an even number from 2 to {MOST_BLOCKS}; 16 is customary",
        )

"""What was tried on the same data, and how much of the best of it luck alone would explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from catalog.compare.independence import effective_trials_of_chunks
from catalog.compare.overfitting import Overfitting, Progress, probability_of_overfitting
from catalog.compare.trial_returns import trial_returns
from catalog.metrics.deflate import FEWEST_SESSIONS, Data, Trials, read_trials
from catalog.metrics.sets import MetricSet
from catalog.statements import statement

DATA = ("symbol", "timeframe", "from_ts", "to_ts")
"""The columns that tell data apart."""

LEAST_CONFIDENCE = 0.95
"""A deflated Sharpe ratio from which luck is no likely explanation."""


@dataclass(frozen=True)
class Verdict:
    """
    What was tried on one symbol, timeframe and range, and what luck explains.

    `traces` are registered and measured, `distinct` of them differ; `trials` may know of more,
    which are neither. Sharpe ratios are annualised. `independent` is how many independent trials
    the correlated ones amount to, `luck` the best Sharpe ratio that as many
    trials without skill would give, `luck_no_drift` that without what their exposure earns for
    nothing; `best` is the best one there is, `deflated` the probability that its true value is
    above luck, and `beats_luck` counts those for which that is 95 % or more. `overlapping` were
    tried over ranges that overlap this one; they are not counted as trials. None is NULL.
    """

    trials: Trials
    traces: int
    distinct: int
    first: str
    last: str
    sessions: int
    bars: int
    independent: float | None
    luck: float | None
    luck_no_drift: float | None
    best: float | None
    deflated: float | None
    beats_luck: int
    benchmark: float | None
    overlapping: int
    overfitting: Overfitting | None = None

    @property
    def sentence(self) -> str:
        """All of it in plain words."""
        tried = f"{self.trials.trials:,} distinct strategies"
        if self.trials.trials == 0:
            return "Nothing that was tried here ever took a position."
        if self.trials.waiting:
            return (
                f"Luck cannot be told before all are measured: {self.trials.waiting:,} of {tried} "
                "are not, on these terms."
            )
        if self.sessions < FEWEST_SESSIONS:
            return (
                f"There are too few sessions ({self.sessions}) to tell skill from luck: "
                "a year of them would be a start."
            )
        if self.deflated is None or self.best is None or self.luck is None:
            return f"None of {tried} has a Sharpe ratio that could be compared with luck."
        if self.trials.trials == 1:
            return (
                f"Only one strategy was tried here, with a Sharpe ratio of {self.best:.2f}: "
                "nothing was chosen, and so there is no luck of the choice to take off."
            )
        if self.best < self.luck:
            return (
                f"Nothing here beats chance: luck alone would give the best of {tried} a Sharpe "
                f"ratio of about {self.luck:.2f}, more than the {self.best:.2f} that the best has "
                f"(deflated {self.deflated:.2f}, and it would take {LEAST_CONFIDENCE})."
            )
        if self.beats_luck:
            count = self.beats_luck
            who = "1 strategy does" if count == 1 else f"{count:,} strategies do"
            return (
                f"Luck alone would give the best of {tried} a Sharpe ratio of {self.luck:.2f}; "
                f"{who} better than luck explains, with 95 % confidence."
            )
        return (
            f"Nothing here beats chance: luck alone would give the best of {tried} a Sharpe ratio "
            f"of about {self.luck:.2f}, and the {self.best:.2f} that the best has is no clear "
            f"exception (deflated {self.deflated:.2f}, and it would take {LEAST_CONFIDENCE})."
        )


def read_verdicts(
    con: DuckDBPyConnection,
    catalog: Path,
    data: Sequence[Data],
    *,
    set_id: int,
    wanted: MetricSet,
    pbo: bool = False,
    progress: Progress = lambda done, total: None,
) -> Iterator[Verdict]:
    """
    Yield the verdict on each of some data that strategies of a metric set were tried on.

    Args:
        pbo: estimate the probability of overfitting too, which takes seconds for ten thousand.
        progress: what `pbo` calls, as `winners_ranks` does.

    Raises:
        StoreError: session returns cannot be read.
    """
    trials = read_trials(con, set_id)
    for one in [trials[key] for key in data if key in trials]:
        values = {"set_id": set_id} | dict(zip(DATA, one.key, strict=True))
        (
            (traces, distinct, best, deflated, beats, benchmark, sessions, bars, year, first, last),
        ) = con.execute(statement("select_best"), values).fetchall()
        ((overlapping,),) = con.execute(statement("count_overlapping"), values).fetchall()
        chunks = trial_returns(
            con, catalog, one, set_id=set_id, cost_bps=wanted.terms.cost_bps, fill=wanted.terms.fill
        )
        tells = one.tells_luck and deflated is not None
        overfitting = independent = None
        if pbo:
            found = list(chunks)
            overfitting = _overfitting(found, progress)
            chunks = iter(found)
        if tells:
            independent = effective_trials_of_chunks(chunks)
        scale = (year or 0.0) ** 0.5
        yield Verdict(
            one,
            traces,
            distinct,
            first,
            last,
            sessions or 0,
            bars or 0,
            independent,
            one.luck() * scale if tells else None,
            one.luck(with_drift=False) * scale if tells else None,
            best,
            deflated,
            beats,
            benchmark,
            overlapping,
            overfitting,
        )


def _overfitting(chunks: list[NDArray[np.float64]], progress: Progress) -> Overfitting:
    if not chunks:
        return Overfitting(None, 0, None, 0, 0, "no session returns")
    return probability_of_overfitting(np.concatenate(chunks, axis=1), progress=progress)

"""What was tried on the same data, and how much of the best of it luck alone would explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from catalog.metrics.deflate import Trials, read_trials
from catalog.metrics.independence import effective_trials
from catalog.metrics.overfitting import Overfitting, probability_of_overfitting
from catalog.metrics.sets import MetricSet
from catalog.metrics.trial_returns import read_trial_returns
from catalog.statements import statement

DATA = ("symbol", "timeframe", "start_bar", "bar_count")
"""The columns that tell data apart."""

Data = tuple[str, str, int, int]

LEAST_CONFIDENCE = 0.95
"""A deflated Sharpe ratio from which luck is no likely explanation."""


@dataclass(frozen=True)
class Verdict:
    """
    What was tried on one symbol, timeframe and range, and what luck explains: `traces` in all.

    Sharpe ratios are annualised. `independent` is how many independent trials the correlated ones
    amount to, `luck` the best Sharpe ratio that as many trials without skill would give, of which
    `drift` is what their exposure earns for nothing; `best` is the best one there is, `deflated`
    the probability that its true value is above luck, and `beats_luck` counts those for which
    that is 95 % or more. `unmeasured` trials have no Sharpe ratio here. NULL figures are None.
    """

    trials: Trials
    traces: int
    first: str
    last: str
    sessions: int
    unmeasured: int
    independent: float | None
    luck: float | None
    luck_no_drift: float | None
    drift: float | None
    best: float | None
    deflated: float | None
    beats_luck: int
    benchmark: float | None
    overfitting: Overfitting | None = None

    @property
    def sentence(self) -> str:
        """All of it in plain words."""
        if self.trials.trials == 0:
            return "Nothing was tried here that ever took a position."
        if self.deflated is None or self.best is None or self.luck is None:
            return (
                f"There are too few sessions ({self.sessions}) to tell skill from luck: "
                "a year of them would be a start."
            )
        tried = f"{self.trials.trials:,} distinct strategies"
        if self.beats_luck:
            who = (
                "1 strategy does" if self.beats_luck == 1 else f"{self.beats_luck:,} strategies do"
            )
            return (
                f"Luck alone would give the best of {tried} a Sharpe ratio of {self.luck:.2f}; "
                f"{who} better than luck explains, with 95 % confidence."
            )
        return (
            f"Nothing here beats chance: luck alone would give the best of {tried} a Sharpe ratio "
            f"of about {self.luck:.2f}, and the {self.best:.2f} of this one is no clear exception "
            f"(deflated {self.deflated:.2f}, and it would take {LEAST_CONFIDENCE})."
        )


def read_verdicts(
    con: DuckDBPyConnection,
    data: Sequence[Data],
    *,
    set_id: int,
    wanted: MetricSet,
    pbo: bool = False,
) -> Iterator[Verdict]:
    """
    Yield the verdict on each of some data that strategies of a metric set were tried on.

    Args:
        pbo: estimate the probability of overfitting too, which takes seconds for ten thousand.
    """
    trials = read_trials(con, set_id)
    for key in data:
        one = trials.get(key)
        if one is None:
            continue
        values = {"set_id": set_id} | dict(zip(DATA, one.key, strict=True))
        ((traces, best, deflated, beats, benchmark, sessions, year, first, last),) = con.execute(
            statement("select_best"), values
        ).fetchall()
        earned = read_trial_returns(
            con, one, set_id=set_id, cost_bps=wanted.terms.cost_bps, fill=wanted.terms.fill
        )
        many = earned.returns.shape[1]
        scale = (year or 0.0) ** 0.5
        tells = deflated is not None
        yield Verdict(
            one,
            max(traces, one.tried),
            first,
            last,
            sessions or 0,
            one.trials - one.measured,
            effective_trials(earned.returns) if many and tells else None,
            one.luck() * scale if tells else None,
            one.luck(with_drift=False) * scale if tells else None,
            one.drift * scale if tells else None,
            best,
            deflated,
            beats,
            benchmark,
            probability_of_overfitting(earned.returns) if pbo and many else None,
        )

"""What is asked of every engine over the real traces: sql/'s analyses, the macros, the README's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from catalog import Catalog
from catalog.statements import statement

TYPE = "simple_momentum"


@dataclass(frozen=True)
class Question:
    """A query; `values` are bound as they are, `looked_up` by what a query on the catalog says."""

    sql: str
    values: Mapping[str, object] = field(default_factory=dict)
    looked_up: Mapping[str, str] = field(default_factory=dict)

    def bound(self, catalog: Catalog) -> dict[str, object]:
        """Return the value of each parameter."""
        found = {name: catalog.sql(sql).fetchall()[0][0] for name, sql in self.looked_up.items()}
        return {**self.values, **found}

    def answer(self, catalog: Catalog) -> pa.Table:
        """Return what the catalog answers."""
        return catalog.sql(self.sql, self.bound(catalog)).table


def analysis(name: str, **values: object) -> Question:
    """Return one of sql/analysis_*.sql, of the strategies of the type unless it has no type."""
    text = statement(f"analysis_{name}")
    of_type = {"strategy_type": TYPE} if "$strategy_type" in text else {}
    return Question(text, {**of_type, **values})


_CLASSIFIER = (
    "select trace_id from trace_files where kind = 'classifier' and change_count > 3 and run_id = "
    f"(select min(run_id) from trace_files where strategy_type = '{TYPE}' "
    "and run_id like '%73511fd8%') order by trace_id limit 1"
)
_HASH = f"select min(strategy_hash) from strategy_index where strategy_type = '{TYPE}'"
_TRACE = f"select {{}}(trace_id) from strategy_index where strategy_type = '{TYPE}'"

# It takes prices of a file, which a Spark server would have to reach; the catalog has them too.
_EXITS = statement("analysis_exits_after_bars").replace(
    "from read_parquet($prices)", "from bars where symbol = $symbol and timeframe = $timeframe"
)

THE_FIVE = {
    "parameter sensitivity": analysis("parameter_sensitivity", parameter="rsi_period"),
    "regime at signal": Question(
        statement("analysis_regime_at_signal"), {"strategy_type": TYPE}, {"classifier": _CLASSIFIER}
    ),
    "trades": analysis("trades"),
    "exits after bars": Question(
        _EXITS, {"strategy_type": TYPE, "symbol": "SPY", "timeframe": "1m"}
    ),
    "pairwise agreement": analysis("pairwise_agreement"),
}
"""The kinds of analysis that people run on traces."""

MACROS = {
    "sharpe from daily returns": Question(
        "select trace_id, sharpe(ret_gross, 252) as sharpe, sortino(ret_gross, 252) as sortino, "
        "volatility(ret_gross, 252) as volatility, total_return(ret_gross) as total, "
        "annual_return(ret_gross, 252) as annual from daily_returns group by trace_id"
    ),
    "hit rate and profit factor": Question(
        "select strategy_type, hit_rate(net) as hits, profit_factor(net) as factor from trades "
        "where not is_open group by all"
    ),
    "holdings at a bar": Question("from holdings_at(bar := 50)"),
    "holdings at a moment": Question("from holdings_at(moment := '2024-03-26 14:00:00+00')"),
    "last signals": Question("from last_signals()"),
    "dense signal": Question("from dense_signal($hash)", {}, {"hash": _HASH}),
    "agreement": Question(
        "from agreement($a, $b)", {}, {"a": _TRACE.format("min"), "b": _TRACE.format("max")}
    ),
}

QUERIES = {
    "exit rules": analysis("exit_rules", stop=0.001, target=0.0015, longest=60),
    "monthly returns": Question(
        statement("analysis_monthly_returns"),
        {},
        {"strategy_hash": "select min(strategy_hash) from leaderboard where sharpe is not null"},
    ),
    "an index by parameters": Question(
        "SELECT * FROM strategy_index WHERE strategy_type = 'bollinger_bands' "
        "AND param_period = 20 AND param_std_dev = 2.0"
    ),
    "the rows of a hash": Question(
        "SELECT * FROM signals WHERE strategy_hash = '39a6426ec117' ORDER BY bar_index"
    ),
    "the rows of strategies": Question(
        "WITH s AS (SELECT * FROM strategy_index WHERE param_period = 20) "
        "SELECT s.strategy_id, t.* FROM s JOIN signals t ON t.trace_id = s.trace_id"
    ),
    "traces by symbol": Question(
        "select symbol, count(*) as traces, count(*) filter (is_flat) as flat "
        "from strategy_index group by all order by all"
    ),
    "the latest holdings": Question(
        "select symbol, position, from_ts::date as since, bars from holdings "
        f"where strategy_type = '{TYPE}' and is_last order by strategy_id, trace_id limit 20"
    ),
    "net sharpe": Question(
        "select strategy_id, round(sharpe(ret_gross - 0.0005 * d.turnover, 252), 2) as net_sharpe "
        "from daily_returns as d join strategy_index using (trace_id) group by all "
        "order by net_sharpe desc, strategy_id limit 10"
    ),
    "the best of each type": Question(
        "select strategy_type, strategy_id, total_return from leaderboard qualify row_number() "
        "over (partition by strategy_type order by total_return desc nulls last, trace_id) = 1 "
        "order by strategy_type nulls first"
    ),
    "changes in order": Question(
        "select trace_id, list(val order by bar_index) as vals, first(val order by bar_index) as "
        f"first, count(distinct val) as many from signals where strategy_type = '{TYPE}' "
        "group by all order by trace_id"
    ),
}

NAMES = (
    "strategies", "runs", "trace_files", "components", "metrics", "price_series", "tags",
    "signals", "classifications", "orders", "fills", "positions", "daily_returns",
    "daily_returns_next_open", "bars", "strategy_index", "leaderboard", "twins", "lineage",
    "holdings", f"type_{TYPE}",
)  # fmt: skip

VIEWS = {f"all of {name}": Question(f"from {name}") for name in NAMES}
VIEWS["trades of a type"] = Question(f"from trades where strategy_type = '{TYPE}'")

QUESTIONS = THE_FIVE | MACROS | QUERIES | VIEWS

REFUSED = {
    "RECURSIVE": Question(statement("analysis_ensemble"), {"n": 3, "most_correlation": 0.5}),
    "trades_at": Question("from trades_at(cost_bps := 2)"),
    "param_effect": Question("from param_effect(change_count, 'rsi_period')"),
}
"""What has no equal in Spark, by what of it is named."""

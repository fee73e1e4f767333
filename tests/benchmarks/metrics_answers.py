"""More parts of the benchmark of metrics: a ranking in SQL, and the real traces."""

from __future__ import annotations

import json
from typing import Any

from measure import alternate, measure, say
from metrics_data import Home, Shape, make_catalog, make_real
from metrics_parts import CORES, MANY, Settings
from query_parts import Asked
from query_parts import median as median_asked
from report import Figure, Part, median

TOP = """
    select trace_id, round(sharpe(ret_gross, 252), 9) as ratio
    from daily_returns
    where session_date between date '2022-03-01' and date '2022-10-31'
    group by trace_id
    order by ratio desc
    limit 20
"""
QUESTIONS = {
    "top 20": TOP,
    "all dates": TOP.replace("2022-03-01", "2000-01-01").replace("2022-10-31", "2100-01-01"),
    "with names": f"""
        select strategy_id, param_period, param_std_dev, ratio
        from ({TOP}) join strategy_index using (trace_id)
    """,
}
WAYS = {"Catalog.sql": "whole", "planner, open": "planned", "plain DuckDB, open": "plain"}
ASKED = 7


def top(settings: Settings, home: Home) -> list[Asked]:
    """Ask for the 20 best Sharpe ratios over a range of dates, in SQL on daily_returns."""
    shape = Shape(max(settings.strategies), settings.bars, settings.bars // 500)
    catalog = make_catalog(home, shape)
    run = measure(
        "metrics_sides:whole", expect=shape.strategies, catalog=catalog,
        strategies=shape.strategies, workers=CORES,
    )  # fmt: skip
    questions = home.folder / "questions.json"
    questions.write_text(json.dumps({name: {"catalog": text} for name, text in QUESTIONS.items()}))
    found: dict[str, dict[str, list[float]]] = {way: {} for way in WAYS}
    rows: dict[str, Any] = {}
    for repetition in range(settings.repetitions):
        for way in list(WAYS) if repetition % 2 == 0 else reversed(WAYS):
            answers = measure(
                f"query_sides:{WAYS[way]}", expect=shape.strategies, files=shape.strategies,
                catalog=catalog.with_name("fresh.duckdb"), questions=questions, repetitions=ASKED,
            )["answers"]  # fmt: skip
            for question, answer in answers.items():
                found[way].setdefault(question, []).extend(answer["seconds"])
                if rows.setdefault(question, answer["rows"]) != answer["rows"]:
                    raise SystemExit(f"{way} answers {question!r} otherwise than the first side")
            say(f"{repetition + 1} of {settings.repetitions}: {way}")
    most = 100 if shape.strategies == MANY else None
    figures = [
        Figure(f"{way}: {question}, ms", 1e3 * median_asked(taken, question), most)
        for way, taken in found.items()
        for question in taken
    ]
    about = f"{shape.strategies:,} strategies, {run['rows']:,} rows of daily_returns"
    return [Asked("top", about, found, figures)]


def real(settings: Settings, home: Home) -> list[Part]:
    """Compute the real traces on the real prices, where they are."""
    absent = [
        path for name in ("old_traces", "prices/SPY_1m.parquet")
        if not (path := settings.data / name).exists()
    ]  # fmt: skip
    if absent:
        say(f"skipped: there is no {absent[0]}; name the folder with --data")
        return []
    catalogs, traces = make_real(home, settings.data)
    sides = {
        side: lambda path=path: measure("metrics_sides:real", expect=traces, catalog=path)
        for side, path in catalogs.items()
    }
    runs = alternate(settings.repetitions, sides)
    figures = [Figure(f"{side}, seconds", median(made), most=3) for side, made in runs.items()]
    return [Part("real", f"{traces:,} traces on SPY, a minute a bar", runs, figures)]


PARTS = {part.__name__: part for part in (top, real)}

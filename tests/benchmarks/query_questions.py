"""The questions that are asked of every side, each in the words of that side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

HASHES = "select strategy_hash from strategy_index order by md5(strategy_hash) limit $count"
PATHS = "select path from trace_files where list_contains($hashes, strategy_hash) order by path"
SUMS = "select count(*), sum(val)"
TOP = "order by change_count desc, strategy_hash limit 20"
LAST = "select count(*), sum(val), sum(bar_index) from"
COUNTS = (1, 20, 300)


def make_questions(catalog: Path, runs: Path) -> dict[str, dict[str, Any]]:
    """
    Return for each question the SQL of each side.

    `glob` reads a view over all files; `list` reads `$files`, which a bound list names; `lake`
    has two steps where the first finds the strategies. Where a side has no words, it is not asked.
    """
    found: dict[str, dict[str, Any]] = {}
    with duckdb.connect(str(catalog), read_only=True) as con:

        def add(name: str, hashes: list[str], **words: Any) -> None:
            files = [path for (path,) in con.execute(PATHS, {"hashes": hashes}).fetchall()]
            found[name] = {"hashes": hashes, "files": files, **words}

        for count in COUNTS:
            hashes = _column(con, HASHES, count=count)
            where = f"where strategy_hash in ({', '.join(map(repr, hashes))})"
            add(
                f"{count} traces" if count > 1 else "1 trace", hashes,
                catalog=f"{SUMS} from signals {where}", glob=f"{SUMS} from files {where}",
                list=f"{SUMS} from read_parquet($files)",
                lake=[f"{SUMS} from lake.signals {where}"],
            )  # fmt: skip
        where = _about_300(len({path.name for path in runs.iterdir()}))
        named = where.replace("param_", "s.param_")
        add(
            "parameters", _column(con, f"select strategy_hash from strategies where {where}"),
            catalog=f"{SUMS} from signals join strategies as s using (strategy_hash) where {named}",
            glob=f"{SUMS} from files where strategy_hash in (select strategy_hash from configured "
            f"where {where})",
            list=f"{SUMS} from read_parquet($files)",
            lake=[f"select strategy_hash from lake.strategies where {where}",
                  f"{SUMS} from lake.signals where strategy_hash in ($hashes)"],
        )  # fmt: skip
        counted = "select strategy_hash, count(*) from"
        add(
            "top 20", _column(con, f"select strategy_hash from strategy_index {TOP}"),
            catalog=f"with top as (select strategy_hash from strategy_index {TOP}) "
            f"{counted} signals join top using (strategy_hash) group by all",
            glob=f"{counted} files group by all "
            f"{TOP.replace('change_count', 'count(*)')}",
            list=f"{counted} read_parquet($files) group by all",
            lake=[f"select strategy_hash from lake.strategies {TOP}",
                  f"{counted} lake.signals where strategy_hash in ($hashes) group by all"],
        )  # fmt: skip
    last = "(select arg_max(val, idx) as val, max(idx) as bar_index from $from group by $by)"
    found["last signals"] = {
        "catalog": f"{LAST} last_signals()",
        "glob": f"{LAST} {last.replace('$from', 'files').replace('$by', 'filename')}",
        "lake": [f"{LAST} {last.replace('$from', 'lake.signals').replace('$by', 'strategy_hash')}"],
    }
    average = "select strategy_type, count(*), round(avg(val), 9) from"
    found["aggregate"] = {
        "catalog": f"{average} signals group by all",
        "glob": f"{average.replace('strategy_type', _TYPE)} files group by all",
        "lake": [f"{average} lake.signals join lake.strategies using (strategy_hash) group by all"],
    }
    return found


_TYPE = "string_split(filename, '/')[-2]"


def _about_300(blocks: int) -> str:
    # Of each run 4 traces share a period and a deviation.
    periods = max(1, -(-300 // (4 * blocks)))
    last = 19 + periods
    return (
        f"param_period between 20 and {last} and param_std_dev = 2.0 "
        f"and param_block < {-(-300 // (4 * periods))}"
    )


def _column(con: duckdb.DuckDBPyConnection, query: str, **values: object) -> list[str]:
    return [value for (value,) in con.execute(query, values).fetchall()]


VIEWS = """
create view files as select * from read_parquet('{glob}', filename = true);
create view configured as
select
    strategy_hash,
    cast(metadata->>'$.parameters.period' as bigint) as param_period,
    cast(metadata->>'$.parameters.std_dev' as double) as param_std_dev,
    cast(metadata->>'$.parameters.block' as bigint) as param_block
from files
where metadata is not null;
"""
"""What somebody has who has no catalog: a view over all files, and the configurations in them."""

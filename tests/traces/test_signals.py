"""Arrays of bars × strategies become trace files, whatever library they come from."""

from __future__ import annotations

import os
from datetime import timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import CatalogError, UsageError
from catalog.traces.read import read_trace_file
from catalog.traces.signals import write_signals
from conftest import OPEN

BARS = 50


def configs(count: int) -> list[dict[str, object]]:
    return [{"type": "t", "parameters": {"x": number}} for number in range(count)]


def positions(count: int) -> np.ndarray:
    return np.random.default_rng(7).choice([0.0, 1.0, -1.0, 0.5], (BARS, count))


def contents(paths) -> list[tuple[object, ...]]:
    return [
        (trace.strategy_id, trace.rows_digest, trace.first_bar, trace.last_bar, trace.first_ts)
        for trace in map(read_trace_file, map(str, paths))
    ]


TIMES = np.array(OPEN.replace(tzinfo=None), "datetime64[m]") + np.arange(BARS)


def test_every_library_gives_the_same_files(tmp_path):
    pandas = pytest.importorskip("pandas")
    values, names = positions(20), [f"s{number}" for number in range(20)]
    about = {"configs": configs(20), "symbol": "SPY", "timeframe": "1m", "ts": TIMES}
    frame = pandas.DataFrame(values, columns=names)
    columns = {name: values[:, number] for number, name in enumerate(names)}
    sparse = {}
    for name, column in columns.items():
        kept = np.flatnonzero(np.concatenate(([True], column[1:] != column[:-1])))
        sparse[name] = (kept, column[kept])
    forms = {
        "numpy": (values, {"strategy_ids": names}),
        "fortran": (np.asfortranarray(values), {"strategy_ids": names}),
        "arrow": (pa.table(columns), {}),
        "pandas": (frame, {}),
        "sparse": (sparse, {"bar_index": range(BARS)}),
    }
    forms["polars"] = (pytest.importorskip("polars").DataFrame(columns), {})

    written = {
        form: contents(write_signals(tmp_path / form, given, **about, **more))
        for form, (given, more) in forms.items()
    }

    assert len(written["numpy"]) == 20
    assert all(found == written["numpy"] for found in written.values())


def test_the_index_of_a_frame_is_its_time(tmp_path):
    pandas = pytest.importorskip("pandas")
    index = pandas.DatetimeIndex(TIMES).tz_localize("UTC").tz_convert("America/New_York")
    frame = pandas.DataFrame({"a": positions(1)[:, 0]}, index=index)

    (path,) = write_signals(tmp_path, frame, configs=configs(1), symbol="SPY")

    assert pq.read_table(path)["ts"][0].as_py() == OPEN
    with pytest.raises(UsageError, match="know no zone"):
        naive = frame.tz_localize(None)
        write_signals(tmp_path, naive, configs=configs(1), symbol="SPY")


def test_one_series_is_one_strategy(tmp_path):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    values = positions(1)[:, 0]
    for form in (pandas.Series(values, name="a"), polars.Series("a", values), values):
        names = {} if hasattr(form, "name") else {"strategy_ids": ["a"]}
        (path,) = write_signals(tmp_path, form, configs=configs(1), symbol="SPY", **names)
        assert pq.read_table(path)["val"][0].as_py() == values[0]


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_is_kept_is_what_changed(tmp_path_factory, data):
    count = data.draw(st.integers(1, 40))
    cells = st.sampled_from([0.0, 1.0, -1.0, 0.25])
    column = st.lists(cells, min_size=1, max_size=30)
    length = len(first := data.draw(column))
    values = np.array(
        [first]
        + [data.draw(st.lists(cells, min_size=length, max_size=length)) for _ in range(count - 1)]
    ).T

    paths = write_signals(
        tmp_path_factory.mktemp("run"), values, configs=configs(count), symbol="SPY",
        strategy_ids=[str(number) for number in range(count)],
    )  # fmt: skip

    for number, path in enumerate(paths):
        one = values[:, number]
        kept = [bar for bar in range(length) if bar == 0 or one[bar] != one[bar - 1]]
        table = pq.read_table(path)
        assert table["idx"].to_pylist() == kept
        assert table["val"].to_pylist() == one[kept].tolist()


def test_prices_and_their_digest_are_recorded(tmp_path):
    prices = np.linspace(500, 600, BARS)
    about = {"configs": configs(1), "symbol": "SPY", "strategy_ids": ["a"], "ts": TIMES}
    values = positions(1)

    (path,) = write_signals(tmp_path / "a", values, prices=prices, **about)
    (other,) = write_signals(tmp_path / "b", values, prices=prices + 1, **about)

    table = pq.read_table(path)
    assert table["px"].to_pylist() == prices[table["idx"].to_numpy()].tolist()
    digests = {read_trace_file(str(one)).data_digest for one in (path, other)}
    assert len(digests) == 2 and None not in digests


@pytest.mark.parametrize(
    "change, message",
    [
        ({"strategy_ids": ["a"]}, "1 strategy ids and 2 configs"),
        ({"strategy_ids": ["a", "a"]}, "there twice"),
        ({"strategy_ids": ["a", "../b"]}, "begins with a dot"),
        ({"strategy_ids": None}, "have no names"),
        ({"configs": configs(3), "strategy_ids": ["a", "b", "c"]}, "2 columns"),
        ({"configs": [{"type": "t"}, {"x": 1}]}, "no type"),
        ({"values": np.array([[1.0, np.nan], [0.0, 0.0]])}, "values of b have NaN"),
        ({"values": np.array([["a", "b"], ["c", "d"]])}, "are numbers"),
        ({"values": np.zeros((2, 2, 2))}, "3 dimensions"),
        ({"ts": TIMES[:1]}, "1 values for 2 bars"),
        ({"bar_index": [1, 0]}, "ascending"),
        ({"values": {"a": ([0], [1.0]), "b": ([7], [1.0])}, "bar_index": [0, 1]}, "none of bar"),
        ({"values": {"a": ([0], [1.0]), "b": ([1], [1.0])}}, "how many bars"),
        ({"values": {"a": ([0], [1.0, 2.0]), "b": ([1], [1.0])}, "bar_index": [0, 1]}, "1 bars"),
    ],
)
def test_what_does_not_fit_together_is_refused_and_leaves_nothing(tmp_path, change, message):
    usual = {
        "values": np.array([[1.0, 0.0], [0.0, 0.0]]),
        "configs": configs(2),
        "symbol": "SPY",
        "strategy_ids": ["a", "b"],
    }
    options = {**usual, **change}

    with pytest.raises(CatalogError, match=message):
        write_signals(tmp_path / "run", options.pop("values"), **options)

    files = [name for _, _, names in os.walk(tmp_path) for name in names]
    assert files == []


def test_configurations_may_come_by_strategy_id(tmp_path):
    about = dict(zip("ab", configs(2), strict=True))
    values = {"b": ([0], [1.0]), "a": ([0, 3], [0.0, 1.0])}

    paths = write_signals(
        tmp_path, values, configs=about, symbol="SPY", bar_index=range(5),
        ts=[OPEN + timedelta(minutes=bar) for bar in range(5)],
    )  # fmt: skip

    found = [read_trace_file(str(path)) for path in paths]
    assert [trace.strategy_id for trace in found] == ["b", "a"]
    assert [trace.footer_config for trace in found] == [about["b"], about["a"]]


def test_whole_and_fractional_positions_read_right_in_a_plain_glob(tmp_path):
    for name, values in (("a_whole", [0.0, 1.0, -1.0]), ("b_half", [0.5, -0.25, 0.0])):
        write_signals(
            tmp_path / "run",
            np.array(values),
            configs=configs(1),
            strategy_ids=[name],
            symbol="SPY",
        )

    found = duckdb.sql(f"""
        select strat, list(val order by idx)
        from read_parquet('{tmp_path}/run/traces/signals/*/*.parquet')
        group by strat order by strat
    """).fetchall()

    assert found == [("a_whole", [0.0, 1.0, -1.0]), ("b_half", [0.5, -0.25, 0.0])]

"""The real traces against the real prices: 1,619 of them, and what the dense computation says."""

from __future__ import annotations

import numpy as np
import pytest

from catalog import Catalog
from catalog.prices.series import load_series
from catalog.store.database import reading
from conftest import SHARED, rows
from dense import dense_figures


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    if not SHARED.is_dir():
        pytest.skip("the real data is not beside this repository")
    catalog = Catalog(tmp_path_factory.mktemp("real") / "catalog.duckdb")
    catalog.register(SHARED / "data" / "old_traces")
    catalog.add_prices(
        SHARED / "data" / "prices" / "SPY_1m.parquet",
        symbol="SPY",
        timeframe="1m",
        tz="America/New_York",
    )
    return catalog, catalog.metrics()


def test_all_real_signal_traces_are_measured_and_fifty_equal_the_dense_computation(measured):
    catalog, report = measured
    assert report.measured == 1619
    assert report.matched == {"ts": 1419, "bar_index": 200}
    with reading(catalog.path) as con:
        series = load_series(con, catalog.path)["SPY", "1m"]
    ids = [
        trace_id
        for (trace_id,) in rows(
            catalog, "select trace_id from metrics order by md5(trace_id) limit 50"
        )
    ]
    chosen = {"ids": ids}
    changes = catalog.sql(
        "select trace_id, list(bar_index order by bar_index), list(val order by bar_index) "
        "from signals where list_contains($ids, trace_id) group by all",
        chosen,
    ).fetchall()
    found = {
        row["trace_id"]: row
        for row in catalog.sql(
            "select * from metrics where list_contains($ids, trace_id)", chosen
        ).table.to_pylist()
    }

    assert len(changes) == 50
    for trace_id, bars, values in changes:
        own = found[trace_id]
        first, count = own["start_bar"], own["bar_count"]
        wanted = dense_figures(series, bars, values, first=first, last=first + count - 1)
        for name in own.keys() & wanted.keys():
            value = np.nan if own[name] is None else own[name]
            np.testing.assert_allclose(
                value, wanted[name], rtol=1e-9, atol=1e-12, err_msg=f"{trace_id} {name}"
            )


def test_what_has_too_few_sessions_is_not_annualised(measured):
    catalog, report = measured

    assert report.notes["too few sessions to annualise (fewer than 20)"] == 1616
    assert rows(
        catalog,
        "select count(sharpe), count(annual_return), count(turnover), count(deflated_sharpe) "
        "from metrics where sessions < 20",
    ) == [(0, 0, 0, 0)]
    assert rows(
        catalog, "select count(*) from metrics where sessions < 20 and total_return is null"
    ) == [(0,)]

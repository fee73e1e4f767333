"""What a file calls its columns and writes as times; which series are refused, and what is odd."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import PriceFileError, UsageError
from catalog.prices.bars import Bars
from catalog.prices.checks import Finding, missing_bars
from catalog.prices.columns import choose_columns
from catalog.prices.prepare import prepare, terms_of
from catalog.prices.source import read_source

NEW_YORK = "America/New_York"


def made(
    ts: object,
    *,
    timeframe: str = "1m",
    tz: str | None = None,
    label: str = "open",
    regular_hours: str | None = None,
    close: list[float] | None = None,
    **columns: list[float],
) -> tuple[Bars, list[Finding]]:
    """Return what becomes of rows with these times."""
    close = [100.0] * len(ts) if close is None else close
    table = pa.table({"ts": ts, "close": close, **columns})
    terms = terms_of("SPY", timeframe, tz=tz, label=label, regular_hours=regular_hours)
    return prepare(read_source(table), terms, tz=tz)


def days(bars: Bars) -> list[date]:
    return bars.session_date.tolist()


def moments(micros: np.ndarray) -> list[str]:
    return [str(one)[:16] for one in micros.astype("datetime64[us]")]


def minutes(first: str, count: int, *, tz: str | None = "UTC") -> list[datetime]:
    return pd.date_range(first, periods=count, freq="min", tz=tz).to_pydatetime().tolist()


@pytest.mark.parametrize(
    ("names", "ts", "close"),
    [
        (["timestamp", "open", "close"], "timestamp", "close"),
        (["Date", "Open", "High", "Low", "Close", "Volume"], "Date", "Close"),
        (["DATETIME", "c", "o"], "DATETIME", "c"),
        (["time", "last"], "time", "last"),
        (["", "Close"], "", "Close"),
        (["Date", "Adj Close"], "Date", "Adj Close"),
        (["date", "timestamp", "close"], "timestamp", "close"),
    ],
)
def test_columns_are_found_by_their_usual_names(names, ts, close):
    chosen = choose_columns(names).columns

    assert (chosen["ts"], chosen["close"]) == (ts, close)


def test_columns_that_the_user_names_come_first():
    chosen = choose_columns(["ts", "close", "Mid"], {"close": "mid"}).columns

    assert chosen["close"] == "Mid"


def test_an_adjusted_close_is_offered_and_never_mixed_with_raw_prices():
    names = ["Date", "Open", "Close", "Adj Close"]

    offered = choose_columns(names)
    taken = choose_columns(names, {"close": "Adj Close"})

    assert offered.columns["close"] == "Close"
    assert "--column close='Adj Close'" in offered.notes[0]
    assert "open" not in taken.columns
    assert "open left out" in taken.notes[0]


@pytest.mark.parametrize(
    ("names", "given", "says"),
    [
        (["close"], {}, "No column is recognised as ts"),
        (["ts", "price"], {}, "No column is recognised as close: there are 'ts', 'price'"),
        (["ts", "close"], {"close": "mid"}, "There is no column mid"),
        (["ts", "close"], {"mid": "close"}, "mid is nothing that bars have"),
        (["date", "time", "close"], {}, "a column of dates and one of times"),
    ],
)
def test_columns_that_are_not_found_are_named(names, given, says):
    with pytest.raises((PriceFileError, UsageError), match=says) as refused:
        choose_columns(names, given)

    assert refused.value.hint


@pytest.mark.parametrize(
    "times",
    [
        ["2024-03-26T09:30:00-04:00", "2024-03-26T09:31:00-04:00"],
        ["2024-03-26 13:30:00Z", "2024-03-26 13:31:00Z"],
        ["2024-03-26 09:30:00", "2024-03-26 09:31:00"],
        minutes("2024-03-26 13:30", 2),
        minutes("2024-03-26 09:30", 2, tz=None),
        minutes("2024-03-26 09:30", 2, tz=NEW_YORK),
        [1711459800, 1711459860],
        [1711459800_000, 1711459860_000],
        [1711459800_000_000, 1711459860_000_000],
        [1711459800_000_000_000, 1711459860_000_000_000],
        pa.array(["2024-03-26T13:30Z", "2024-03-26T13:31Z"]).dictionary_encode(),
    ],
)
def test_times_are_understood_however_they_are_written(times):
    bars, found = made(times, tz=NEW_YORK)

    assert moments(bars.ts) == ["2024-03-26T13:30", "2024-03-26T13:31"]
    assert moments(bars.ts_local) == ["2024-03-26T09:30", "2024-03-26T09:31"]
    assert found == []


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_csv_and_parquet_are_told_apart_by_what_is_in_them(tmp_path, kind):
    frame = pd.DataFrame({"Close": [1.5, 2.5]}, index=pd.date_range("2024-03-25", periods=2))
    path = tmp_path / "prices.data"
    frame.to_csv(path) if kind == "csv" else frame.to_parquet(path)
    terms = terms_of("SPY", "1d", tz=None, label="open", regular_hours=None)

    bars, _ = prepare(read_source(path), terms, tz=None)

    assert days(bars) == [date(2024, 3, 25), date(2024, 3, 26)]
    assert bars.prices["close"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("times", "options", "says"),
    [
        (["2024-03-26 09:30"], {}, "have no offset from UTC, such as 2024-03-26 09:30:00"),
        (["2024-03-26T09:30Z", "2024-03-26T09:31"], {}, "1 times have an offset"),
        (["03/26/2024 09:30"], {}, "time of row 1 is '03/26/2024 09:30'"),
        (["2024-03-26T09:30Z", None], {}, "time of row 2 is missing"),
        ([1, 2], {}, "which is no time"),
        ([1.5, 2.5], {}, "type double"),
        (["2024-03-10 02:30"], {"tz": NEW_YORK}, "does not exist in America/New_York"),
        (minutes("2024-03-26", 3) * 2, {}, "2024-03-26 00:00:00 UTC is there twice, and 2 more"),
        (minutes("2024-03-26", 9), {"timeframe": "5m"}, "mostly 1m apart, which is not 5m"),
        (minutes("2024-03-26", 99)[::5], {}, "mostly 5m apart, which is not 1m"),
        ([date(2024, 3, 26), date(2024, 3, 27)], {}, "mostly 1d apart"),
        ([date(2024, 3, 26)], {"timeframe": "1d", "label": "close"}, "no moments of closing"),
        (
            [datetime(2024, 3, 26, tzinfo=ZoneInfo("UTC"))],
            {"timeframe": "1d", "tz": NEW_YORK},
            "the day before in America/New_York",
        ),
    ],
)
def test_times_that_make_no_series_are_refused(times, options, says):
    with pytest.raises(PriceFileError, match=says) as refused:
        made(times, **options)

    assert refused.value.hint


@pytest.mark.parametrize(
    "options",
    [
        {"timeframe": "soon"},
        {"timeframe": "0m"},
        {"symbol": " "},
        {"symbol": "SPY_5m"},
        {"tz": "Mars/Olympus"},
        {"label": "middle"},
        {"regular_hours": "16:00-09:30"},
        {"regular_hours": "late"},
        {"timeframe": "1d", "regular_hours": "09:30-16:00"},
    ],
)
def test_options_that_mean_nothing_are_refused(options):
    given = {"symbol": "SPY", "timeframe": "1m", "tz": None, "label": "open"}
    given |= {"regular_hours": None} | options

    with pytest.raises(UsageError):
        terms_of(given.pop("symbol"), given.pop("timeframe"), **given)


def test_symbols_and_timeframes_are_written_as_traces_have_them():
    terms = terms_of("SPY_5m", "5min", tz=None, label="open", regular_hours=None)

    assert (terms.symbol, terms.timeframe) == ("SPY", "5m")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Cannot read"),
        (b"PAR1 but no more", "Cannot read"),
        (b"ts,close\n", "no bars"),
        (b"ts,close\n2024-03-26T09:30Z,n.a.\n", "close holds no numbers"),
        (b"ts,close\n2024-03-26T09:30Z,0\n", "No bar has a price"),
    ],
)
def test_files_without_prices_are_refused(tmp_path, content, says):
    path = tmp_path / "prices"
    path.write_bytes(content)
    terms = terms_of("SPY", "1m", tz=None, label="open", regular_hours=None)

    with pytest.raises(PriceFileError, match=says) as refused:
        prepare(read_source(path), terms, tz=None)

    assert refused.value.hint


def test_a_damaged_parquet_file_is_refused(tmp_path):
    path = tmp_path / "prices.parquet"
    times = pd.date_range("2024-03-26", periods=5000, freq="min", tz="UTC")
    table = pa.table({"ts": times, "close": np.random.default_rng(1).random(5000)})
    pq.write_table(table, path, write_page_checksum=True, compression="none")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(PriceFileError, match="Cannot read"):
        read_source(path)


def test_what_is_no_table_is_refused():
    with pytest.raises(UsageError, match="no table of prices"):
        read_source(object())
    with pytest.raises(UsageError, match="no file"):
        read_source("no/such/file")


def test_rows_are_sorted_and_that_is_said():
    times = minutes("2024-03-26 13:30", 3)[::-1]

    bars, found = made(times, close=[3.0, 2.0, 1.0])

    assert bars.prices["close"].tolist() == [1.0, 2.0, 3.0]
    assert [("sorted" in one.text, one.needs_attention) for one in found] == [(True, False)]


def test_a_bar_is_known_when_it_ends():
    times = minutes("2024-03-26 13:30", 2)

    by_open, _ = made(times)
    by_close, _ = made(times, label="close")
    daily, _ = made([date(2024, 3, 8), date(2024, 3, 9), date(2024, 3, 10)],
                    timeframe="1d", tz=NEW_YORK)  # fmt: skip

    assert moments(by_open.known_at) == ["2024-03-26T13:31", "2024-03-26T13:32"]
    assert moments(by_close.known_at) == ["2024-03-26T13:30", "2024-03-26T13:31"]
    # Clocks went forward on the tenth: that day has 23 hours.
    assert moments(daily.ts) == ["2024-03-08T05:00", "2024-03-09T05:00", "2024-03-10T05:00"]
    assert moments(daily.known_at) == ["2024-03-09T05:00", "2024-03-10T05:00", "2024-03-11T04:00"]


def test_a_session_is_a_day_of_the_market():
    times = [*minutes("2024-03-26 23:58", 4), *minutes("2024-03-27 03:58", 4)]

    utc, _ = made(times)
    new_york, _ = made(times, tz=NEW_YORK)
    by_close, _ = made(times, tz=NEW_YORK, label="close")

    assert utc.session.tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert new_york.session.tolist() == [0, 0, 0, 0, 0, 0, 1, 1]
    # The bar that ends at midnight traded on the day before.
    assert by_close.session.tolist() == [0, 0, 0, 0, 0, 0, 0, 1]


def test_a_day_that_is_labelled_by_its_close_is_the_day_it_closed_on():
    closes = [datetime(2024, 3, day, 16, tzinfo=ZoneInfo(NEW_YORK)) for day in (26, 27)]

    bars, _ = made(closes, timeframe="1d", tz=NEW_YORK, label="close")

    assert days(bars) == [date(2024, 3, 26), date(2024, 3, 27)]


@pytest.mark.parametrize(("label", "shift"), [("open", 0), ("close", 1)])
def test_regular_hours_are_told_from_those_around_them(label, shift):
    times = [*minutes("2024-03-26 13:28", 4), *minutes("2024-03-26 19:58", 4)]
    times = [time + pd.Timedelta(minutes=shift) for time in times]

    bars, _ = made(times, tz=NEW_YORK, label=label)
    all_day, _ = made(times)

    assert bars.to_arrow().column("session").to_pylist() == (
        ["pre"] * 2 + ["regular"] * 4 + ["post"] * 2
    )
    assert set(all_day.to_arrow().column("session").to_pylist()) == {"regular"}


def test_hours_follow_the_clock_when_it_changes():
    # Clocks went forward in New York on Sunday, 10 March 2024.
    times = [*minutes("2024-03-08 14:30", 2), *minutes("2024-03-11 13:30", 2)]

    bars, _ = made(times, tz=NEW_YORK)

    assert moments(bars.ts_local)[::2] == ["2024-03-08T09:30", "2024-03-11T09:30"]
    assert bars.is_regular.all()


@pytest.mark.parametrize("direction", [1, -1])
def test_the_hour_that_clocks_show_twice_is_two_hours(direction):
    utc = pd.date_range("2024-11-03 04:00", periods=240, freq="min", tz="UTC")
    local = utc.tz_convert(NEW_YORK).tz_localize(None).to_pydatetime().tolist()

    bars, _ = made(local[::direction], tz=NEW_YORK)

    assert moments(bars.ts) == [str(one)[:16].replace(" ", "T") for one in utc]
    assert set(days(bars)) == {date(2024, 11, 3)}


@given(
    start=st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
    zone=st.sampled_from(["UTC", NEW_YORK, "Europe/London", "Asia/Tokyo", "America/St_Johns",
                          "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo"]),
    label=st.sampled_from(["open", "close"]),
    timeframe=st.sampled_from(["1m", "7m", "1h", "6h", "1d"]),
    count=st.integers(1, 200),
)  # fmt: skip
def test_sessions_never_go_back_and_no_bar_is_known_before_its_label(
    start, zone, label, timeframe, count
):
    step = terms_of("X", timeframe, tz=None, label="open", regular_hours=None).step
    first = np.datetime64(start.replace(microsecond=0), "us").astype(np.int64)
    if timeframe == "1d":
        local = pa.array(first // step * step + np.arange(count) * step, pa.timestamp("us"))
        times = local.cast(pa.date32())
        label = "open"
    else:
        times = pa.array(first + np.arange(count) * step, pa.timestamp("us", "UTC"))

    bars, _ = made(times, timeframe=timeframe, tz=zone, label=label)

    assert np.all(np.diff(bars.ts) > 0)
    assert np.all(np.diff(bars.session_date.astype(int)) >= 0)
    assert np.all(bars.known_at >= bars.ts)
    assert np.all(np.diff(bars.known_at) > 0)
    if timeframe == "1d":
        assert bars.session_count == count


def test_what_is_no_price_is_unknown_and_its_bar_stays():
    nan, inf = float("nan"), float("inf")
    close = [1.0, nan, 0.0, -1.0, inf, 2.0]

    bars, found = made(
        minutes("2024-03-26 13:30", 6), close=close, open=[0.0] * 6, volume=[-1.0] * 6
    )

    assert len(bars) == 6
    assert bars.without_price == 4
    assert bars.to_arrow().column("close").to_pylist() == [1.0, None, None, None, None, 2.0]
    assert bars.to_arrow().column("open").null_count == 6
    assert bars.to_arrow().column("volume").null_count == 6
    assert [one.text[:30] for one in found] == [
        "1 bars have no close, the firs", "3 bars have a close that is ze",
        "6 bars have an open that is ze",
    ]  # fmt: skip
    assert [one.needs_attention for one in found] == [False, True, True]


@pytest.mark.parametrize("name", ["open", "high", "low"])
def test_prices_that_are_none_beside_the_close_are_unknown_and_said(name):
    nan, inf = float("nan"), float("inf")

    bars, found = made(
        minutes("2024-03-26 13:30", 5), **{name: [100.0, nan, 0.0, -1.0, inf]}
    )  # fmt: skip

    assert bars.to_arrow().column(name).to_pylist() == [100.0, None, None, None, None]
    (one,) = found
    assert one.text.startswith("3 bars have a")
    assert f"{name} that is zero, negative or infinite" in one.text
    assert "the first at 2024-03-26 13:32:00 UTC" in one.text
    assert one.needs_attention


@pytest.mark.parametrize(
    ("prices", "says"),
    [
        ({"high": 99.0, "low": 101.0}, "have a high below their low"),
        ({"high": 99.0}, "have an open or close"),
        ({"low": 101.0}, "have an open or close"),
        ({"open": 98.0, "low": 99.0, "high": 101.0}, "have an open or close"),
        ({"open": 102.0, "low": 99.0, "high": 101.0}, "have an open or close"),
        ({"open": 98.0, "low": float("nan"), "high": 101.0}, None),
        ({"high": 100.0 * (1 - 1e-10), "low": 100.0 * (1 + 1e-10)}, None),
        ({"open": 100.0, "high": 100.0, "low": 100.0}, None),
        ({"open": 1.7e308, "high": 1.7e308, "low": 1e-308}, None),
    ],
)
def test_prices_of_a_bar_that_contradict_one_another_are_said(prices, says):
    columns = {name: [float("nan"), price, price] for name, price in prices.items()}

    bars, found = made(minutes("2024-03-26 13:30", 3), **columns)

    assert len(bars) == 3
    assert [one.text.split(", ")[0].split(" outside")[0] for one in found] == (
        [] if says is None else [f"2 bars {says}"]
    )
    assert all("the first at 2024-03-26 13:31:00 UTC" in one.text for one in found)
    assert all(one.needs_attention for one in found)


@pytest.mark.parametrize(
    ("before", "after", "is_split"),
    [
        (300.0, 100.5, True),
        (100.0, 200.0, True),
        (150.0, 100.0, True),
        (100.0, 1001.0, True),
        (100.0, 130.0, False),
        (100.0, 95.0, False),
        (100.0, 60.0, False),
    ],
)
def test_a_price_that_jumps_like_a_split_between_sessions_is_said(before, after, is_split):
    times = [*minutes("2024-03-26 13:30", 2), *minutes("2024-03-27 13:30", 2)]

    _, across = made(times, close=[before, before, after, after])
    _, inside = made(times, close=[before, after, after, after])

    assert [one.needs_attention for one in across] == [True] * is_split
    assert inside == []


def test_bars_that_are_missing_inside_a_session_are_counted():
    times = [*minutes("2024-03-26 13:30", 10), *minutes("2024-03-27 13:30", 10)]
    del times[3:5]

    bars, found = made(times, tz=NEW_YORK)

    assert missing_bars(bars) == 2
    assert found == []


def test_times_off_the_grid_are_said():
    times = minutes("2024-03-26 13:30", 10)
    times[4] += pd.Timedelta(seconds=30)

    _, found = made(times)

    assert "2 times are no multiple of 1m after the one before" in found[0].text
    assert "2024-03-26 13:34:30 UTC" in found[0].text


def test_years_are_counted_over_the_whole_series():
    weekdays = pd.bdate_range("2020-01-01", "2024-12-31")
    every_day = pd.date_range("2020-01-01", "2024-12-31")

    trading, _ = made(weekdays.date.tolist(), timeframe="1d")
    always, _ = made(every_day.date.tolist(), timeframe="1d")
    short, _ = made(weekdays.date.tolist()[:50], timeframe="1d")
    weekend, _ = made(every_day.date.tolist()[:50], timeframe="1d")
    weekly, _ = made(every_day.date.tolist()[:350:7], timeframe="1w")
    minute, _ = made(minutes("2024-03-26 13:30", 390) + minutes("2024-03-27 13:30", 390))

    assert trading.sessions_per_year == pytest.approx(260.9, abs=0.5)
    assert always.bars_per_year == pytest.approx(365.25, abs=0.5)
    assert (short.sessions_per_year, weekend.sessions_per_year) == (252, 365)
    assert weekly.sessions_per_year == pytest.approx(52.18, abs=0.01)
    assert minute.bars_per_year == 252 * 390


def test_the_digest_is_of_everything_that_numbers_depend_on():
    times = minutes("2024-03-26 13:30", 3)
    same, _ = made(times)

    assert made(times)[0].digest == same.digest
    assert made(times, volume=[1.0, 2.0, 3.0])[0].digest == same.digest
    assert made(times, volume=[1.0, 2.0, 3.0])[0].file_digest != same.file_digest
    others = [
        made(times, label="close"),
        made(times, tz=NEW_YORK),
        made(times, close=[100.0, 100.0, 100.1]),
        made(times, open=[100.0, 100.0, 100.0]),
        made(times, high=[100.0, 100.0, 100.0]),
        made(minutes("2024-03-26 13:31", 3)),
    ]
    assert len({bars.digest for bars, _ in others} | {same.digest}) == 7

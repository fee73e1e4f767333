"""What the tables know and no trace file says lies beside the catalog, before it is committed."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog import write_signals
from catalog.store.database import writing
from catalog.store.facts import damaged_facts, facts_of, noting, write_missing
from catalog.store.journal import append_facts, journal_path
from catalog.store.kept import write_missing_pack_facts
from catalog.store.transactions import transaction
from catalog.store.trials import (
    note_trials,
    restore_trials,
    trial_files,
    write_missing_trials,
)
from catalog.traces.pack import companion
from catalog.upkeep.forgotten import remove_emptied
from catalog.upkeep.spare import is_spare
from conftest import rows


def add_root(con: duckdb.DuckDBPyConnection, prefix: str) -> None:
    con.execute(
        "insert into root select coalesce(max(root_id), 0) + 1, $p, true from root", {"p": prefix}
    )


def add_trials(con: duckdb.DuckDBPyConnection, digests: list[str]) -> None:
    insert = "insert into trial select 'SPY', '1m', '2024-01-01', '2024-02-01', unnest($d), false"
    con.execute(f"{insert}, now()", {"d": digests})


def test_what_a_block_changes_is_noted_and_what_it_leaves_is_not(catalog):
    with writing(catalog.path) as con:
        with transaction(con), noting(con, "roots"):
            add_root(con, "a/")
            add_root(con, "b/")
        with transaction(con), noting(con, "roots"):
            pass

    assert list(facts_of(catalog.path, "roots")) == [("a/", True), ("b/", True)]
    assert len(journal_path(catalog.path, "roots").read_text().splitlines()) == 2


def test_a_fact_that_holds_no_more_is_taken_away(catalog):
    with writing(catalog.path) as con:
        with transaction(con), noting(con, "roots"):
            add_root(con, "a/")
        with transaction(con), noting(con, "roots"):
            con.execute("delete from root")

    assert facts_of(catalog.path, "roots") == {}


def test_facts_are_on_the_disk_before_the_transaction_is_committed(catalog):
    with writing(catalog.path) as con, transaction(con):
        with noting(con, "roots"):
            add_root(con, "a/")

        assert list(facts_of(catalog.path, "roots")) == [("a/", True)]


def test_missing_facts_are_written_once_and_none_is_taken_away_that_the_tables_lack(catalog):
    append_facts(catalog.path, "roots", [{"prefix": "lost/", "is_relative": True}])
    with writing(catalog.path) as con:
        add_root(con, "a/")

        lacking = write_missing(con, catalog.path)
        once = journal_path(catalog.path, "roots").read_bytes()
        write_missing(con, catalog.path)

    assert lacking == {"roots": 1}
    assert list(facts_of(catalog.path, "roots")) == [("lost/", True), ("a/", True)]
    assert journal_path(catalog.path, "roots").read_bytes() == once


def test_a_journal_has_the_last_word_over_tables_that_say_otherwise(catalog):
    key = {"prefix": "a/", "is_relative": True}
    append_facts(catalog.path, "roots", [key, key | {"gone": True}])
    with writing(catalog.path) as con:
        add_root(con, "a/")

        write_missing(con, catalog.path)

    assert facts_of(catalog.path, "roots") == {}


def test_what_is_no_fact_is_passed_over_and_named(catalog):
    path = catalog.path
    good = {"prefix": "a/", "is_relative": True}
    append_facts(path, "roots", [good, {"prefix": ["a"], "is_relative": True}])
    append_facts(path, "prices", [{"symbol": "SPY", "timeframe": "1m", "digest": "x"}])
    append_facts(path, "runs", [good, good | {"gone": True}])
    with journal_path(path, "roots").open("ab") as file:
        file.write(b'no JSON\n{"half')

    assert list(facts_of(path, "roots")) == [("a/", True)]
    assert facts_of(path, "prices") == facts_of(path, "runs") == {}
    assert [one.rpartition("/")[2] for one in damaged_facts(path)] == [
        "roots.jsonl, line 2",
        "roots.jsonl, line 3",
        "runs.jsonl, line 1",
        "prices.jsonl, line 1",
    ]


def test_registering_notes_the_folder_the_run_and_its_sweep_once(catalog, write_run, write_sweep):
    run = write_run()
    sweep = write_sweep()

    for _ in range(2):
        catalog.register(run.parent, sweeps=[sweep])

    (root,) = facts_of(catalog.path, "roots").values()
    (noted,) = facts_of(catalog.path, "runs").values()
    assert root["prefix"] == f"{run.parent}/"
    assert (noted["run_id"], noted["prefix"], noted["is_home"]) == ("run_a", f"{run}/", True)
    kept = catalog.path.with_suffix(".d") / "sweeps" / f"{noted['sweep_digest']}.yaml"
    assert kept.read_bytes() == sweep.read_bytes()
    assert len(journal_path(catalog.path, "runs").read_text().splitlines()) == 1


def test_a_writer_notes_its_run_once_however_often_it_registers(catalog, tmp_path):
    for number in range(3):
        write_signals(
            tmp_path / "run", np.array([[0.0], [1.0]]), symbol="SPY", timeframe="1m",
            configs={f"s{number}": {"type": "sma", "parameters": {"n": number}}},
            ts=np.array(["2024-03-26T13:30", "2024-03-26T13:31"], "datetime64[us]"),
            prices=np.array([1.0, 2.0]), catalog=catalog.path,
        )  # fmt: skip

    assert len(journal_path(catalog.path, "roots").read_text().splitlines()) == 1
    assert len(journal_path(catalog.path, "runs").read_text().splitlines()) == 1


def test_a_price_series_is_noted_with_its_terms_and_numbering(catalog):
    ts = np.datetime64("2024-03-26T13:30", "us") + np.arange(9) * np.timedelta64(60, "s")
    table = pa.table({"ts": pa.array(ts, pa.timestamp("us", "UTC")), "close": np.arange(1.0, 10.0)})

    catalog.add_prices(
        table.slice(2), symbol="SPY", timeframe="1m", tz="America/New_York", adjustment="splits"
    )
    catalog.add_prices(table, symbol="SPY", timeframe="1m", tz="America/New_York")

    (noted,) = facts_of(catalog.path, "prices").values()
    assert (noted["time_zone"], noted["bar_label"], noted["regular_hours"]) == (
        "America/New_York", "open", "09:30-16:00",
    )  # fmt: skip
    assert (noted["prepended_bars"], noted["origin_bars"]) == (2, 7)
    assert (catalog.path.parent / noted["price_path"]).exists()


def test_the_ledger_of_trials_comes_back_as_it_was_written_in_parts(catalog):
    with writing(catalog.path) as con:
        for part in (["a", "b"], ["c"], []):
            with transaction(con):
                add_trials(con, part)
                note_trials(con)
        before = con.execute("from trial order by content_digest").fetchall()
        con.execute("delete from trial")
        with transaction(con):
            assert restore_trials(con, catalog.path) == []

        assert con.execute("from trial order by content_digest").fetchall() == before
    assert len(trial_files(catalog.path)) == 2


def test_many_parts_of_the_ledger_become_one(catalog, monkeypatch):
    monkeypatch.setattr("catalog.store.trials.MOST_FILES", 4)
    with writing(catalog.path) as con:
        for number in range(5):
            with transaction(con):
                add_trials(con, [f"{number:03}"])
                note_trials(con)
        con.execute("delete from trial")
        with transaction(con):
            restore_trials(con, catalog.path)
        counted = con.execute(
            "select count(distinct content_digest), count(*) from trial"
        ).fetchall()

    assert len(trial_files(catalog.path)) == 1
    assert counted == [(5, 5)]


def test_what_was_earned_on_prices_that_were_replaced_does_not_come_back(catalog):
    series = {"symbol": "SPY", "timeframe": "1m"}
    facts = [
        series | {"digest": "old", "added_at": "2024-01-01 00:00:00+00"},
        series | {"digest": "new", "added_at": "2025-01-01 00:00:00+00"},
    ]
    append_facts(catalog.path, "prices", facts)
    insert = (
        "insert into trial_figure select 1, 'SPY', '1m', '2024-01-01', '2024-02-01', $d, false, "
        "1.0, 0.0, $at"
    )
    with writing(catalog.path) as con:
        with transaction(con):
            con.execute(insert, {"d": "before", "at": datetime(2024, 6, 1, tzinfo=UTC)})
            con.execute(insert, {"d": "after", "at": datetime(2025, 6, 1, tzinfo=UTC)})
            write_missing_trials(con, catalog.path)
        with transaction(con):
            restore_trials(con, catalog.path)

        assert con.execute("select content_digest from trial_figure").fetchall() == [("after",)]


def test_a_damaged_part_of_the_ledger_is_named_and_the_rest_comes_back(catalog):
    with writing(catalog.path) as con:
        for part in (["a"], ["b"]):
            with transaction(con):
                add_trials(con, part)
                note_trials(con)
        first, _ = trial_files(catalog.path)
        data = bytearray(first.read_bytes())
        data[len(data) // 3] ^= 255
        first.write_bytes(data)
        with transaction(con):
            damaged = restore_trials(con, catalog.path)

        assert damaged == [first]
        assert con.execute("select content_digest from trial").fetchall() == [("b",)]


def test_tables_make_up_for_a_damaged_part_of_the_ledger_and_for_nothing_else(catalog):
    with writing(catalog.path) as con:
        for part in (["a"], ["b"]):
            with transaction(con):
                add_trials(con, part)
                note_trials(con)
        first, _ = trial_files(catalog.path)
        first.write_bytes(b"damaged")
        left = first.with_name(".old.parquet.1-0123abcd.tmp")
        left.write_bytes(b"half")

        write_missing_trials(con, catalog.path)
        write_missing_trials(con, catalog.path)

    *_, third = trial_files(catalog.path)
    assert len(trial_files(catalog.path)) == 3
    assert pq.read_table(third)["content_digest"].to_pylist() == ["a"]
    assert not left.exists()


def test_tables_make_up_for_what_is_not_kept_of_a_pack_and_drop_nothing(catalog, write_run):
    catalog.register(write_run().parent)
    catalog.compact(delete_originals=True)
    (kept,) = (catalog.path.with_suffix(".d") / "packed").glob("*.parquet")
    before = pq.read_table(kept)
    kept.write_bytes(b"damaged")
    with writing(catalog.path) as con:
        write_missing_pack_facts(con, catalog.path)
        assert pq.read_table(kept).drop_columns("config") == before.drop_columns("config")
        con.execute("delete from packed_trace")
        con.execute("delete from trace_file")
        write_missing_pack_facts(con, catalog.path)

    assert pq.read_table(kept)["trace_id"] == before["trace_id"]


def test_no_pack_is_spare_that_holds_what_the_catalog_does_not_know(catalog, write_run):
    catalog.register(write_run().parent)
    catalog.compact(delete_originals=True)
    (pack,) = (catalog.path.with_suffix(".d") / "packs").glob("*.parquet")
    with writing(catalog.path) as con:
        con.execute("delete from packed_trace")
        con.execute("delete from trace_file")
        ids = pq.read_table(companion(pack))["trace_id"].to_pylist()

        assert not is_spare(con, catalog.path, pack, unwanted=set())
        assert is_spare(con, catalog.path, pack, unwanted=set(ids))
        remove_emptied(con, catalog.path, {str(pack.relative_to(catalog.path.parent))})
        assert pack.exists()


def test_a_pack_has_beside_it_what_the_catalog_knows_of_its_traces(catalog, write_run, write_sweep):
    catalog.register(write_run().parent, sweeps=[write_sweep()])

    catalog.compact(delete_originals=True)

    side = catalog.path.with_suffix(".d")
    (pack,) = (side / "packs").glob("*.parquet")
    kept = pq.read_table(side / "packed" / pack.name)
    (expected,) = rows(catalog, "select trace_id, file_digest, strategy_hash from trace_files")
    assert [
        (row["trace_id"], row["file_digest"], row["strategy_hash"]) for row in kept.to_pylist()
    ] == [expected]
    assert kept["config"].to_pylist() == [
        '{"parameters":{"fast":5,"slow":20},"type":"sma_crossover"}'
    ]


def test_no_pack_is_deleted_that_a_catalog_which_was_lost_had_alone(catalog, tmp_path, write_run):
    catalog.register(write_run().parent)
    catalog.compact(delete_originals=True)
    packs = os.listdir(catalog.path.with_suffix(".d") / "packs")
    catalog.path.unlink()
    # Somebody goes on without it.
    other = write_run("run_b", {"SPY_sma_grid_7_20": [1, 1, 0]}, root=tmp_path / "more")
    catalog.register(other)

    catalog.compact()

    assert set(packs) < set(os.listdir(catalog.path.with_suffix(".d") / "packs"))


@pytest.mark.parametrize("name", ["roots", "runs", "prices", "metric_sets", "computations"])
def test_a_journal_that_holds_nonsense_is_read_all_the_same(tmp_path: Path, name):
    path = tmp_path / "catalog.duckdb"
    append_facts(path, name, [{"nonsense": 1}])
    with journal_path(path, name).open("ab") as file:
        file.write(b'[1, 2]\n{"half')

    assert facts_of(path, name) == {}

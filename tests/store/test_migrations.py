"""The schema moves forward in whole steps, and what does not fit is refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from catalog.errors import MigrationError, StoreError
from catalog.store.database import reading, writing
from catalog.store.migrations import (
    Migration,
    known_migrations,
    lacks_migrations,
    migrate,
)

NOTE = Migration(99, "0099_note", "create table internal.note (text varchar);")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.duckdb"
    with writing(path):
        pass
    return path


def ledger(path: Path) -> list[tuple[int, str]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute("select version, name from internal.migration order by 1").fetchall()


def test_a_new_catalog_has_every_migration_in_its_ledger(path):
    expected = [(m.version, m.name) for m in known_migrations()]

    assert ledger(path) == expected


def test_a_migration_is_applied_once(path):
    with writing(path) as con:
        first = migrate(con, path, [*known_migrations(), NOTE])
        second = migrate(con, path, [*known_migrations(), NOTE])

    assert (first, second) == (1, 0)


def test_a_migration_that_fails_changes_nothing(path):
    broken = Migration(99, "0099_broken", "create table internal.half (i int); select nonsense;")

    with writing(path) as con, pytest.raises(MigrationError, match="0099_broken failed"):
        migrate(con, path, [*known_migrations(), broken])

    with reading(path) as con:
        tables = con.execute("select table_name from duckdb_tables()").fetchall()
    assert ("half",) not in tables
    assert 99 not in [version for version, _ in ledger(path)]


@pytest.mark.parametrize("word", ["commit", "rollback", "begin transaction"])
def test_a_migration_that_ends_its_transaction_is_refused_before_it_runs(path, word):
    sneaky = Migration(99, "0099_sneaky", f"create table internal.half (i int); {word};")

    with writing(path) as con, pytest.raises(MigrationError, match="begins or ends a transaction"):
        migrate(con, path, [*known_migrations(), sneaky])

    with reading(path) as con:
        tables = con.execute("select table_name from duckdb_tables()").fetchall()
    assert ("half",) not in tables


def test_an_edited_migration_is_refused(path):
    first, *rest = known_migrations()
    edited = [Migration(first.version, first.name, first.sql + "\n-- edited"), *rest]

    with reading(path) as con, pytest.raises(MigrationError, match="edited after it was applied"):
        lacks_migrations(con, path, edited)


def test_a_missing_migration_is_refused(path):
    with writing(path) as con:
        migrate(con, path, [*known_migrations(), NOTE])
        later = Migration(100, "0100_later", "select 1;")

        with pytest.raises(MigrationError, match="missing from this program"):
            migrate(con, path, [*known_migrations(), later])


def test_a_catalog_of_a_newer_program_is_refused(path):
    with writing(path) as con:
        migrate(con, path, [*known_migrations(), NOTE])

    with pytest.raises(MigrationError, match="newer version of this program") as refused:
        with reading(path):
            pass

    assert "pip install --upgrade" in str(refused.value.hint)


def test_reading_an_older_catalog_brings_it_up_to_date(path, monkeypatch):
    newer = (*known_migrations(), NOTE)
    monkeypatch.setattr("catalog.store.migrations.known_migrations", lambda: newer)

    with reading(path) as con:
        assert con.execute("select count(*) from internal.note").fetchall() == [(0,)]

    assert (99, "0099_note") in ledger(path)


def test_a_database_that_is_no_catalog_is_left_as_it_was(tmp_path):
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create table precious as select 1 as i")

    with pytest.raises(StoreError, match="but no catalog"), writing(path):
        pass

    with duckdb.connect(str(path)) as con:
        assert con.execute("select table_name from duckdb_tables()").fetchall() == [("precious",)]


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.duckdb"
    path.write_text("these are my notes, and no database at all " * 1000)

    with pytest.raises(StoreError, match="is not a DuckDB database"), writing(path):
        pass

    assert path.read_text().startswith("these are my notes")


def test_a_catalog_that_could_not_be_made_leaves_nothing_behind(tmp_path, monkeypatch):
    broken = Migration(1, "0001_broken", "select nonsense;")
    monkeypatch.setattr("catalog.store.migrations.known_migrations", lambda: (broken,))

    with pytest.raises(MigrationError), writing(tmp_path / "catalog.duckdb"):
        pass

    assert [p.name for p in tmp_path.iterdir()] == ["catalog.d"]

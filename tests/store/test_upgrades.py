"""A catalog that any earlier program made opens, is brought up to date, and loses nothing."""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from catalog import Catalog
from catalog.errors import MigrationError, StoreError
from catalog.store.database import writing
from catalog.store.facts import facts_of
from catalog.store.migrations import Migration, known_migrations
from catalog.store.trials import trial_files
from catalog.store.upgrades import KEPT, prepare_upgrade
from conftest import rows

FIXTURES = Path(__file__).with_name("fixtures")
NEWEST = len(known_migrations())
VERSIONS = range(1, NEWEST)


def opened(version: int, folder: Path) -> Catalog:
    with tarfile.open(FIXTURES / f"schema_{version:04}.tar.xz") as tar:
        tar.extractall(folder, filter="data")
    return Catalog(folder / "catalog.duckdb")


def backups(catalog: Catalog) -> list[str]:
    folder = catalog.path.with_suffix(".d") / "backups"
    return sorted(os.listdir(folder)) if folder.exists() else []


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of all tables of a catalog, read without this program."""
    with duckdb.connect(str(path), read_only=True) as con:
        names = con.execute(
            "select table_name from duckdb_tables() where schema_name = 'internal'"
        ).fetchall()
        return {
            name: sorted(con.execute(f'from internal."{name}"').fetchall(), key=repr)
            for (name,) in names
        }


def test_there_is_a_catalog_of_every_schema_but_the_newest():
    names = sorted(path.name for path in FIXTURES.glob("schema_*.tar.xz"))

    assert names == [f"schema_{version:04}.tar.xz" for version in VERSIONS]


@dataclass(frozen=True)
class Upgraded:
    catalog: Catalog
    version: int
    before: dict[str, list[tuple[object, ...]]]
    after: dict[str, list[tuple[object, ...]]]
    said: str


@pytest.fixture(scope="module", params=VERSIONS)
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    """A catalog of an earlier schema that was opened once since."""
    folder = tmp_path_factory.mktemp("upgraded")
    catalog = opened(request.param, folder)
    before = tables(catalog.path)
    with redirect_stderr(io.StringIO()) as said:
        catalog.info()
    return Upgraded(catalog, request.param, before, tables(catalog.path), said.getvalue())


def test_a_catalog_of_an_earlier_schema_is_brought_up_to_date_after_a_copy(upgraded):
    folder = upgraded.catalog.path.with_suffix(".d") / "backups"
    (copy,) = backups(upgraded.catalog)

    assert copy.startswith(f"catalog.schema-{upgraded.version:04}.")
    assert tables(folder / copy) == upgraded.before
    assert upgraded.said.count("\n") == 1
    assert copy in upgraded.said
    assert len(upgraded.before["migration"]) == upgraded.version
    assert len(upgraded.after["migration"]) == NEWEST


def test_what_an_earlier_catalog_knew_is_known_after_the_upgrade(upgraded):
    catalog, before = upgraded.catalog, upgraded.before

    traces = rows(catalog, "select count(*), count_if(status = 'registered') from trace_files")

    assert traces == [(len(before["trace_file"]), len(before["trace_file"]))]
    assert rows(catalog, "select count(*) from signals where bar_index is not null")[0][0] > 20
    fast = "select distinct param_fast from strategies where param_fast is not null order by 1"
    assert rows(catalog, fast) == [(5,), (10,)]
    assert rows(catalog, "select count(*) from quarantine") == [(1,)]
    figures = rows(catalog, "select count(*), count(total_return) from metrics")
    assert figures == [(len(before.get("metric", [])),) * 2]
    for name, kept in before.items():
        if name not in ("migration", "view_signature"):
            assert len(upgraded.after[name]) == len(kept), name


def test_every_trace_keeps_its_hash_and_hashes_are_not_compressed(upgraded):
    folder = upgraded.catalog.path.with_suffix(".d") / "backups"
    query = "select trace_id, strategy_hash from internal.trace_file order by all"
    with duckdb.connect(str(folder / backups(upgraded.catalog)[0]), read_only=True) as con:
        before = con.execute(query).fetchall()

    with duckdb.connect(str(upgraded.catalog.path), read_only=True) as con:
        after = con.execute(query).fetchall()
        stored = con.execute(
            "select distinct compression from pragma_storage_info('internal.trace_file') "
            "where column_name = 'strategy_hash' and segment_type = 'VARCHAR'"
        ).fetchall()

    assert after == before
    assert any(short is not None for _, short in after)
    assert stored == [("Uncompressed",)]


def test_registering_again_after_an_upgrade_reads_nothing_anew(upgraded):
    report = upgraded.catalog.register(upgraded.catalog.path.parent / "runs")

    assert (report.registered, report.missing) == (0, 0)
    assert report.still_quarantined == 1


def test_an_upgrade_writes_the_facts_that_a_catalog_of_then_had_none_of(upgraded):
    path, before = upgraded.catalog.path, upgraded.before

    assert len(facts_of(path, "roots")) == len(before["root"])
    assert len(facts_of(path, "runs")) == len(before["run_folder"])
    sweeps = {fact["sweep_digest"] for fact in facts_of(path, "runs").values()}
    assert any(digest is not None for digest in sweeps)
    side = path.with_suffix(".d")
    packs = sorted(one.name for one in side.glob("packs/*.parquet"))
    assert sorted(one.name for one in side.glob("packed/*.parquet")) == packs
    assert bool(packs) == (upgraded.version >= 3)
    assert len(facts_of(path, "prices")) == len(before.get("price_series", []))
    assert bool(trial_files(path)) == (upgraded.version >= 4)


def test_a_catalog_of_an_earlier_schema_is_made_anew_from_what_lies_beside_it(tmp_path):
    catalog = opened(4, tmp_path)

    report = catalog.rebuild()

    assert report.differences == []
    assert report.unreadable is None
    assert report.lost == []
    assert (report.traces, report.packed) == (11, 4)


def test_a_migration_that_fails_leaves_the_catalog_as_it_was(tmp_path, monkeypatch):
    catalog = opened(4, tmp_path)
    before = tables(catalog.path)
    broken = Migration(5, "0005_broken", "create table internal.half (i int); select nonsense;")
    monkeypatch.setattr(
        "catalog.store.migrations.known_migrations", lambda: (*known_migrations()[:4], broken)
    )

    for _ in range(KEPT + 2):
        with pytest.raises(MigrationError, match="failed and changed nothing"):
            catalog.info()

    assert tables(catalog.path) == before
    # However often it fails, the catalog is copied once.
    assert len(backups(catalog)) == 1


def test_a_migration_on_a_full_disk_is_no_bug_to_report(tmp_path, monkeypatch):
    catalog = opened(NEWEST - 1, tmp_path)
    before = tables(catalog.path)

    def full(*args: object, **options: object) -> None:
        raise duckdb.IOException('Could not write file "x": No space left on device')

    monkeypatch.setattr("catalog.store.views.refresh_views", full)

    with pytest.raises(StoreError, match="The disk is full") as refused:
        catalog.info()

    assert str(catalog.path) in str(refused.value)
    assert not isinstance(refused.value, MigrationError)
    assert tables(catalog.path) == before


def test_no_migration_is_applied_where_no_copy_can_be_made(tmp_path, monkeypatch):
    catalog = opened(4, tmp_path)
    before = tables(catalog.path)
    # As a full disk does: the process that copies says so.
    full = "import sys; sys.exit('x.duckdb: No space left on device')"
    monkeypatch.setattr("catalog.store.copying._COPY", full)

    with pytest.raises(StoreError, match="No space left on device") as refused:
        catalog.info()

    assert "it is as it was" in str(refused.value.hint)
    assert tables(catalog.path) == before
    assert backups(catalog) == []


def test_a_catalog_that_cannot_be_written_is_not_upgraded_and_says_so(tmp_path, monkeypatch):
    catalog = opened(4, tmp_path)
    before = tables(catalog.path)
    # As for anybody but root on a disk that can only be read.
    monkeypatch.setattr("catalog.store.database.os.access", lambda path, mode: False)

    with pytest.raises(StoreError, match="you cannot write there") as refused:
        catalog.info()

    assert tables(catalog.path) == before
    assert "Copy it" in str(refused.value.hint)


def test_a_catalog_that_changed_is_copied_again_and_the_first_copy_stays(tmp_path):
    catalog = Catalog(tmp_path / "catalog.duckdb")
    made = []
    for number in range(KEPT + 2):
        with writing(catalog.path) as con:
            made.append(prepare_upgrade(con, catalog.path).name)
            con.execute(f"create table internal.t{number} as select range as i from range(50000)")

    assert len(set(made)) == KEPT + 2
    assert backups(catalog) == [made[0], made[-1]]


def test_only_the_newest_copies_are_kept_once_an_upgrade_succeeded(tmp_path):
    catalog = opened(4, tmp_path)
    folder = catalog.path.with_suffix(".d") / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(KEPT + 1):
        (folder / f"catalog.schema-0003.2020010{number}T000000000000.duckdb").write_bytes(b"old")

    catalog.info()

    kept = backups(catalog)
    assert len(kept) == KEPT
    assert kept[-1].startswith("catalog.schema-0004.")

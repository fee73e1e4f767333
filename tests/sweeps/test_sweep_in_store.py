"""A sweep file may lie in a store: it is read from there, and a copy of it kept as of any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog import Catalog
from catalog.cli import main
from catalog.errors import ObjectStoreError, SweepFileError, UsageError
from catalog.objects import remove, write, write_file
from conftest import rows
from markets import add_prices, price_table


def test_a_sweep_file_in_a_store_says_what_made_the_traces(bucket, catalog, write_run, write_sweep):
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0], "SPY_sma_grid_10_50": [0, 1]})
    grid = write_sweep()
    text = grid.read_bytes()
    write_file(f"{bucket}/grid.yaml", grid)
    grid.unlink()

    words = [str(run), "--sweep", f"{bucket}/grid.yaml", "--catalog", str(catalog.path)]
    result = CliRunner().invoke(main, ["register", *words])

    assert result.exit_code == 0, result.output
    assert "2 from sweep files, 0 unknown" in result.stderr
    found = rows(catalog, "select config_source, param_fast, param_slow from strategies order by 2")
    assert found == [("sweep", 5, 20), ("sweep", 10, 50)]
    (kept,) = (catalog.path.with_suffix(".d") / "sweeps").iterdir()
    assert kept.read_bytes() == text

    # The copy is what is asked from then on.
    remove(f"{bucket}/grid.yaml")
    write_run(traces={"SPY_sma_grid_5_50": [1, 0]})
    catalog.register(run)
    assert rows(catalog, "select count(*) from strategies where config_source = 'sweep'") == [(3,)]


def test_the_traces_and_their_sweep_file_may_lie_in_one_store(
    bucket, catalog, write_run, write_sweep
):
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0]})
    (path,) = run.rglob("*.parquet")
    write_file(f"{bucket}/run/{path.relative_to(run)}", path)
    write_file(f"{bucket}/grid.yaml", write_sweep())

    catalog.register(f"{bucket}/run", sweeps=[f"{bucket.replace('s3:', 'S3A:')}/grid.yaml"])

    assert rows(catalog, "select config_source, param_fast from strategies") == [("sweep", 5)]


def test_a_sweep_file_that_is_not_in_its_store_is_named_and_nothing_is_registered(
    bucket, catalog, write_run
):
    run = write_run()
    write(f"{bucket}/odd.yaml", b"- 1")
    for url, error, said in (
        (f"{bucket}/grid.yaml", SweepFileError, f"{bucket}/grid.yaml cannot be used: it cannot be"),
        (f"{bucket}/odd.yaml", SweepFileError, f"{bucket}/odd.yaml cannot be used: it is not a"),
        ("s3://no-such-bucket/grid.yaml", ObjectStoreError, "no bucket s3://no-such-bucket"),
        (Path("s3://bucket/grid.yaml"), UsageError, "was a URL before"),
    ):
        with pytest.raises(error, match=said):
            catalog.register(run, sweeps=[url])
    assert not catalog.path.exists()


def test_what_is_left_of_a_sweep_in_a_store_is_told_as_of_any_other(bucket, tmp_path, write_sweep):
    catalog = Catalog(tmp_path / "catalog.duckdb")
    add_prices(catalog, price_table(2, per_session=10))
    write_file(f"{bucket}/grid.yaml", write_sweep())

    words = [f"{bucket}/grid.yaml", "--timeframe", "1m", "--catalog", str(catalog.path)]
    result = CliRunner().invoke(main, ["sweep", "status", *words])

    assert result.exit_code == 0, result.output
    assert "4 configurations of grid: 4 missing" in result.stderr

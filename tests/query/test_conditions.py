"""Conditions find values by how they look, in whichever form they are stored."""

from __future__ import annotations

import pytest
from compared import write_one

from catalog import Catalog

VALUES = {
    "thr": ["1e-3", 0.5, "auto"],
    "year": ["2024", "2025", "2026"],
    "both": ["20", 20, 30],
    "lst": [[5, 10], [5, 20], [10]],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conditions")
    for place in range(3):
        parameters = {name: values[place] for name, values in VALUES.items()}
        config = {"type": "odd", "parameters": parameters}
        write_one(folder / "run", [0, 1], config=config, strategy_id=f"s{place}")
    made = Catalog(folder / "catalog.duckdb")
    made.register(folder / "run")
    return made


@pytest.mark.parametrize(
    "condition, count",
    [
        ("thr=1e-3", 1), ("thr!=1e-3", 2), ("thr=0.5", 1), ("thr!=auto", 2), ("year=2024", 1),
        ("year!=2024", 2), ("year=1999", 0), ("both=20", 2), ("both!=20", 1), ("both>=20", 2),
        ("lst=[5,10]", 1), ("lst=[5, 10]", 1), ("lst!=[5,10]", 2), ("lst=[5,", 0),
    ],
)  # fmt: skip
def test_text_that_looks_like_a_number_or_a_list_is_found(made, condition, count):
    assert made.find(condition).total == count

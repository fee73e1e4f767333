"""Facts that only people know outlive catalog.duckdb, and whoever is killed while writing one."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from catalog.errors import StoreError
from catalog.store.journal import append_facts, journal_path, read_facts


def append_many(catalog: Path, writer: int) -> None:
    for number in range(50):
        append_facts(catalog, "tags", [{"writer": writer, "number": number, "text": "x" * 500}])


def test_facts_come_back_in_the_order_in_which_they_were_told(tmp_path):
    catalog = tmp_path / "catalog.duckdb"

    append_facts(catalog, "tags", [{"tag": "good"}, {"tag": "März\n"}])
    append_facts(catalog, "tags", [{"tag": "bad"}])

    assert [fact["tag"] for fact in read_facts(catalog, "tags")] == ["good", "März\n", "bad"]


def test_half_a_line_eats_no_fact_that_follows_it(tmp_path):
    catalog = tmp_path / "catalog.duckdb"
    append_facts(catalog, "tags", [{"tag": "good"}])
    with journal_path(catalog, "tags").open("ab") as file:
        file.write(b'{"tag": "bro')

    append_facts(catalog, "tags", [{"tag": "next"}])

    assert [fact["tag"] for fact in read_facts(catalog, "tags")] == ["good", "next"]


def test_processes_that_write_at_once_mix_no_lines(tmp_path):
    catalog = tmp_path / "catalog.duckdb"
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        list(pool.map(append_many, [catalog] * 3, range(3)))

    told = {(fact["writer"], fact["number"]) for fact in read_facts(catalog, "tags")}
    assert told == {(writer, number) for writer in range(3) for number in range(50)}


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "catalog.d").write_text("a file")

    with pytest.raises(StoreError, match=r"Cannot write .*tags\.jsonl"):
        append_facts(tmp_path / "catalog.duckdb", "tags", [{"tag": "good"}])

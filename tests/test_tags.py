"""Tags outlive the catalog, moves, and strategies that become known or are gone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from compared import SMA, trace_ids, write_one
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import Catalog, strategy_hash
from catalog.cli import main
from catalog.errors import QueryError, UsageError
from catalog.store.database import writing
from catalog.store.journal import append_facts, journal_path, read_facts
from catalog.store.tagged import replay_tags
from catalog.store.transactions import transaction
from conftest import old_trace
from markets import copied

HASH = strategy_hash(SMA)
OTHER = {"type": "sma", "parameters": {"fast": 6}}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    runs = tmp_path_factory.mktemp("tags") / "runs"
    write_one(runs / "a", [0, 1], strategy_id="one")
    write_one(runs / "b", [0, 1, 1], strategy_id="one")
    write_one(runs / "b", [0, 1, -1], config=OTHER, strategy_id="other")
    made = Catalog(runs.parent / "catalog.duckdb")
    made.register(runs)
    return made


@pytest.fixture
def tagged(template, tmp_path):
    """A catalog of two strategies, one of which has two traces."""
    return copied(template, tmp_path)


def said(catalog: Catalog) -> list[tuple]:
    query = "select tag, strategy_hash, strategy_id, trace_id, note from tags order by all"
    return catalog.sql(query).fetchall()


def replay(catalog: Catalog) -> int:
    with writing(catalog.path) as con, transaction(con):
        return replay_tags(con, catalog.path)


def test_a_tag_is_on_the_strategy_or_on_the_trace_that_is_named(tagged):
    ids = trace_ids(tagged)
    (path,) = tagged.sql("select path from trace_files where run_id = 'a'").fetchall()[0]

    tagged.tag(HASH[:8], "good", note="only before noon")
    done = tagged.tag([ids["a"], path, "other"], "odd")

    assert (done.strategies, done.traces) == (1, 1)
    shown = [(tag["tag"], tag["trace_id"]) for tag in tagged.show(HASH).tags]
    assert shown == [("good", None), ("odd", ids["a"])]
    assert said(tagged) == [
        ("good", HASH, "one", None, "only before noon"),
        ("odd", strategy_hash(OTHER), "other", None, None),
        ("odd", HASH, "one", ids["a"], None),
    ] or said(tagged) == [
        ("good", HASH, "one", None, "only before noon"),
        ("odd", HASH, "one", ids["a"], None),
        ("odd", strategy_hash(OTHER), "other", None, None),
    ]


def test_a_tag_that_is_there_gets_the_new_note_and_keeps_the_old_one_without(tagged):
    tagged.tag("one", "good", note="first")
    tagged.tag("one", "good")
    assert said(tagged)[0][-1] == "first"

    tagged.tag("one", "good", note="second")

    assert [row[-1] for row in said(tagged)] == ["second"]


def test_tags_are_usable_in_sql_conditions_and_find(tagged):
    ids = trace_ids(tagged)
    tagged.tag("other", "it's good")
    tagged.tag(ids["a"], "odd")

    assert tagged.find("tag=it's good").total == 1
    assert tagged.find("tag!=it's good").total == 1
    # A strategy one of whose traces has it.
    assert tagged.find(tags=["odd"]).rows[0][0] == HASH
    assert tagged.find("tag=nobody").total == 0
    with pytest.raises(UsageError):
        tagged.find("tag>a")
    condition = "strategy_hash in (select strategy_hash from tags where tag = 'odd')"
    rows = tagged.sql(f"select count(*) from strategy_index where {condition}").fetchall()
    assert rows == [(2,)]
    assert tagged.duplicates(where=condition).repeated.table.num_rows == 0


def test_a_tag_is_taken_off_again(tagged):
    tagged.tag(["one", "other"], "good")

    assert tagged.untag("one", "good").strategies == 1

    assert [row[1] for row in said(tagged)] == [strategy_hash(OTHER)]
    with pytest.raises(QueryError, match="has no tag 'good'"):
        tagged.untag("one", "good")
    with pytest.raises(QueryError, match="None of these"):
        tagged.untag(["one", "other"], "bad")
    assert tagged.untag(["one", "other"], "good").strategies == 1


def test_nothing_is_tagged_where_one_of_several_is_unknown(tagged):
    with pytest.raises(QueryError):
        tagged.tag(["one", "nobody"], "good")

    assert said(tagged) == []
    assert not journal_path(tagged.path, "tags").exists()


@pytest.mark.parametrize("tag", ["", " good", "good\n", "a\tb", "x" * 101, "\ud800"])
def test_what_cannot_be_a_tag_is_refused(tagged, tag):
    with pytest.raises(UsageError, match="no tag"):
        tagged.tag("one", tag)
    assert said(tagged) == []


def test_the_name_of_a_strategy_is_no_tag(tagged):
    for name in (strategy_hash(OTHER), "other", trace_ids(tagged)["a"]):
        with pytest.raises(UsageError, match="the tag is missing"):
            tagged.tag("one", name)
    # It may look like the first digits of a hash.
    tagged.tag("one", HASH[:6])
    assert [row[0] for row in said(tagged)] == [HASH[:6]]


def test_what_cannot_be_a_note_is_refused(tagged):
    for note in ("x" * 10_001, "\ud800"):
        with pytest.raises(UsageError, match="note"):
            tagged.tag("one", "good", note=note)
    tagged.tag("one", "gut im März", note="über\nzwei Zeilen")
    assert said(tagged)[0][-1] == "über\nzwei Zeilen"


def test_tags_come_back_from_the_journal_alone(tagged):
    ids = trace_ids(tagged)
    tagged.tag(["one", ids["b"]], "good", note="why")
    tagged.tag("other", "bad")
    tagged.untag("other", "bad")
    before = said(tagged)
    with writing(tagged.path) as con:
        con.execute("delete from internal.tag")

    assert replay(tagged) == 2

    assert said(tagged) == before


def test_facts_that_are_none_of_ours_are_passed_over(tagged):
    tagged.tag("one", "good")
    append_facts(
        tagged.path,
        "tags",
        [{"tag": "x"}, {"strategy_key": 1, "tag": "x", "tagged_at": "2025-01-01T00:00:00+00:00"},
         {"strategy_key": "k", "tag": "x", "tagged_at": "yesterday"}, {"else": True}],
    )  # fmt: skip

    assert replay(tagged) == 1


def test_tags_that_only_the_catalog_knows_are_told_to_the_journal_first(tagged):
    tagged.tag("one", "good", note="why")
    shutil.rmtree(journal_path(tagged.path, "tags").parent)

    tagged.tag("other", "bad")

    assert [row[0] for row in said(tagged)] == ["bad", "good"]
    facts = [(fact["tag"], fact["note"]) for fact in read_facts(tagged.path, "tags")]
    assert facts == [("good", "why"), ("bad", None)]


def test_tags_survive_moving_and_registering_again(tagged, tmp_path):
    ids = trace_ids(tagged)
    tagged.tag(["one", ids["b"]], "good")
    before = said(tagged)
    runs = tmp_path / "home" / "runs"
    runs.rename(tmp_path / "moved")

    tagged.register(tmp_path / "moved")

    assert said(tagged) == before


def test_a_tag_stays_when_what_it_is_about_is_gone_and_can_be_taken_off(tagged, tmp_path):
    tagged.tag("other", "good")
    with writing(tagged.path) as con:
        con.execute("delete from internal.trace_file where strategy_id = 'other'")
        con.execute(f"delete from internal.strategy where strategy_hash = '{strategy_hash(OTHER)}'")

    query = "select tag, strategy_hash, strategy_key, strategy_type from tags"
    assert tagged.sql(query).fetchall() == [("good", None, strategy_hash(OTHER), None)]
    assert tagged.untag(strategy_hash(OTHER), "good").strategies == 1
    assert said(tagged) == []


def test_a_tag_follows_a_strategy_whose_configuration_becomes_known(
    catalog, write_run, write_sweep
):
    run = write_run()
    catalog.register(run)
    catalog.tag("SPY_sma_grid_5_20", "good", note="why")
    assert said(catalog) == [("good", None, "SPY_sma_grid_5_20", None, "why")]

    catalog.register(run, sweeps=[write_sweep()])

    ((known,),) = catalog.sql("select strategy_hash from strategies").fetchall()
    assert said(catalog) == [("good", known, "SPY_sma_grid_5_20", None, "why")]
    assert catalog.find("tag=good").total == 1
    assert [(tag["tag"], tag["note"]) for tag in catalog.show(known).tags] == [("good", "why")]
    catalog.tag(known, "good")
    assert said(catalog) == [("good", known, "SPY_sma_grid_5_20", None, "why")]
    catalog.untag(known, "good")
    assert said(catalog) == []


def test_tags_come_back_with_a_catalog_that_was_deleted(tagged, tmp_path):
    ids = trace_ids(tagged)
    tagged.tag(["one", ids["b"]], "good", note="why")
    before = said(tagged)
    tagged.path.unlink()

    tagged.register(tmp_path / "home" / "runs")

    assert said(tagged) == before


def test_a_tag_given_before_all_of_them_came_back_brings_the_others(tagged, tmp_path):
    tagged.tag("one", "good")
    with writing(tagged.path) as con:
        con.execute("delete from internal.tag")

    tagged.tag("other", "bad")

    assert [row[0] for row in said(tagged)] == ["bad", "good"]


def write_unknown(folder: Path, values: list[int]) -> Path:
    name = "SPY_sma_1.parquet"
    return old_trace(folder / "traces" / "SPY_1m" / "signals" / "grid" / name, values)


@pytest.fixture(scope="module")
def unknown(tmp_path_factory):
    made = Catalog(tmp_path_factory.mktemp("unknown") / "catalog.duckdb")
    for folder, values in (("x", [1, 0, -1]), ("y", [-1, 1, 1])):
        write_unknown(made.path.parent / folder / "run", values)
        made.register(made.path.parent / folder)
    return made


@pytest.fixture
def two_of_a_name(unknown, tmp_path):
    """Two runs of one name, which trace different strategies of one unknown name."""
    return copied(unknown, tmp_path)


def lies_in(catalog: Catalog, folder: str) -> tuple[str, str]:
    query = f"select strategy_key, trace_id from trace_files where path like '%/{folder}/%'"
    return catalog.sql(f"{query} and status = 'registered'").fetchall()[0]


def keys(catalog: Catalog) -> list[tuple]:
    return catalog.sql("select tag, strategy_key, trace_id from tags order by all").fetchall()


def test_tags_of_unknown_strategies_find_them_whichever_order_they_come_back_in(two_of_a_name):
    catalog, home = two_of_a_name, two_of_a_name.path.parent
    (x, _), (old, old_trace_id) = lies_in(catalog, "x"), lies_in(catalog, "y")
    catalog.tag(old, "a strategy")
    catalog.tag(old_trace_id, "b trace")
    catalog.tag(x, "c waits")
    catalog.path.unlink()

    catalog.register(home / "y")
    key, trace_id = lies_in(catalog, "y")
    there = [("a strategy", key, None), ("b trace", key, trace_id)]
    # Its key belongs to another one for now.
    assert (key, keys(catalog)) == (x, there)
    catalog.register(home / "x")

    there.append(("c waits", lies_in(catalog, "x")[0], None))
    assert keys(catalog) == there
    replay(catalog)
    assert keys(catalog) == there
    assert catalog.untag([key, trace_id], "a strategy").strategies == 1
    replay(catalog)
    assert keys(catalog) == there[1:]


def test_tags_stay_when_an_unknown_strategy_is_traced_anew_or_its_folder_renamed(two_of_a_name):
    catalog, home = two_of_a_name, two_of_a_name.path.parent
    (x, _), (y, trace_id) = lies_in(catalog, "x"), lies_in(catalog, "y")
    catalog.tag([x, y, trace_id], "good")

    write_unknown(home / "x" / "run", [1, 0, -1, 1])
    (home / "y" / "run").rename(home / "y" / "renamed")
    catalog.register(home / "x", home / "y")

    new, new_trace_id = lies_in(catalog, "renamed")
    assert new != y
    assert {row[1:] for row in keys(catalog)} == {(x, None), (new, None), (new, new_trace_id)}


def test_one_more_tag_does_not_read_or_write_the_others(tagged, monkeypatch):
    tagged.tag("one", "0")
    tagged.tag("one", "1")

    def never(*_):
        raise AssertionError("the whole journal was read")

    monkeypatch.setattr("catalog.store.tagged.read_facts", never)
    monkeypatch.setattr("catalog.tags.refer", never)
    written = []
    monkeypatch.setattr("catalog.tags.write_rows", lambda con, rows: written.append(len(rows)))
    tagged.tag([HASH, strategy_hash(OTHER), trace_ids(tagged)["a"]], "2")

    assert written == [3]


ACTIONS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from(["one", "other", "a"]),
        st.sampled_from(["x", "y"]),
        st.sampled_from([None, "n", "m"]),
    ),
    max_size=6,
)


@settings(max_examples=3, deadline=None)
@given(actions=ACTIONS)
def test_the_table_and_the_journal_always_say_the_same(template, tmp_path_factory, actions):
    catalog = copied(template, tmp_path_factory.mktemp("replay"))
    traces = trace_ids(catalog)
    expected: dict[tuple[str, str], str | None] = {}
    for is_added, name, tag, note in actions:
        reference = traces.get(name, name)
        if is_added:
            catalog.tag(reference, tag, note=note)
            expected[name, tag] = note or expected.get((name, tag))
        elif (name, tag) in expected:
            catalog.untag(reference, tag)
            del expected[name, tag]
    before = said(catalog)

    replay(catalog)

    assert said(catalog) == before
    assert sorted((row[0], row[-1] or "") for row in before) == sorted(
        (tag, note or "") for (_, tag), note in expected.items()
    )


def test_the_command_tags_lists_and_removes(tagged):
    def run(*words):
        return CliRunner().invoke(main, ["tag", *words, "--catalog", str(tagged.path)])

    done = run("one", "other", "good-in-march", "--note", "why")
    listed = [json.loads(line) for line in run("--format", "jsonl").stdout.splitlines()]
    own = [json.loads(line) for line in run("other", "--format", "jsonl").stdout.splitlines()]
    removed = run("one", "--remove", "good-in-march")

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith("tagged     2 strategies: good-in-march\n")
    assert "next       catalog find tag=good-in-march" in done.stderr
    assert [(row["strategy_id"], row["note"]) for row in listed] == [
        ("one", "why"),
        ("other", "why"),
    ]
    assert [row["strategy_id"] for row in own] == ["other"]
    assert removed.stderr.startswith("untagged   1 strategy: good-in-march\n")
    assert run("--note", "x").exit_code == 2
    assert run("one", "--remove", "x", "--note", "x").exit_code == 2
    assert run("--remove", "x").exit_code == 2
    assert run("one", " x").exit_code == 2

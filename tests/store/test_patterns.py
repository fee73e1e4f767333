"""The patterns of the views meet the registered files, each once, and nothing else."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.store.patterns import Folder, choose_patterns, escape

ROOT = "/runs/"


def folder(prefix: str, **more: object) -> Folder:
    values = {
        "root": ROOT,
        "is_split": False,
        "run": ROOT + prefix.split("/")[0] + "/",
        "prefix": ROOT + prefix,
        "is_relative": False,
        "is_clean": True,
        "has_hidden": False,
        "is_linked": False,
        "has_files": True,
        "files": (),
    }
    return Folder(**(values | more))


def globs(*folders: Folder) -> list[str]:
    return [pattern.glob for pattern in choose_patterns(folders)]


def test_one_pattern_covers_all_runs_of_a_root_and_layout():
    chosen = globs(
        folder("a/traces/signals/rsi/"),
        folder("b/traces/signals/sma/"),
        folder("b/traces/SPY_1m/signals/macd/"),
    )

    assert chosen == ["/runs/**/signals/*/*.parquet"]


def test_a_root_with_a_foreign_file_is_covered_run_by_run():
    chosen = globs(
        folder("a/traces/signals/rsi/"),
        folder("b/traces/signals/sma/", is_clean=False, files=("good.parquet",)),
        folder("b/traces/signals/rsi/"),
    )

    assert chosen == [
        "/runs/a/**/signals/*/*.parquet",
        "/runs/b/traces/signals/sma/good.parquet",
        "/runs/b/traces/signals/rsi/*.parquet",
    ]


def test_a_foreign_file_that_no_pattern_meets_changes_nothing():
    chosen = globs(
        folder("a/traces/signals/rsi/"),
        folder("a/", is_clean=False, has_files=False),
    )

    assert chosen == ["/runs/**/signals/*/*.parquet"]


def test_a_hidden_folder_keeps_a_root_from_being_searched_whole():
    chosen = globs(
        folder("a/traces/signals/rsi/"),
        folder("b/traces/signals/sma/"),
        folder("", run=ROOT, has_hidden=True, has_files=False),
    )

    assert chosen == ["/runs/a/**/signals/*/*.parquet", "/runs/b/**/signals/*/*.parquet"]


def test_a_folder_behind_a_link_is_covered_by_itself():
    chosen = globs(folder("a/traces/signals/rsi/", is_linked=True))

    assert chosen == ["/runs/a/traces/signals/rsi/*.parquet"]


def test_layouts_that_would_meet_the_same_file_are_not_searched_whole():
    chosen = globs(folder("a/signals/signals/"), folder("a/signals/signals/x/"))

    assert chosen == ["/runs/a/signals/signals/*.parquet", "/runs/a/signals/signals/x/*.parquet"]


def test_a_layout_without_a_telling_folder_is_covered_folder_by_folder():
    assert globs(folder("a/mine/")) == ["/runs/a/mine/*.parquet"]


NAMES = st.sampled_from(["a", "b", "signals", "store", "[x]", "*", "q?", "classifiers"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=5).map("/".join), min_size=1, max_size=8)


@given(paths=PATHS, data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_registered_file_is_met_once_and_no_foreign_file_at_all(
    paths, data, tmp_path_factory
):
    root = str(tmp_path_factory.mktemp("root")) + "/"
    folders, registered = [], []
    for path in sorted(set(paths)):
        prefix = f"{root}{path}/"
        Path(prefix).mkdir(parents=True, exist_ok=True)
        (Path(prefix) / "good.parquet").touch()
        registered.append(prefix + "good.parquet")
        is_clean = data.draw(st.booleans(), label=f"{path} is clean")
        if not is_clean:
            (Path(prefix) / "bad.parquet").touch()
        folders.append(
            Folder(
                root=root,
                is_split=False,
                run=f"{root}{path.split('/')[0]}/",
                prefix=prefix,
                is_relative=False,
                is_clean=is_clean,
                has_hidden=False,
                is_linked=False,
                has_files=True,
                files=("good.parquet",),
            )
        )

    chosen = choose_patterns(folders)

    met = [
        path
        for pattern in chosen
        for (path,) in duckdb.execute("select file from glob(?)", [pattern.glob]).fetchall()
    ]
    assert sorted(met) == sorted(registered)


@given(name=st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=8))
@settings(deadline=None)
def test_an_escaped_path_meets_itself_only(name, tmp_path_factory):
    if name in (".", "..") or len(os.fsencode(name)) > 200:
        return
    folder = tmp_path_factory.mktemp("names")
    (folder / name).touch()
    (folder / "other").touch()

    met = duckdb.execute("select file from glob(?)", [escape(str(folder / name))]).fetchall()

    assert met == [(str(folder / name),)]
    assert glob.has_magic(name) or escape(name) == name

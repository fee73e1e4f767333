"""Where trace files are written to: a folder of this machine, or below a URL of a store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from catalog.errors import UsageError
from catalog.objects import folders_in, is_url, look_at, many_at_once
from catalog.places import as_text
from catalog.traces.format import temporary_name

Target = Path | str
"""A path of this machine, or the URL of an object as text: a Path would spoil its slashes."""


def place_of(run_directory: str | os.PathLike[str]) -> Target:
    """
    Return a run's directory as a path, or as text where it is a URL.

    Raises:
        UsageError: it is a URL that was made a path, which it does not survive.
    """
    text = as_text(run_directory)
    return text.rstrip("/") if is_url(text) else Path(text)


def target_of(place: str) -> Target:
    """Return a place, a path or a URL, as what is written to."""
    return place if is_url(place) else Path(place)


def name_of(place: Target) -> str:
    """Return the last part of a place."""
    return place.rpartition("/")[2] if isinstance(place, str) else place.absolute().name


def below(place: Target, *names: str) -> Target:
    """Return the place of what lies below another one."""
    return "/".join([place, *names]) if isinstance(place, str) else place.joinpath(*names)


def folder_of(place: Target) -> Target:
    """Return the place that another one lies directly in."""
    return place.rpartition("/")[0] if isinstance(place, str) else place.parent


def temporary_path(place: Target) -> Path:
    """
    Return where a file is until it is whole: beside its name, or on this machine for an object.

    An object appears whole once all of it was sent, so that nobody sees it before.
    """
    if isinstance(place, str):
        return Path(tempfile.gettempdir()) / temporary_name(name_of(place))
    return place.with_name(temporary_name(place.name))


def refuse_another_type(folder: Target, strategies: Iterable[tuple[str, str]]) -> None:
    """
    Refuse strategies that a run already has traces of, under another type.

    Args:
        folder: that of a kind in the run, which has a folder for each type.
        strategies: the type and the id of each.

    Raises:
        UsageError: there is a trace of one.
        ObjectStoreError: the store of the run cannot be asked.
    """
    try:
        types = folders_in(folder) if isinstance(folder, str) else os.listdir(folder)
    except OSError:
        return
    others = [
        (strategy_id, other)
        for strategy_type, strategy_id in strategies
        for other in types
        if other != strategy_type
    ]
    files = [below(folder, other, f"{strategy_id}.parquet") for strategy_id, other in others]
    answers = (many_at_once if isinstance(folder, str) else map)(_is_there, files)
    for (strategy_id, other), is_there in zip(others, answers, strict=True):
        if is_there:
            raise UsageError(
                f"The run has a trace of {strategy_id} already, of the type {other}",
                hint="A strategy id is unique in a run: write into a new run directory",
            )


def _is_there(file: Target) -> bool:
    return look_at(file) is not None if isinstance(file, str) else file.exists()

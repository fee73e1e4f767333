"""What the commands share: the options --catalog and --quiet, and how things are said."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from catalog.catalog import Catalog

Command = TypeVar("Command", bound=Callable[..., Any])

_LABEL = 11


class _CatalogPath(click.Path):
    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Refuse an empty path, which is the current folder to pathlib."""
        if value == "":
            self.fail("The path of the catalog is empty", param, ctx)
        return super().convert(value, param, ctx)


class _FileOrUrl(click.Path):
    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Leave a URL as it is: whether something is there, its store is asked when it is read."""
        from catalog.objects import is_url

        is_remote = isinstance(value, str) and is_url(value)
        return value if is_remote else super().convert(value, param, ctx)


FILE_OR_URL = _FileOrUrl(exists=True, dir_okay=False, path_type=Path)
"""A file that is there, as a Path, or a URL as text."""


def catalog_option(command: Command) -> Command:
    """Give a command the option --catalog PATH; its value arrives as `path`."""
    return click.option(
        "--catalog",
        "path",
        type=_CatalogPath(dir_okay=False, path_type=Path),
        envvar="CATALOG",
        default=Path("catalog.duckdb"),
        show_default="./catalog.duckdb",
        show_envvar=True,
        help="The catalog to use.",
    )(command)


def quiet_option(command: Command) -> Command:
    """Give a command that may take long the option --quiet; it arrives as `quiet`."""
    return click.option("--quiet", is_flag=True, help="Do not show how far it is.")(command)


def open_catalog(path: Path) -> Catalog:
    """Return the catalog at a path; DuckDB is loaded only now. Say what waits in its inbox."""
    from catalog.catalog import Catalog
    from catalog.store.inbox import waiting_notes

    if notes := waiting_notes(path):
        say("inbox", f"{plural(notes, 'note')} of traces that the next writer will take in")
    return Catalog(path)


def terminal_width() -> int:
    """Return how many characters wide a table may be."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 200


def say(label: str, text: str) -> None:
    """Print one line about what was done, on stderr."""
    click.echo(f"{label:<{_LABEL}}{text}", err=True)


def say_next(command: str) -> None:
    """Print what to try next."""
    say("next", command)


def listed(counts: dict[str, int] | list[tuple[str, int]]) -> str:
    """Return counts as a phrase, `3 signals, 1 order`, without those that are zero."""
    pairs = counts.items() if isinstance(counts, dict) else counts
    return ", ".join(f"{count:,} {word}" for word, count in pairs if count)


def plural(count: int, word: str) -> str:
    """Return a count with its word, `1 trace` or `2 traces`."""
    return f"{count:,} {word if count == 1 else word + 's'}"

"""The files that a query names itself: which they are, and whether it may read them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from catalog.errors import QueryError
from catalog.objects import is_url
from catalog.query.functions import FILE_FUNCTIONS

_GLOB = re.compile(r"[*?\[{]")
_FILE = re.compile(r"[/\\.*]|:")


@dataclass(frozen=True)
class Allowed:
    """What a query may read beside the catalog: directories, and single files."""

    directories: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def named_files(tree: exp.Expr, values: Mapping[str, object]) -> list[str]:
    """
    Return the files and patterns that a query names, as they are written.

    A path that is a column's value is none of them: see `lateral`.

    Raises:
        QueryError: a function that reads files is not told which by a plain text.
    """
    found: list[str] = []
    for naming in _naming(tree):
        if isinstance(naming, exp.Table):
            found.append(naming.name)
        else:
            found.extend(_arguments(naming, values))
    return found


def reads_files(tree: exp.Expr) -> bool:
    """Say whether a query, or a part of one, reads files, whichever."""
    return next(_naming(tree), None) is not None


def _naming(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the tables that are called as files are, and the calls of functions that read some."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier):
            # DuckDB takes a name that looks like a file for one, if nothing has the name.
            if not table.db and _FILE.search(table.name):
                yield table
        elif file_function(table.this) is not None:
            yield table.this
    for lateral in tree.find_all(exp.Lateral):
        if file_function(lateral.this) is not None:
            yield lateral.this


def file_function(call: object) -> str | None:
    """Return the name of a function that reads files, if this is a call of one."""
    if isinstance(call, exp.ReadParquet):
        return "read_parquet"
    if isinstance(call, exp.ReadCSV):
        return "read_csv"
    if isinstance(call, exp.Anonymous) and call.name.lower() in FILE_FUNCTIONS:
        return call.name.lower()
    return None


def path_argument(call: exp.Expr) -> exp.Expr | None:
    """Return the first argument of a call of a function that reads files."""
    arguments = call.this if isinstance(call, exp.ReadCSV) else None
    if arguments is None:
        arguments = next(iter(call.expressions), None)
    return arguments if isinstance(arguments, exp.Expr) else None


def column_argument(call: exp.Expr) -> exp.Expr | None:
    """Return the first argument of such a call where it is about another relation's rows."""
    first = path_argument(call)
    return first if first is not None and first.find(exp.Column) is not None else None


def _arguments(call: exp.Expr, values: Mapping[str, object]) -> Iterator[str]:
    first = path_argument(call)
    items = first.expressions if isinstance(first, exp.Array) else [first]
    for item in items:
        if isinstance(item, exp.Literal) and item.is_string:
            yield item.name
        elif isinstance(item, exp.Placeholder | exp.Parameter) and item.name in values:
            value = values[item.name]
            yield from map(str, value) if isinstance(value, list) else [str(value)]
        elif item is None or item.find(exp.Column) is None:
            raise QueryError(
                "A file that is read must be named by a plain text",
                hint="Write read_parquet('FILE'), or read_parquet(s.trace_path) of a relation s",
            )


def allow(files: Sequence[str], roots: Sequence[str]) -> Allowed:
    """
    Return what has to be readable for these files and patterns.

    Args:
        roots: the catalog's own folders, absolute.

    Raises:
        QueryError: one lies neither below the working directory nor below a root.
    """
    directories: list[str] = []
    paths: list[str] = []
    bounds = [os.path.realpath(root) for root in (os.getcwd(), *roots) if not is_url(root)]
    stores = [root for root in roots if is_url(root)]
    for name in files:
        if is_url(name):
            if not any(_is_below(name, root) for root in stores) or ".." in name.split("/"):
                raise QueryError(
                    f"{name} lies in none of the catalog's folders",
                    hint="Register what it lies in first: catalog register URL",
                )
            continue  # Those folders can be read as a whole.
        fixed = fixed_part(name)
        real = os.path.realpath(fixed)
        if not any(_is_below(real, bound) for bound in bounds):
            raise QueryError(
                f"{name} lies outside of the working directory and of the catalog's folders",
                hint="Run the query in a folder above that file, or copy the file here",
            )
        if fixed == name and not os.path.exists(name):
            raise QueryError(f"There is no file {name}", hint="Paths count from this folder")
        if fixed == name:
            paths += [os.path.abspath(name), real]
        else:
            directories += [os.path.abspath(fixed) + "/", real.rstrip("/") + "/"]
    return Allowed(tuple(dict.fromkeys(directories)), tuple(dict.fromkeys(paths)))


def fixed_part(name: str) -> str:
    """Return a path as it is, or the folder that all files of a pattern lie below."""
    found = _GLOB.search(name)
    if found is None or os.path.exists(name):
        return name
    return os.path.dirname(name[: found.start()] + "x") or "."


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")

"""catalog lineage: what a strategy is made of, and who uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, say, say_next

if TYPE_CHECKING:
    from catalog.query.lineage import Node


@click.command("lineage")
@click.argument("reference")
@catalog_option
def command(reference: str, path: Path) -> None:
    """
    Print what the strategy that goes by REFERENCE is made of, as a tree, and who uses it.

    \b
    Example:
      catalog lineage 39a6426ec117
    """
    lineage = open_catalog(path).lineage(reference)
    for line in _lines(lineage.tree, "", ""):
        click.echo(line)
    for key, kind, depth in lineage.users:
        steps = "" if depth == 1 else f", {depth} steps up"
        click.echo(f"used by {key}  {kind or 'unknown'}{steps}")
    if not lineage.tree.children and not lineage.users:
        say("lineage", "it is made of no other strategy, and part of none")
    else:
        say("lineage", f"{plural(len(lineage.tree.children), 'component')}, "
            f"used by {len(lineage.users):,}")  # fmt: skip
    say_next(f"catalog show {lineage.tree.key}")


def _lines(node: Node, own: str, below: str) -> Iterator[str]:
    marks = [] if node.role is None else [node.role]
    marks += [] if node.weight is None else [f"weight {node.weight:g}"]
    about = f"  ({', '.join(marks)})" if marks else ""
    yield f"{own}{node.key}  {node.strategy_type or 'unknown'}{about}"
    for number, child in enumerate(node.children, start=1):
        branch, beside = ("└─ ", "   ") if number == len(node.children) else ("├─ ", "│  ")
        yield from _lines(child, below + branch, below + beside)

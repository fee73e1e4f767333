"""Which of the files that views read are there."""

from __future__ import annotations

from dataclasses import replace
from glob import escape, iglob

from catalog.objects import is_url
from catalog.store.patterns import Pattern
from catalog.store.view_queries import Layout, ViewInputs


def present(inputs: ViewInputs, root: str) -> ViewInputs:
    """Return what a view is made of, without the patterns on this machine that meet no file."""

    def is_there(pattern: Pattern) -> bool:
        if not pattern.is_relative and is_url(pattern.glob):
            return True
        glob = f"{escape(root)}/{pattern.glob}" if pattern.is_relative else pattern.glob
        return next(iglob(glob, recursive=True), None) is not None

    def kept(layouts: tuple[Layout, ...]) -> tuple[Layout, ...]:
        left = (
            replace(layout, patterns=tuple(filter(is_there, layout.patterns))) for layout in layouts
        )
        return tuple(left)

    lakes = tuple(layout for layout in kept(inputs.lakes) if layout.patterns)
    layouts = kept(inputs.layouts)
    # Only the first says which columns there are where nothing is read.
    layouts = tuple(layout for layout in layouts if layout.patterns) or layouts[:1]
    patterns = tuple(filter(is_there, inputs.patterns))
    return replace(inputs, patterns=patterns, layouts=layouts, lakes=lakes)

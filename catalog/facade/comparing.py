"""Compare traces, strategies and runs, and say what is worth remembering about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.facade.located import Located

if TYPE_CHECKING:
    from catalog.compare.changed import Changed
    from catalog.compare.diff import Diff
    from catalog.compare.duplicates import Duplicates
    from catalog.compare.like import Like
    from catalog.compare.run_diff import RunDiff
    from catalog.query.result import Result
    from catalog.tags import Tagged


class Comparing(Located):
    """Compare traces, strategies and runs, and say what is worth remembering about them."""

    def duplicates(self, *, where: str | None = None) -> Duplicates:
        """
        Find configurations that were traced again, and behaviour that several have.

        Args:
            where: only groups with a trace that meets a condition on `strategy_index`.

        Raises:
            QueryError: the condition is none, or nothing meets it.
            StoreError: the catalog cannot be used.
        """
        from catalog.compare.duplicates import find_duplicates

        return find_duplicates(self.path, where=where)

    def changed(self, *, where: str | None = None) -> Changed:
        """
        Find traces of one configuration over one range that differ, and what explains that.

        Args:
            where: only pairs with a trace that meets a condition on `strategy_index`.

        Raises:
            QueryError: the condition is none, or nothing meets it.
            StoreError: the catalog cannot be used.
        """
        from catalog.compare.changed import find_changed

        return find_changed(self.path, where=where)

    def diff(self, a: str, b: str) -> Diff:
        """
        Compare two strategies, or two traces: parameters, signals bar by bar, and metrics.

        Args:
            a: as for `show`; a trace id or the path of a file stands for that trace, any other
                name for the strategy, of which the latest traces are compared.
            b: likewise.

        Raises:
            QueryError: nothing, or more than one thing, goes by one of the names.
            StoreError: the catalog cannot be used.
        """
        from catalog.compare.diff import diff

        return diff(self.path, a, b)

    def runs(self) -> Result:
        """
        Return a row per run, the newest first: what is registered of it and what is wrong.

        Raises:
            StoreError: the catalog cannot be used.
        """
        from catalog.query.runs import list_runs

        return list_runs(self.path)

    def diff_runs(self, a: str, b: str, *, overlap: bool = False) -> RunDiff:
        """
        Compare what two runs traced: in one only, same content, changed content.

        Args:
            a: the run_id, its beginning or end, the name or the folder of a run.
            b: likewise.
            overlap: where ranges are not the same, read both traces and compare the bars that
                both have.

        Raises:
            QueryError: nothing, or more than one run, goes by one of the names.
            StoreError: the catalog cannot be used.
        """
        from catalog.compare.run_diff import diff_runs

        return diff_runs(self.path, a, b, overlap=overlap)

    def like(
        self,
        reference: str,
        *conditions: str,
        by: str | None = None,
        strategy_type: str | None = None,
        tags: Sequence[str] = (),
        limit: int = 10,
    ) -> Like:
        """
        Find the strategies that are most like one, in their parameters and in what they do.

        Args:
            reference: as for `show`; a trace id or a path stands for that trace of the strategy.
            conditions: only strategies that meet these, as for `find`.
            by: `parameters` or `behaviour`; both unless given.
            strategy_type: only strategies of this type.
            tags: only strategies that have all of these tags.
            limit: rows of each table at most.

        Raises:
            UsageError: `by` or `limit` is none, or a condition is malformed.
            QueryError: nothing, or more than one thing, goes by that name; or what it is compared
                by is unknown.
            StoreError: the catalog cannot be used.
        """
        from catalog.compare.like import find_like

        return find_like(
            self.path,
            reference,
            by=by,
            conditions=conditions,
            strategy_type=strategy_type,
            tags=tags,
            limit=limit,
        )

    def tag(self, references: str | Sequence[str], tag: str, *, note: str | None = None) -> Tagged:
        """
        Give a tag to strategies, or to single traces.

        Args:
            references: one or several, as for `show`; a trace id or the path of a file tags that
                trace only, any other name the strategy.
            note: what to remember beside it; without one an earlier note stays.

        Raises:
            UsageError: the tag or the note cannot be one.
            QueryError: nothing, or more than one thing, goes by a reference.
            StoreError: the catalog cannot be used.
        """
        from catalog.tags import add_tag

        return add_tag(self.path, _several(references), tag, note=note)

    def untag(self, references: str | Sequence[str], tag: str) -> Tagged:
        """
        Take a tag off strategies, or off single traces.

        Args:
            references: as for `tag`.

        Raises:
            QueryError: none of them has it, or nothing goes by a reference.
            StoreError: the catalog cannot be used.
        """
        from catalog.tags import remove_tag

        return remove_tag(self.path, _several(references), tag)

    def tags(self, reference: str | None = None) -> Result:
        """
        Return all tags, or those of one strategy: the rows of the view `tags`.

        Raises:
            QueryError: nothing, or more than one strategy, goes by that name.
            StoreError: the catalog cannot be used.
        """
        from catalog.tags import list_tags

        return list_tags(self.path, reference)


def _several(references: str | Sequence[str]) -> list[str]:
    return [references] if isinstance(references, str) else list(references)

"""The options that name a metric set, which several commands take."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
_DAYS = re.compile(r"\s*(\d+)\s*(?:d|days?)\s*", re.IGNORECASE)


class Day(click.ParamType[date]):
    """A date, as 2025-01-31."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """Parse it."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value).strip(), "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is no date: write it as 2025-01-31", param, ctx)


class Days(click.ParamType[int]):
    """A number of days, as 90d."""

    name = "days"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Parse it."""
        found = _DAYS.fullmatch(str(value))
        if found is None or not 0 < int(found[1]) < 1_000_000:
            self.fail(f"{value!r} is no number of days: write it as 90d", param, ctx)
        return int(found[1])


DAY = Day()


def terms_options(command: Command) -> Command:
    """Give a command --cost-bps, --fill, --start, --end and --last."""
    for option in reversed(
        (
            click.option(
                "--cost-bps",
                type=click.FloatRange(min=0, max=10_000, max_open=True),
                default=0.0,
                show_default=True,
                help="Cost of every change of position, one way, in basis points of equity.",
            ),
            click.option(
                "--fill",
                type=click.Choice(("close", "next_open")),
                default="close",
                show_default=True,
                help="Whether a signal is filled at its own bar's close or at the next open.",
            ),
            click.option("--start", type=DAY, help="First session."),
            click.option("--end", type=DAY, help="Last session."),
            click.option(
                "--last",
                "last_days",
                type=Days(),
                help="Only so many days before the end of the prices.",
            ),
        )
    ):
        command = option(command)
    return command

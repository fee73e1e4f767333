"""A chart as a picture within a page: one that is read on light and on dark paper."""

from __future__ import annotations

import re
from typing import Final

from catalog.plots.draw import picture
from catalog.plots.view import Chart

# Within an attribute or a text "<" is escaped, so only elements are met.
_NAMED: Final = re.compile(
    r'(<(?:clipPath|linearGradient|radialGradient|pattern)\b[^<>]*? id=")([^"<>]+")'
)
_USED: Final = re.compile(r'(="url\(#)([^()"<>]+\)")')


def inline(chart: Chart, name: str) -> str:
    """
    Return a chart as an SVG element, whose colours of text and paper are left to the page.

    Args:
        name: a word that no other picture of the page has: two clips of one name are one clip.

    Raises:
        UsageError: what draws is not installed.
    """
    drawn = picture(chart, ".svg").decode("utf-8")
    for pattern in (_NAMED, _USED):
        drawn = pattern.sub(rf"\g<1>{name}-\g<2>", drawn)
    return drawn

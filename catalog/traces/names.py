"""Names that become part of a path: refused where they would lead elsewhere."""

from __future__ import annotations

from typing import Final

from catalog.errors import UsageError

LONGEST: Final = 200
"""Bytes of UTF-8. File systems allow 255, and a temporary name is longer than the final one."""


def check_name(what: str, name: str) -> None:
    """
    Refuse a name that cannot be a file's or a folder's.

    Raises:
        UsageError: it is empty, too long, no UTF-8, hidden, or has a separator or NUL in it.
    """
    wrong = _wrong_with(name)
    if wrong is not None:
        raise UsageError(
            f"The {what} {str(name)[:80]!r} {wrong}, and it names a file or a folder",
            hint="Use letters, digits, dots, underscores and hyphens",
        )


def _wrong_with(name: str) -> str | None:
    if not isinstance(name, str):
        return "is no text"
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "is not valid Unicode"
    if not name:
        return "is empty"
    if length > LONGEST:
        return f"is longer than {LONGEST} bytes"
    if name.startswith("."):
        return "begins with a dot"
    if any(character in "/\\" or ord(character) < 32 for character in name):
        return "has a path separator or a control character in it"
    return None

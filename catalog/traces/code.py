"""Which code a strategy was: a digest of its source."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from catalog.errors import UsageError


def code_digest(code: Any) -> str:
    """
    Return the digest of a function's, class's or module's source, 64 hex digits.

    Raises:
        UsageError: it has no source that can be read, as what is typed at a prompt.
    """
    try:
        source = inspect.getsource(code)
    except (OSError, TypeError) as error:
        raise UsageError(
            f"The source of {code!r} cannot be read: {error}",
            hint="Give a function, class or module that is in a file",
        ) from error
    return hashlib.sha256(source.encode()).hexdigest()


def code_digests(code: Any) -> Callable[[Any], str | None]:
    """
    Return what tells the digest of a strategy type's code.

    Args:
        code: a function, class or module for all types, or one for each; None where it is unknown.

    Raises:
        UsageError: one of them has no source that can be read.
    """
    if isinstance(code, Mapping):
        return {kind: code_digest(one) for kind, one in code.items()}.get
    digest = None if code is None else code_digest(code)
    return lambda _: digest

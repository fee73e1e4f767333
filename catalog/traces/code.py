"""Which code a strategy was: a digest of its source."""

from __future__ import annotations

import hashlib
import inspect
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

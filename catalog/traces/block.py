"""Writers that are used as a `with` block: finalized at its end, discarded when it raises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self


class FinalizedAtEnd(ABC):
    """What has a `finalize` and a `discard`, of which a `with` block calls one."""

    @abstractmethod
    def finalize(self) -> Any:
        """Complete what was written."""

    @abstractmethod
    def discard(self) -> None:
        """Leave nothing of it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finalize()
        else:
            self.discard()

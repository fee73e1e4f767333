"""What the last verification of the whole catalog found: kept beside it, to be shown later."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from catalog.errors import StoreError
from catalog.places import write_bytes
from catalog.store.paths import side_folder
from catalog.verify.finding import Finding, Verification

FINDINGS: Final = 50
"""How many findings are kept word for word; the others are counted."""
_FORMAT: Final = 1


@dataclass(frozen=True)
class LastVerification:
    """
    When the whole catalog was verified last, how closely, and what was wrong or left so.

    `how` is fast, sample, full or deep; `counts` has the number of findings of each kind, and
    `findings` the first ones.
    """

    finished_at: datetime
    how: str
    files: int
    read: int
    seconds: float
    counts: Mapping[str, int]
    findings: Sequence[Finding]


def keep_last(catalog: Path, report: Verification, *, how: str) -> None:
    """Remember a verification of the whole catalog; where one cannot write, it is not."""
    counts = Counter(one.finding for one in report.findings)
    kept = {
        "format": _FORMAT,
        "finished_at": datetime.now(UTC).isoformat(),
        "how": how,
        "files": report.files,
        "read": report.read,
        "seconds": round(report.seconds, 3),
        "counts": dict(counts.most_common()),
        "findings": [asdict(one) for one in report.findings[:FINDINGS]],
    }
    # Half of a surrogate pair, as a path may hold, is nothing that UTF-8 can say: JSON escapes it.
    data = json.dumps(kept, ensure_ascii=True, indent=1).encode()
    with suppress(StoreError):
        write_bytes(str(_path(catalog)), data)


def read_last(catalog: Path) -> LastVerification | None:
    """Return the last verification of the whole catalog, None where none is known."""
    try:
        kept: dict[str, Any] = json.loads(_path(catalog).read_bytes())
        if kept["format"] != _FORMAT:
            return None
        return LastVerification(
            finished_at=datetime.fromisoformat(kept["finished_at"]),
            how=kept["how"],
            files=kept["files"],
            read=kept["read"],
            seconds=kept["seconds"],
            counts=kept["counts"],
            findings=[Finding(**one) for one in kept["findings"]],
        )
    # It says nothing that verifying once more would not: damage to it is no error.
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(catalog: Path) -> Path:
    return side_folder(catalog) / "verified.json"

"""What can be wrong, in fixed phrases, and what came of looking for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

MISSING: Final = "missing file"
UNREADABLE: Final = "unreadable file"
DAMAGED: Final = "damaged file"
CHANGED: Final = "changed file"
UNREGISTERED: Final = "unregistered file"
WRONG_ROW: Final = "wrong row"
WRONG_LATEST: Final = "wrong latest trace"
WRONG_CONFIG: Final = "wrong configuration"
ORPHAN: Final = "orphaned row"
DANGLING: Final = "dangling component"
UNFINISHED: Final = "unfinished file"
LEFT_OVER: Final = "left over file"
NOTE: Final = "note in the inbox"
MISSING_PACK: Final = "missing pack"
DAMAGED_PACK: Final = "damaged pack"
DAMAGED_FACTS: Final = "damaged facts of a pack"
WRONG_PACK: Final = "pack of other traces"
MISSING_PRICES: Final = "missing prices"
DAMAGED_PRICES: Final = "damaged prices"
MISSING_RETURNS: Final = "missing session returns"
DAMAGED_RETURNS: Final = "damaged session returns"
MISSING_LAKE_FILE: Final = "missing lake file"
CHANGED_LAKE_FILE: Final = "changed lake file"
MISSING_SWEEP: Final = "missing sweep file"
DAMAGED_SWEEP: Final = "damaged sweep file"
LACKING_FACTS: Final = "lacking facts"
DAMAGED_LINE: Final = "damaged line of facts"
DAMAGED_LEDGER: Final = "damaged ledger of trials"
BROKEN_VIEW: Final = "broken view"

_REPAIR = "catalog verify --repair"
REBUILD: Final = "Make the catalog anew: catalog rebuild"
_ADD_PRICES = "Add the prices again: catalog prices add FILE"
_MEASURE = "Compute them again: catalog metrics"
_OPEN = "Open the lake again, where it lies now: catalog open LAKE"
_SWEEP = "Give the sweep file again: catalog register FOLDER --sweep FILE"

WHAT_TO_DO: Final = {
    MISSING: f"Bring it back, or say where it is: catalog relocate; or mark it missing: {_REPAIR}",
    UNREADABLE: "Let this user read it",
    DAMAGED: "Bring it back from a copy, or write it again; its row stays as it was",
    CHANGED: "Register it again: catalog register {folder}",
    UNREGISTERED: "Register it, or learn why it cannot be: catalog register {folder}",
    WRONG_ROW: f"Register its file again: {_REPAIR}; without one: catalog rebuild",
    WRONG_LATEST: f"Say it anew: {_REPAIR}",
    WRONG_CONFIG: f"Register its traces again: {_REPAIR}; without files: catalog rebuild",
    ORPHAN: f"Drop it: {_REPAIR}",
    DANGLING: f"Register what is made of it again: {_REPAIR}",
    UNFINISHED: f"Remove it: {_REPAIR}",
    LEFT_OVER: f"Remove it: {_REPAIR}; a pack that alone holds a trace: catalog rebuild",
    NOTE: f"Take it in: {_REPAIR}",
    MISSING_PACK: f"Bring it back, or read its traces from their own files: {_REPAIR}",
    DAMAGED_PACK: "Bring it back from a copy, or remove it and run: catalog verify --repair",
    DAMAGED_FACTS: f"Write them again: {_REPAIR}",
    WRONG_PACK: REBUILD,
    MISSING_PRICES: _ADD_PRICES,
    DAMAGED_PRICES: _ADD_PRICES,
    MISSING_RETURNS: _MEASURE,
    DAMAGED_RETURNS: _MEASURE,
    MISSING_LAKE_FILE: _OPEN,
    CHANGED_LAKE_FILE: _OPEN,
    MISSING_SWEEP: _SWEEP,
    DAMAGED_SWEEP: f"Remove it. {_SWEEP}",
    LACKING_FACTS: f"Write them from the catalog: {_REPAIR}",
    DAMAGED_LINE: "Bring the file back from a backup, or mend the line",
    DAMAGED_LEDGER: "Bring it back from a backup; the catalog itself still counts its trials",
    BROKEN_VIEW: f"Make it anew: {_REPAIR}",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that is wrong.

    `path` is the file, or the catalog where a row of it is wrong; `finding` one of the phrases
    above; `detail` says which thing, and what is wrong with it; `key` is what tells a row apart,
    such as the trace's id or the strategy's key, None where the path does.
    """

    path: str
    finding: str
    detail: str
    what_to_do: str
    key: str | None = None


def found(
    finding: str, path: str, detail: str, *, what_to_do: str | None = None, key: str | None = None
) -> Finding:
    """Return a finding with what is usually to be done about it."""
    usual = WHAT_TO_DO[finding].format(folder=path.rpartition("/")[0] or "/")
    return Finding(path, finding, detail, what_to_do or usual, key)


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that was mended, and how."""

    path: str
    repair: str


@dataclass
class Verification:
    """
    What was looked at, and what is wrong.

    `files` counts registered trace files, `read` those of them and of packs, prices and returns
    whose bytes were read, `size_bytes` these bytes. `touched` files have another time of change
    and the same bytes, which is no damage. After repairs `findings` are what is left.
    """

    findings: list[Finding] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    files: int = 0
    packs: int = 0
    read: int = 0
    size_bytes: int = 0
    touched: list[str] = field(default_factory=list)
    sample: float | None = None
    seed: int | None = None
    seconds: float = 0.0

    @property
    def needs_attention(self) -> bool:
        """Whether anything is wrong, or is left so."""
        return bool(self.findings)


Progress = Callable[[int, int], None]
"""Called with how many files were looked at, and how many there are."""

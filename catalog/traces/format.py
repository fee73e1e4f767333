"""The layout of our own trace files, and how the older generations are told apart."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection, Mapping
from typing import Final

FORMAT_VERSION: Final = 1
"""Of our own files. It grows when an older reader would misread a newer file."""

COLUMNS: Final = ("idx", "ts", "sym", "val", "strat", "px", "metadata", "strategy_hash")
"""Of our own signal and classifier files, in file order."""

ESSENTIAL_COLUMNS: Final = ("idx", "ts", "sym", "val", "strat")
"""Every generation's signal and classifier files have these."""

EVENT_COLUMNS: Final = ("idx", "ts", "sym")
"""Every generation's order, fill and position files have these."""

SIGNAL, CLASSIFIER, ORDER, FILL, POSITION = "signal", "classifier", "order", "fill", "position"
KINDS: Final = (SIGNAL, CLASSIFIER, ORDER, FILL, POSITION)
EVENT_KINDS: Final = frozenset({ORDER, FILL, POSITION})

FOLDER_OF_KIND: Final = {
    SIGNAL: "signals",
    CLASSIFIER: "classifiers",
    ORDER: "orders",
    FILL: "fills",
    POSITION: "positions",
}
_KIND_OF_FOLDER: Final = {folder: kind for kind, folder in FOLDER_OF_KIND.items()} | {
    "positions_open": POSITION,
    "positions_close": POSITION,
}

G1, G2, G3, G4, G5 = "G1", "G2", "G3", "G4", "G5"
OURS: Final = G5

# The footer keys, as the bytes that Parquet keeps. Only our files have this first one.
VERSION_KEY: Final = b"trace_format_version"
STRATEGY_ID_KEY: Final = b"strategy_id"
STRATEGY_HASH_KEY: Final = b"strategy_hash"
STRATEGY_CONFIG_KEY: Final = b"strategy_config"
STRATEGY_TYPE_KEY: Final = b"strategy_type"
CREATION_TIME_KEY: Final = b"creation_time"
KIND_KEY: Final = b"kind"
RUN_ID_KEY: Final = b"run_id"
SYMBOL_KEY: Final = b"symbol"
TIMEFRAME_KEY: Final = b"timeframe"
FIRST_BAR_KEY: Final = b"first_bar"
LAST_BAR_KEY: Final = b"last_bar"
FIRST_TS_KEY: Final = b"first_ts"
LAST_TS_KEY: Final = b"last_ts"
DATA_DIGEST_KEY: Final = b"data_digest"
CODE_DIGEST_KEY: Final = b"code_digest"
CONFIG_DIGEST_KEY: Final = b"config_digest"
CONTENT_DIGEST_KEY: Final = b"content_digest"
UPGRADED_FROM_KEY: Final = b"upgraded_from"
"""Of a file that `catalog upgrade` made: JSON that says from what."""

_TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.tmp", re.DOTALL)


def generation_of(columns: Collection[str], footer: Mapping[bytes, bytes]) -> str:
    """Return which generation wrote a file with these columns and footer keys, 'G1' to 'G5'."""
    if VERSION_KEY in footer:
        return OURS
    if "tf" in columns or "src_file" in columns:
        return G1
    if "strategy_hash" in columns:
        return G3
    if STRATEGY_HASH_KEY in footer:
        return G4
    # Order, fill and position files of G3 have no footer keys, but nested metadata.
    return G3 if "metadata" in columns else G2


def first_index(generation: str, *, knows_bar_times: bool) -> int:
    """Return the `idx` that stands for bar 0: old tracers counted bars from one."""
    return int(generation == G1 or (generation == G2 and not knows_bar_times))


def kind_of_folder(name: str) -> str | None:
    """Return the kind of the files in a folder of this name, or None if it does not say."""
    return _KIND_OF_FOLDER.get(name)


def temporary_name(name: str) -> str:
    """Return a name for a file that is not finalized yet. No glob over `*.parquet` finds it."""
    return f".{name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"


def unfinished(name: str) -> bool:
    """Say whether a file's name is one of our temporary names."""
    return _TEMPORARY.fullmatch(name) is not None

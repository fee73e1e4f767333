"""What the footer keys of a trace file say, generation by generation; and those of our own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalog.errors import ConfigurationError, TraceFileError
from catalog.strategy import config_digest, parse_config
from catalog.traces import format as layout
from catalog.traces.times import iso, microseconds

_HASH: Final = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Footer:
    """The footer keys of one file, decoded. A key that is absent or empty is None."""

    kind: str | None = None
    strategy_id: str | None = None
    strategy_type: str | None = None
    claimed_hash: str | None = None
    config: dict[str, Any] | None = None
    run_id: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    created_at: str | None = None
    first_bar: int | None = None
    last_bar: int | None = None
    first_ts: int | None = None
    last_ts: int | None = None
    data_digest: str | None = None
    code_digest: str | None = None
    config_digest: str | None = None
    content_digest: str | None = None


_SAYS_NOTHING: Final = Footer()


def read_footer(keys: Mapping[bytes, bytes], *, generation: str, file_stem: str) -> Footer:
    """
    Decode the footer keys that a generation gives a meaning to.

    Raises:
        TraceFileError: one of those keys is not UTF-8, not JSON, or not what it should be.
    """
    if generation == layout.OURS:
        return _ours(keys)
    if generation in (layout.G3, layout.G4):
        return _of_older_tracer(keys, generation, file_stem)
    # G1's run_id is really the strategy's id, and its total_bars the bar of the last change.
    return _SAYS_NOTHING


def _ours(keys: Mapping[bytes, bytes]) -> Footer:
    version = _whole_number(keys, layout.VERSION_KEY)
    if version is None or not 1 <= version <= layout.FORMAT_VERSION:
        raise TraceFileError(
            "unknown format version",
            f"The file says it has format version {version}",
            hint=f"This program reads up to version {layout.FORMAT_VERSION}; try a newer one",
        )
    kind = _text(keys, layout.KIND_KEY)
    if kind not in layout.KINDS:
        raise TraceFileError("footer incomplete", f"The footer key kind is {kind!r}")
    strategy_id = _text(keys, layout.STRATEGY_ID_KEY)
    if strategy_id is None and kind not in layout.EVENT_KINDS:
        raise TraceFileError("footer incomplete", "The footer key strategy_id is missing")
    claimed_hash = _text(keys, layout.STRATEGY_HASH_KEY)
    config, digest = _config(keys, claimed_hash)
    return Footer(
        kind=kind,
        strategy_id=strategy_id,
        strategy_type=_text(keys, layout.STRATEGY_TYPE_KEY),
        claimed_hash=claimed_hash,
        config=config,
        run_id=_text(keys, layout.RUN_ID_KEY),
        symbol=_text(keys, layout.SYMBOL_KEY),
        timeframe=_text(keys, layout.TIMEFRAME_KEY),
        created_at=_text(keys, layout.CREATION_TIME_KEY),
        first_bar=_whole_number(keys, layout.FIRST_BAR_KEY),
        last_bar=_whole_number(keys, layout.LAST_BAR_KEY),
        first_ts=_instant(keys, layout.FIRST_TS_KEY),
        last_ts=_instant(keys, layout.LAST_TS_KEY),
        data_digest=_text(keys, layout.DATA_DIGEST_KEY),
        code_digest=_text(keys, layout.CODE_DIGEST_KEY),
        config_digest=digest or _text(keys, layout.CONFIG_DIGEST_KEY),
        content_digest=_text(keys, layout.CONTENT_DIGEST_KEY),
    )


def footer_keys(footer: Footer, config: str | None) -> dict[bytes, str]:
    """
    Return the keys of a file of ours: reading them gives the footer again.

    Args:
        config: the configuration as canonical JSON, None where nobody knows it.
    """
    keys = {
        layout.VERSION_KEY: str(layout.FORMAT_VERSION),
        layout.KIND_KEY: footer.kind,
        layout.STRATEGY_ID_KEY: footer.strategy_id,
        layout.STRATEGY_TYPE_KEY: footer.strategy_type,
        layout.STRATEGY_HASH_KEY: footer.claimed_hash,
        layout.STRATEGY_CONFIG_KEY: config,
        layout.CONFIG_DIGEST_KEY: footer.config_digest,
        layout.CREATION_TIME_KEY: footer.created_at,
        layout.RUN_ID_KEY: footer.run_id,
        layout.SYMBOL_KEY: footer.symbol,
        layout.TIMEFRAME_KEY: footer.timeframe,
        layout.FIRST_BAR_KEY: _text_of(footer.first_bar),
        layout.LAST_BAR_KEY: _text_of(footer.last_bar),
        layout.FIRST_TS_KEY: None if footer.first_ts is None else iso(footer.first_ts),
        layout.LAST_TS_KEY: None if footer.last_ts is None else iso(footer.last_ts),
        layout.DATA_DIGEST_KEY: footer.data_digest,
        layout.CODE_DIGEST_KEY: footer.code_digest,
        layout.CONTENT_DIGEST_KEY: footer.content_digest,
    }
    return {key: value for key, value in keys.items() if value is not None}


def _text_of(bar: int | None) -> str | None:
    return None if bar is None else str(bar)


def _of_older_tracer(keys: Mapping[bytes, bytes], generation: str, file_stem: str) -> Footer:
    claimed_hash = _text(keys, layout.STRATEGY_HASH_KEY)
    strategy_id = _text(keys, layout.STRATEGY_ID_KEY)
    if generation == layout.G4:
        # Its footer repeats the file name where the id should be; the rows have the id.
        strategy_id = None
        if claimed_hash is None and _HASH.fullmatch(file_stem):
            claimed_hash = file_stem
    config, digest = _config(keys, claimed_hash)
    return Footer(
        strategy_id=strategy_id,
        claimed_hash=claimed_hash,
        config=config,
        created_at=_text(keys, layout.CREATION_TIME_KEY),
        config_digest=digest,
    )


def _config(
    keys: Mapping[bytes, bytes], claimed_hash: str | None
) -> tuple[dict[str, Any] | None, str | None]:
    """Return the configuration and its digest, if it hashes to what the file claims."""
    text = _text(keys, layout.STRATEGY_CONFIG_KEY)
    if text is None:
        return None, None
    try:
        config = parse_config(text)
        digest = config_digest(config)
    except ConfigurationError as error:
        raise TraceFileError(
            "footer config unreadable", f"strategy_config: {error}", hint=error.hint
        ) from error
    # An older tracer put the prices of the first bar there, which hash to something else.
    return (config, digest) if digest[:12] == claimed_hash else (None, None)


def _text(keys: Mapping[bytes, bytes], key: bytes) -> str | None:
    value = keys.get(key)
    if not value:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise TraceFileError(
            "footer not UTF-8", f"The footer key {key.decode()} is not UTF-8 text"
        ) from error


def _whole_number(keys: Mapping[bytes, bytes], key: bytes) -> int | None:
    text = _text(keys, key)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise TraceFileError(
            "footer value unreadable", f"The footer key {key.decode()} is {text[:64]!r}, no number"
        )
    return int(text)


def _instant(keys: Mapping[bytes, bytes], key: bytes) -> int | None:
    text = _text(keys, key)
    if text is None:
        return None
    instant = microseconds(text)
    if instant is None:
        raise TraceFileError(
            "footer value unreadable",
            f"The footer key {key.decode()} is {text[:64]!r}, no time with an offset",
        )
    return instant

"""
What a run's metadata.json says, whichever of its five shapes it has.

The parameters of a strategy may stand under `components[id].full_config`, under
`components[id].parameters`, or under `strategy_metadata.strategies[name].params`;
all three are often empty, which is no configuration at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from catalog.errors import ConfigurationError, ObjectError, TraceFileError
from catalog.objects import is_url, read
from catalog.strategy import is_composite, leaf_parameters, strategy_hash

Config = dict[str, Any]

LARGEST = 1 << 30
_HALF_OF_A_PAIR = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Component:
    """What a run says about one of its strategies or classifiers."""

    configs: tuple[Config, ...] = ()
    claimed_hash: str | None = None
    timeframe: str | None = None


@dataclass(frozen=True)
class Metadata:
    """What a run says about itself; empty where it says nothing."""

    recorded_id: str | None = None
    workflow: str | None = None
    created_at: datetime | None = None
    data_source: Mapping[str, Any] | None = None
    total_bars: int | None = None
    components: Mapping[str, Component] = field(default_factory=dict)
    files: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """By the name of a trace file the paths that components claim, each with its component."""

    def component_of_file(self, path: str) -> str | None:
        """Return the component that claims a file: the one whose path is most like the file's."""
        parts = path.split("/")[::-1]
        best: dict[int, set[str]] = {}
        for claimed, name in self.files.get(parts[0], ()):
            pairs = zip(parts, claimed.split("/")[::-1], strict=False)
            alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            best.setdefault(alike, set()).add(name)
        names = best[max(best)] if best else set()
        return names.pop() if len(names) == 1 else None

    def words(self, key: str) -> list[str]:
        """Return the texts of a list in the data source, such as its symbols."""
        values = (self.data_source or {}).get(key)
        if not isinstance(values, list):
            return []
        return [text for value in values if (text := _text(value)) is not None]


def read_metadata(path: str) -> Metadata:
    """
    Read a metadata.json.

    Raises:
        TraceFileError: it is broken, empty, or no object. What is odd inside is passed over.
        ObjectStoreError: the store that it lies in cannot be reached, or says no.
    """
    try:
        data = _read(path)
    except (ObjectError, OSError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise TraceFileError("unreadable metadata.json", why) from error
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        what = "it is empty" if not data.strip() else f"it is not JSON: {error}"
        raise TraceFileError("broken metadata.json", what, hint=_REPAIR) from error
    if not isinstance(document, dict):
        raise TraceFileError(
            "broken metadata.json", f"it holds a {type(document).__name__}, not an object",
            hint=_REPAIR,
        )  # fmt: skip
    return _understand(document)


def _read(path: str) -> bytes:
    if is_url(path):
        return read(path)
    with open(path, "rb") as file:
        return file.read(LARGEST)


_REPAIR = "Repair or remove the file and register again: its run may lack configurations"


def _understand(document: Mapping[str, Any]) -> Metadata:
    declared = _declared(document)
    components: dict[str, Component] = {}
    files: dict[str, tuple[tuple[str, str], ...]] = {}
    listed = document.get("components")
    for name, entry in listed.items() if isinstance(listed, dict) else ():
        if not isinstance(entry, dict):
            continue
        components[name] = _component(name, entry, declared)
        for key in ("trace_path", "signal_file_path"):
            if path := _text(entry.get(key)):
                file = path.rsplit("/", 1)[-1]
                files[file] = (*files.get(file, ()), (path, name))
    for name, config in declared.items():
        components.setdefault(name, Component(configs=(config,)))
    source = document.get("data_source")
    bars = document.get("total_bars")
    return Metadata(
        recorded_id=_text(document.get("run_id")),
        workflow=_text(document.get("workflow_id")),
        created_at=as_utc(document.get("timestamp")),
        data_source=source if isinstance(source, dict) and _is_unicode(_json(source)) else None,
        total_bars=bars if _is_count(bars) else None,
        components=components,
        files=files,
    )


def _component(name: str, entry: Mapping[str, Any], declared: Mapping[str, Config]) -> Component:
    claimed = _text(entry.get("strategy_hash"))
    kind = _text(entry.get("strategy_type"))
    possible: list[Config] = []
    if isinstance(entry.get("full_config"), dict):
        possible.append(entry["full_config"])
    if kind is not None and isinstance(entry.get("parameters"), dict):
        config = {"type": kind, "parameters": entry["parameters"]}
        if entry.get("constraints") is not None:
            possible.append({**config, "constraints": entry["constraints"]})
        possible.append(config)
    # The run's own declaration is named without the symbol that ids begin with.
    possible.extend(
        declared[known] for known in (name, name.partition("_")[2]) if known in declared
    )
    full = tuple(config for config in possible if _says_something(config))
    if claimed is not None and any(
        _hash(config) == claimed for config in possible if not _says_something(config)
    ):
        # The hash of an empty configuration stands for thousands of strategies at once.
        claimed = None
    return Component(full, claimed, _text(entry.get("timeframe")))


def _declared(document: Mapping[str, Any]) -> dict[str, Config]:
    """Return the configurations under strategy_metadata, by name."""
    found: dict[str, Config] = {}
    about = document.get("strategy_metadata")
    for group in ("strategies", "classifiers"):
        entries = about.get(group) if isinstance(about, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if not isinstance(entry, dict):
                continue
            kind, parameters = _text(entry.get("type")), entry.get("params")
            if kind is not None and isinstance(parameters, dict):
                config = {"type": kind, "parameters": parameters}
                if _says_something(config):
                    found[name] = config
    return found


def _says_something(config: Config) -> bool:
    """Say whether a configuration has any parameter, and not just a positional name."""
    try:
        return bool(leaf_parameters(config)) or is_composite(config)
    except ConfigurationError:
        return False


def _hash(config: Config) -> str | None:
    try:
        return strategy_hash(config)
    except ConfigurationError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value and _is_unicode(value) else None


def _is_unicode(text: str) -> bool:
    """Say whether a text is more than half of a surrogate pair, which JSON can say."""
    return text.isascii() or not _HALF_OF_A_PAIR.search(text)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def as_utc(value: object) -> datetime | None:
    """Read a time; one without a zone is taken as UTC."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # Year 1 in one zone is year 0 in another.
        return None


def merged(many: Iterator[Metadata]) -> Metadata:
    """Return what several records say together, for traces that several runs share."""
    components: dict[str, Component] = {}
    files: dict[str, tuple[tuple[str, str], ...]] = {}
    sources: list[Mapping[str, Any]] = []
    for number, one in enumerate(many):
        # Ids are unique in their run only: the files' names tell them apart.
        for name, component in one.components.items():
            components[f"{number}/{name}"] = component
        for file, claims in one.files.items():
            numbered = ((path, f"{number}/{name}") for path, name in claims)
            files[file] = (*files.get(file, ()), *numbered)
        if one.data_source is not None and one.data_source not in sources:
            sources.append(one.data_source)
    return Metadata(
        components=components, files=files, data_source=sources[0] if len(sources) == 1 else None
    )

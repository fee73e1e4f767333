"""
Find the configuration of a trace: footer, metadata.json, analytics.duckdb, sweep file.

The first source that has one wins, and where a hash is claimed only a
configuration that hashes to it counts. Nothing is ever made up: a strategy
without a configuration is registered as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from catalog.canonical import encode, plain_config
from catalog.errors import ConfigurationError
from catalog.register.bundled import NO_BUNDLE, BundledRun
from catalog.register.metadata import Component
from catalog.register.runs import RunRecords
from catalog.sweeps.grid import Sweep
from catalog.sweeps.match import Disagreement, Matches
from catalog.traces.trace_file import TraceFile

Config = dict[str, Any]
Candidate = tuple[str, Config, Sweep | None]

_HASH = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Recovered:
    """
    What is known about the configuration of one trace.

    `source` is footer, metadata, analytics, sweep or unknown. `hash` is computed from
    `config`, or is the claim where there is none, or None where there is neither.
    """

    source: str
    config: Config | None
    canonical: str | None
    digest: str | None
    hash: str | None
    claimed_hash: str | None
    sweep: Sweep | None = None


@dataclass(frozen=True)
class ConfigSources:
    """Where the configurations of one run, in `folder`, may be found."""

    records: RunRecords
    sweeps: Matches
    folder: str = ""
    bundled: BundledRun = NO_BUNDLE

    @cached_property
    def _by_claim(self) -> Mapping[str, tuple[Config, ...]]:
        by_claim: dict[str, tuple[Config, ...]] = {}
        for component in self.records.metadata.components.values():
            if component.claimed_hash is not None:
                known = by_claim.get(component.claimed_hash, ())
                by_claim[component.claimed_hash] = known + component.configs
        return by_claim

    @property
    def disagreements(self) -> list[Disagreement]:
        """The names that equally good sweep files say different things about."""
        return self.sweeps.disagreements

    def recover(self, trace: TraceFile, path: str) -> Recovered:
        """Return what is known about the configuration of a trace, best source first."""
        stem = path.rpartition("/")[2].removesuffix(".parquet")
        metadata = self.records.metadata
        component = metadata.components.get(trace.strategy_id or stem) or metadata.components.get(
            metadata.component_of_file(path) or stem, Component()
        )
        claim = _claim(trace.claimed_hash or component.claimed_hash)
        return _first(self._candidates(trace, path, component.configs, claim), claim)

    def recover_by_id(self, strategy_id: str) -> Recovered:
        """Return what is known about a strategy that has no trace file in the run."""
        component = self.records.metadata.components.get(strategy_id, Component())
        listed = (("metadata", config, None) for config in component.configs)
        return _first(listed, _claim(component.claimed_hash))

    def _candidates(
        self, trace: TraceFile, path: str, listed: tuple[Config, ...], claim: str | None
    ) -> Iterator[Candidate]:
        stem = path.rpartition("/")[2].removesuffix(".parquet")
        if trace.footer_config is not None:
            yield "footer", trace.footer_config, None
        # Who made a bundle knew all of the run, of which a part may be here.
        stated = self.bundled.configs.get(path[len(self.folder) :].lstrip("/"))
        if stated is not None:
            yield *stated, self.bundled.sweep if stated[0] == "sweep" else None
        for config in listed:
            yield "metadata", config, None
        if claim is not None:
            for config in self._by_claim.get(claim, ()):
                yield "metadata", config, None
        analytics = self.records.analytics
        # The run's own database names strategies without the symbol that ids begin with.
        for name in (stem, stem.partition("_")[2]):
            if name in analytics:
                yield "analytics", analytics[name], None
        match = self.sweeps.configs.get((trace.kind, stem))
        if match is not None:
            yield "sweep", match[0], match[1]


def _first(candidates: Iterable[Candidate], claim: str | None) -> Recovered:
    """Return the first candidate that hashes to the claim, where there is one."""
    for source, config, sweep in candidates:
        try:
            # What a sweep holds is plain already.
            text = encode(config if sweep is not None else plain_config(config))
        except ConfigurationError:
            continue
        digest = sha256(text).hexdigest()
        if claim is None or digest.startswith(claim):
            return Recovered(source, config, text.decode(), digest, digest[:12], claim, sweep)
    return Recovered("unknown", None, None, None, claim, claim)


def _claim(text: str | None) -> str | None:
    return text if text is not None and _HASH.fullmatch(text) else None

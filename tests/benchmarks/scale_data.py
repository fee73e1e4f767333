"""
A million short trace files in our own format, each of a strategy of its own.

What `write_signals` wrote is the template of the others, in which everything that differs has
the same number of bytes: a million files take minutes and not an hour. For that the template is
neither compressed nor has statistics or page checksums; whoever registers the files checks their
configurations and contents against their digests.
"""

from __future__ import annotations

import multiprocessing
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from latency_data import TYPES
from measure import say
from numpy.typing import NDArray

from catalog.canonical import encode
from catalog.traces import format as layout
from catalog.traces.content import RowsDigest, content_digest
from catalog.traces.signals import write_signals

IN_A_RUN = 1_000
CHANGES = 8
SESSIONS, BARS_A_SESSION = 25, 78
BARS = SESSIONS * BARS_A_SESSION
SYMBOL, TIMEFRAME = "SPY", "5m"


@dataclass(frozen=True)
class Trace:
    """What differs from file to file: its number, and where its signal changes to what."""

    number: int
    bars: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def run_id(self) -> str:
        return f"sweep_{self.number // IN_A_RUN:05}"

    @property
    def strategy_id(self) -> str:
        return f"strategy_{self.number:08}"

    @property
    def type(self) -> str:
        return TYPES[self.number % len(TYPES)]

    @property
    def config(self) -> dict[str, Any]:
        """One configuration of nine parameters; those of a type are equally long as text."""
        block, place = divmod(self.number, IN_A_RUN)
        place //= len(TYPES)
        parameters: dict[str, object] = {
            "block": 10_000 + block,
            "period": 10 + place % 20,
            "std_dev": round(1 + 0.1 * (place // 20), 1),
            "stop": round(0.001 * (1 + place % 7), 3),
        }
        own = self.type[:4]
        parameters |= {f"{own}_{n}": (place * (n + 3) + block) % 9 for n in range(4)}
        parameters[f"{own}_mode"] = ("fast", "slow")[place % 2]
        return {"type": self.type, "parameters": parameters}

    @property
    def fields(self) -> dict[str, bytes]:
        """The bytes of each thing that differs; a longer one may hold a shorter one."""
        canonical = encode(self.config)
        digest = sha256(canonical).hexdigest()
        rows = RowsDigest(layout.SIGNAL)
        rows.add_arrays(self.bars, self.values)
        content = content_digest(SYMBOL, TIMEFRAME, layout.SIGNAL, rows.hexdigest())
        return {
            "config": canonical,
            "config_digest": digest.encode(),
            "content_digest": content.encode(),
            "bars": self.bars.tobytes(),
            "times": bar_times()[self.bars].astype(np.int64).tobytes(),
            "values": self.values.tobytes(),
            "prices": bar_prices()[self.bars].tobytes(),
            "strategy_id": self.strategy_id.encode(),
            "hash": digest[:12].encode(),
            "run_id": self.run_id.encode(),
        }


def make_runs(folder: Path, traces: int, *, workers: int = 2) -> Path:
    """Make runs of 1,000 traces each until there are so many, and return their folder."""
    runs = folder / "runs"
    wanted = [number for number in range(traces // IN_A_RUN) if not _folder(runs, number).exists()]
    if wanted:
        say(f"writing {len(wanted) * IN_A_RUN:,} trace files into {runs}")
        write_runs(runs, wanted, workers=workers)
    return runs


def write_runs(runs: Path, numbers: Iterable[int], *, workers: int = 2) -> None:
    """Write the runs of some numbers, each of which appears whole; the same number is the same."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        for done, _ in enumerate(pool.map(partial(_write_run, runs), numbers), 1):
            if done % 100 == 0:
                say(f"  {done * IN_A_RUN:,}")
    # What is still on its way to the disk would slow down what is measured first.
    os.sync()


def _write_run(runs: Path, number: int) -> None:
    target = _folder(runs, number)
    unfinished = target.with_name(f".{target.name}")
    for kind in TYPES:
        (unfinished / "traces" / "signals" / kind).mkdir(parents=True, exist_ok=True)
    for trace in _traces(number):
        fields = trace.fields
        parts = [fields[part] if isinstance(part, str) else part for part in _template(trace.type)]
        path = unfinished / "traces" / "signals" / trace.type / f"{trace.strategy_id}.parquet"
        path.write_bytes(b"".join(parts))
    unfinished.rename(target)


def _traces(run: int) -> Iterator[Trace]:
    random = np.random.default_rng(run)
    chosen = random.random((IN_A_RUN, BARS)).argpartition(CHANGES, axis=1)[:, :CHANGES]
    # Of 1, 0 and -1 the next one is never the one before.
    values = np.cumsum(random.integers(1, 3, (IN_A_RUN, CHANGES)), axis=1) % 3 - 1.0
    for place, bars in enumerate(np.sort(chosen, axis=1).astype(np.int64)):
        yield Trace(run * IN_A_RUN + place, bars, values[place])


@lru_cache
def _template(kind: str) -> list[bytes | str]:
    """Return the bytes of a trace of a type, with the names of what differs in their places."""
    sample = Trace(TYPES.index(kind), np.arange(3, 3 + CHANGES), np.resize([1.0, -1.0], CHANGES))
    fields = sample.fields
    with TemporaryDirectory() as scratch:
        (path,) = write_signals(
            Path(scratch) / "run", {sample.strategy_id: (sample.bars, sample.values)},
            configs={sample.strategy_id: sample.config}, symbol=SYMBOL, timeframe=TIMEFRAME,
            bar_index=np.arange(BARS), ts=bar_times(), prices=bar_prices(), run_id=sample.run_id,
        )  # fmt: skip
        table, keys = pq.read_table(path), pq.read_metadata(path).metadata
        with pq.ParquetWriter(
            path, table.schema.remove_metadata(), compression="none", use_dictionary=False,
            write_statistics=False, store_schema=False,
        ) as writer:  # fmt: skip
            writer.write_table(table.replace_schema_metadata(None))
            writer.add_key_value_metadata(keys)
        data = path.read_bytes()
    names = {value: name for name, value in fields.items()}
    longest = sorted(map(re.escape, names), key=len, reverse=True)
    parts = re.split(b"(" + b"|".join(longest) + b")", data, flags=re.DOTALL)
    assert names.keys() <= set(parts)
    return [names.get(part, part) for part in parts]


def _folder(runs: Path, number: int) -> Path:
    return runs / f"sweep_{number:05}"


@lru_cache
def bar_times() -> NDArray[np.datetime64]:
    """Return the times of all bars: weekdays from 09:30 to 16:00 in New York, in UTC."""
    days = np.busday_offset("2024-01-02", np.arange(SESSIONS)).astype("datetime64[us]")
    minutes = np.timedelta64(870, "m") + np.timedelta64(5, "m") * np.arange(BARS_A_SESSION)
    return (days[:, np.newaxis] + minutes).ravel()


@lru_cache
def bar_prices() -> NDArray[np.float64]:
    """Return a price of each bar: a random walk in cents."""
    steps = np.random.default_rng(7).integers(-12, 13, BARS)
    return np.round(470 + 0.01 * np.cumsum(steps), 2)

"""Files that no tracer would write, and an older DuckDB that still has to read the others."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.parquet import encryption

from catalog.traces.write import write_trace
from conftest import OPEN

_ANSWER = """
import json, sys, duckdb
for line in sys.stdin:
    path, *statements = json.loads(line)
    try:
        with duckdb.connect(path, read_only=True) as con:
            for statement in statements:
                rows = con.execute(statement).fetchall()
        print(json.dumps({"rows": rows}, default=str), flush=True)
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
"""


class OlderClient:
    """Another DuckDB in a process of its own, which opens a catalog anew for each question."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, catalog: Path, *statements: str) -> list[tuple[object, ...]]:
        """Run statements read-only, and return the rows of the last one."""
        print(json.dumps([str(catalog), *statements]), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return [tuple(row) for row in answer["rows"]]


@contextmanager
def older_client() -> Iterator[OlderClient | None]:
    """Start the client that CATALOG_TEST_OLD_PYTHON names; None where it names none."""
    python = os.environ.get("CATALOG_TEST_OLD_PYTHON")
    if python is None:
        yield None
        return
    pipe = subprocess.PIPE
    with subprocess.Popen([python, "-c", _ANSWER], stdin=pipe, stdout=pipe, text=True) as process:
        yield OlderClient(process)


def write_ours(
    run: Path,
    values: Sequence[float] = (1, 0, -1),
    *,
    config: Mapping[str, object] | None = None,
    strategy_id: str = "ours",
) -> Path:
    """Write a trace in our own format below a run directory, one row a minute."""
    count = len(values)
    return write_trace(
        run,
        config=config or {"type": "sma_crossover", "parameters": {"fast": 5, "slow": 20}},
        strategy_id=strategy_id,
        symbol="SPY",
        timeframe="1m",
        bar_index=list(range(count)),
        ts=[OPEN + timedelta(minutes=bar) for bar in range(count)],
        values=list(values),
        prices=[500.0] * count,
        first_bar=0,
        last_bar=count + 10,
    )


def write_footer(path: Path, keys: Mapping[bytes, bytes]) -> None:
    """Write a trace in our own format, some of whose footer keys say something else."""
    with TemporaryDirectory() as folder:
        original = pq.ParquetFile(write_ours(Path(folder)))
        table, footer = original.read(), original.metadata.metadata
    options = {"store_schema": False, "write_page_checksum": True}
    with pq.ParquetWriter(path, table.schema, **options) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({**footer, **keys})


def table(count: int = 3, **columns: object) -> pa.Table:
    """Return the columns of an old trace, of which some may be others, or None for left out."""
    usual: dict[str, object] = {
        "idx": range(1, count + 1),
        "ts": [(OPEN + timedelta(minutes=bar)).isoformat() for bar in range(count)],
        "sym": ["SPY"] * count,
        "val": [bar % 3 - 1 for bar in range(count)],
        "strat": ["odd"] * count,
        "px": [500.0 + bar for bar in range(count)],
        "tf": ["1m"] * count,
    }
    return pa.table({name: c for name, c in {**usual, **columns}.items() if c is not None})


def write_damaged(path: Path, column: str) -> None:
    """Write an old trace in which the first bytes of one column are flipped."""
    pq.write_table(table(300), path, use_dictionary=False)
    group = pq.read_metadata(path).row_group(0)
    chunk = group.column(table().column_names.index(column))
    data = bytearray(path.read_bytes())
    for position in range(chunk.data_page_offset, chunk.data_page_offset + 64):
        data[position] ^= 0xFF
    path.write_bytes(data)


def write_encrypted(path: Path, *, plaintext_footer: bool) -> None:
    """Write an old trace whose values are encrypted, and whose footer is or is not."""
    factory = encryption.CryptoFactory(_Keys)
    settings = encryption.EncryptionConfiguration(
        footer_key="footer", column_keys={"values": ["val"]}, plaintext_footer=plaintext_footer
    )
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), settings)
    with pq.ParquetWriter(path, table().schema, encryption_properties=properties) as writer:
        writer.write_table(table())


class _Keys(encryption.KmsClient):
    """A key server that keeps no secrets."""

    def __init__(self, _: object) -> None:
        super().__init__()

    def wrap_key(self, key_bytes: bytes, _: str) -> bytes:
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key: bytes, _: str) -> bytes:
        return base64.b64decode(wrapped_key)

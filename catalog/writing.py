"""Write traces that register themselves: what is in catalog.traces, bound to a catalog."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from catalog.register.written import register_finalized
from catalog.traces import signals, tracer, writer
from catalog.traces.target import Target

PathLike = str | os.PathLike[str]

DEFAULT = "catalog.duckdb"


class TraceWriter(writer.TraceWriter):
    __doc__ = f"""{writer.TraceWriter.__doc__}
    The finalized file is registered in the catalog at `catalog`, or where that is in use for ten
    seconds, named in its inbox, which the next writer takes in.
    """

    def __init__(
        self, run_directory: PathLike, *, catalog: PathLike = DEFAULT, **options: Any
    ) -> None:
        super().__init__(run_directory, on_finalized=_registering(catalog), **options)


class Tracer(tracer.Tracer):
    __doc__ = f"""{tracer.Tracer.__doc__}
    All finalized files are registered in the catalog at `catalog` in one transaction, or where
    that is in use for ten seconds, named in its inbox, which the next writer takes in.
    """

    def __init__(
        self,
        run_directory: PathLike,
        *,
        catalog: PathLike = DEFAULT,
        run_id: str | None = None,
        code: Any = None,
    ) -> None:
        super().__init__(
            run_directory, run_id=run_id, code=code, on_finalized=_registering(catalog)
        )


def write_signals(
    run_directory: PathLike,
    values: Any,
    *,
    configs: Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]],
    symbol: str,
    catalog: PathLike = DEFAULT,
    **options: Any,
) -> list[Target]:
    return signals.write_signals(
        run_directory,
        values,
        configs=configs,
        symbol=symbol,
        on_finalized=_registering(catalog),
        **options,
    )


write_signals.__doc__ = f"""{signals.write_signals.__doc__}
    All files are registered in the catalog at `catalog` in one transaction.
    """


def _registering(catalog: PathLike) -> Callable[[Sequence[Target]], None]:
    return partial(_register, Path(catalog))


def _register(catalog: Path, paths: Sequence[Target]) -> None:
    register_finalized(catalog, paths)

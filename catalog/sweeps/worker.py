"""A process that computes configurations for another one: chunks in, what they came to out."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from typing import Any

from catalog.errors import CatalogError
from catalog.register.reader import receive, send

_WATCH = 0.5
"""Seconds between two looks at whether the process that started this one is still there."""


def main() -> None:
    """Answer until the other process closes its end, or is gone."""
    source = sys.stdin.buffer
    # What strategies print is for people, and must not come between answers.
    target = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    message = receive(source)
    if message is None:
        return
    path, names, job = pickle.loads(message)  # noqa: S301 - from who started this
    sys.path[:] = path
    computer = None
    while (message := receive(source)) is not None:
        answer: Any
        try:
            if computer is None:
                computer = _computer(job, names)
            answer = _computed(computer, pickle.loads(message))  # noqa: S301 - likewise
        except CatalogError as error:
            answer = error
        except Exception:
            # A bug of ours: who started this says it, for nobody reads what is printed here.
            answer = traceback.format_exc()
        send(target, pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))


def _computed(computer: Any, chunk: Any) -> Any:
    """Return what a chunk came to; what goes wrong may be the doing of one strategy in it."""
    from catalog.sweeps.compute import Broken
    from catalog.sweeps.failures import clean

    try:
        return computer.compute(chunk)
    except CatalogError:
        raise
    except Exception:
        return Broken(clean(traceback.format_exc().strip().rpartition("\n")[2]))


def _computer(job: bytes, names: dict[str, str]) -> Any:
    from catalog.sweeps.code import load_code
    from catalog.sweeps.compute import Computer

    computer = Computer(pickle.loads(job), {kind: load_code(n) for kind, n in names.items()})  # noqa: S301

    def stop(*_: Any) -> None:
        computer.is_stopping = True

    signal.signal(signal.SIGTERM, stop)
    return computer


def _end_with(parent: int) -> None:
    """End when the parent is gone: nobody would take the answer, or know what is computed."""
    while os.getppid() == parent:
        time.sleep(_WATCH)
    os._exit(1)


if __name__ == "__main__":
    main()

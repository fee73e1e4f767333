"""A process that reads trace files for another one: lists of files in, what they hold out."""

from __future__ import annotations

import pickle
import sys

from catalog.register.reading import read_file


def main() -> None:
    """Answer until the other process closes its end, or is gone."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    pickle.dump("ready", target)
    target.flush()
    while True:
        try:
            files = pickle.load(source)  # noqa: S301 - from the process that started this one
        except EOFError:
            return
        pickle.dump([read_file(file) for file in files], target)
        target.flush()


if __name__ == "__main__":
    main()

"""The command line: each command declares its words, makes one call, and prints."""

from catalog.cli.main import main

__all__ = ["main"]

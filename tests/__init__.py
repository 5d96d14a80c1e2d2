"""The tests: rooms that mirror the package, one file per module; beside them what is held to all of it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

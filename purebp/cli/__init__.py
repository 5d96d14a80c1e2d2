"""The command line: `purebp train`, `purebp explain` and `purebp certify`, each in a module of its own.

Exit status: 0, 1 where training failed, 2 for bad input (one line on stderr says what is wrong), 5 where `certify`
left an entry open, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from purebp import PurebpError, __version__
from purebp.cli import certify, explain, train

GUIDE = """\
purebp: backpropagation in pure Python

  purebp train digits            train a network on handwritten digits, in well under a minute
  purebp train iris              on Fisher's flowers, in seconds
  purebp train table.csv         on a CSV file of your own; the last column is the target
  purebp explain                 every step of backpropagation, with numbers, on a published example
  purebp certify net.json b.csv  the gradient of a saved network on a batch, proven to the last bit

More: purebp train --help, purebp explain --help, purebp certify --help
"""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"purebp: {message}; see {self.prog} --help\n")


def parser() -> Parser:
    """The options of every verb."""
    top = Parser(
        prog="purebp",
        description="Backpropagation in pure Python: train networks, explain what happens, and prove gradients.",
        epilog="examples:\n" + "".join(line + "\n" for line in GUIDE.splitlines() if line.startswith("  ")),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"purebp {__version__}")
    verbs = top.add_subparsers(metavar="VERB", title="verbs")
    for verb in (train, explain, certify):
        name = verb.__name__.rpartition(".")[2]
        sub = verbs.add_parser(
            name,
            help=verb.HELP,
            description=verb.DESCRIPTION,
            epilog=verb.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        verb.add_arguments(sub)
        sub.set_defaults(run=verb.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an ASCII terminal shows \u03b4 instead of failing at a δ
    try:
        status = _run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except PurebpError as error:
        return _say(2, str(error))
    except KeyboardInterrupt:
        return _say(130, "interrupted")
    except OSError as error:
        # Nobody reads on, as with `| head`, or the disk is full: the interpreter must not try again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1 if isinstance(error, BrokenPipeError) else _say(1, f"cannot write: {error}")


def _run(argv: Sequence[str] | None) -> int:
    try:
        args = parser().parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    if not hasattr(args, "run"):
        print(GUIDE, end="")
        return 0
    status: int = args.run(args)
    return status


def _say(status: int, message: str) -> int:
    if sys.stderr is not None:
        with suppress(OSError):  # closed, or full
            print("purebp:", " ".join(message.splitlines()), file=sys.stderr)
    return status

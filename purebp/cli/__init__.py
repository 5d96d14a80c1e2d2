"""The command line: each verb in a module of its own.

Exit status: 0, 1 where a candidate is wrong or a training failed, 2 for bad input or where the output cannot be written
(one line on stderr says what is wrong), 3 for a defect of purebp or of a vector, 4 where there is no candidate to check,
5 where `check`, `judge` or `certify` left something open, 130 after Ctrl-C, 141 where nobody reads the output on.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from purebp import PurebpError, __version__

VERBS = ("check", "init", "smoke", "replay", "vectors", "judge", "train", "explain", "certify")
WITH_PROGRAM = ("check", "smoke", "replay")  # take one behind --

GUIDE = """\
purebp: backpropagation in pure Python

  purebp check mine.py           is that backpropagation right, and if not, which line is wrong?
  purebp check -- ./mine         and that program, in C or any language? purebp init mine.c writes the loop
  purebp vectors export DIR      test vectors for any language; purebp judge ANSWERS.json judges answers to them
  purebp train digits            train a network on handwritten digits, in well under a minute
  purebp train table.csv         on a CSV file of your own; the last column is the target
  purebp explain                 every step of backpropagation, with numbers, on a published example
  purebp certify net.json b.csv  the gradient of a saved network on a batch, proven to the last bit

More: purebp check --help, and so for each verb
"""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """--biases without yes and no is of all layers: what follows is a file."""
        words = sys.argv[1:] if args is None else list(args)
        listed = r"(yes|no|true|false|columns)(,(yes|no|true|false|columns))*"
        pairs = zip(words, [*words[1:], ""])
        said = [w + "=yes" if w == "--biases" and not re.fullmatch(listed, after) else w for w, after in pairs]
        return super().parse_known_args(said, namespace)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"purebp: {message}; see {self.prog} --help\n")


def parser(verbs: Sequence[str] = VERBS) -> Parser:
    """The options of these verbs, whose modules are loaded for it."""
    top = Parser(
        prog="purebp",
        description="Backpropagation in pure Python: check implementations, train networks, explain, prove gradients.",
        epilog="examples:\n" + "".join(line + "\n" for line in GUIDE.splitlines() if line.startswith("  ")),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"purebp {__version__}")
    subparsers = top.add_subparsers(metavar="VERB", title="verbs")
    for name in verbs:
        verb = import_module(f"purebp.cli.{'training.' if name == 'train' else ''}{name}")
        sub = subparsers.add_parser(
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
        return _say(getattr(error, "status", 2), str(error))
    except KeyboardInterrupt as stop:
        return getattr(stop, "status", 0) or _say(130, "interrupted")
    except OSError as error:
        # Nobody reads on, as with `| head`, or the disk is full: the interpreter must not try again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141 if isinstance(error, BrokenPipeError) else _say(2, f"cannot write: {error}")


def _run(argv: Sequence[str] | None) -> int:
    words = sys.argv[1:] if argv is None else list(argv)
    program: list[str] = []
    if words[:1] and words[0] in WITH_PROGRAM and "--" in words:
        here = words.index("--")
        words, program = words[:here], words[here + 1 :]
    try:
        args = parser(words[:1] if words and words[0] in VERBS else VERBS).parse_args(words)
        args.program = program
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

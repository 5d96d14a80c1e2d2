"""`purebp vectors`: the test vectors for other languages: listed, copied, and verified."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from purebp.cli.files import read_text, write_whole
from purebp.cli.terminal import Line
from purebp.oracle.asking.wire import patterned
from purebp.oracle.vectors.files import SCHEMA, lines, load, shipped, text
from purebp.oracle.vectors.making import document, verify
from purebp.oracle.vectors.vector import ASKED_FOR, FAMILIES
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.serialization import parsed
from purebp.textbook.text import aligned, counted

HELP = "test vectors for implementations in any language"
DESCRIPTION = """\
Files of test vectors, one for each of forward, loss, deltas, gradients, step and refused: what is given, what is
expected (correctly rounded), and by how much a correct implementation in binary64 or binary32 may be off. Another
language needs nothing but a reader of JSON. purebp judge judges a file of answers to them."""
EXAMPLES = """\
examples:
  purebp vectors list                    what there is
  purebp vectors list gradients          the tests of a family
  purebp vectors export DIR              the files, and their JSON schema
  purebp vectors export DIR --lines      the same without JSON, for C: requests, answers and budgets in words
  purebp vectors export DIR --floats bits
  purebp vectors verify                  compute all of them anew
  purebp vectors verify mine.json

Exit status: 0, 2 for bad input, 3 for a vector that is wrong."""

MOST = 1 << 26  # bytes of a file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    does = parser.add_subparsers(metavar="WHAT", title="what to do", required=True)

    def add(name: str, text: str, does_it: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        sub = does.add_parser(name, help=text, description=text.capitalize() + ".", allow_abbrev=False)
        sub.set_defaults(what=does_it)
        return sub

    sub = add("list", "list the families, or the tests of one", _list)
    sub.add_argument("family", nargs="?", choices=FAMILIES, metavar="FAMILY", help=", ".join(FAMILIES))
    sub = add("export", "write the files to a directory", _export)
    sub.add_argument("directory", metavar="DIR", help="is made if it is not there")
    sub.add_argument("--lines", action="store_true", help="in the line dialect, as FAMILY.txt")
    sub.add_argument(
        "--floats", choices=("decimal", "bits"), default="decimal", help="bits: as bit patterns, in hexadecimal"
    )
    sub.add_argument("--anew", action="store_true", help="computed anew, not copied")
    sub = add("verify", "compute what is expected anew, and compare", _verify)
    sub.add_argument("files", nargs="*", metavar="FILE.json", help="default: those of this package")


def run(args: argparse.Namespace) -> int:
    """The exit status of what is to be done."""
    status: int = args.what(args)
    return status


def _list(args: argparse.Namespace) -> int:
    if args.family is None:
        families = [(family, load(family)) for family in FAMILIES]
        rows = [[family, str(len(found)), ", ".join(ASKED_FOR[family]) or "an error"] for family, found in families]
        print(aligned([["family", "tests", "expected"], *rows]))
    else:
        for vector in load(args.family):
            print(f"{vector.id}  {' '.join(vector.flags)}".rstrip())
    return 0


def _export(args: argparse.Namespace) -> int:
    directory = Path(args.directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PurebpError(f"cannot make the directory {args.directory!r}: {error.strerror}") from None
    bits = args.floats == "bits"
    for family in FAMILIES:
        content = text(document(family)) if args.anew else shipped(f"{family}.json")
        name = f"{family}.json"
        if args.lines:
            content, name = lines(parsed(content), bits), f"{family}.txt"
        elif bits:
            content = text(patterned(json.loads(content)))
        if content:  # refused has no form in words
            write_whole(str(directory / name), content)
            print(directory / name)
    if not args.lines:
        write_whole(str(directory / SCHEMA), shipped(SCHEMA))
        print(directory / SCHEMA)
    return 0


def _verify(args: argparse.Namespace) -> int:
    files = args.files or [f"{family}.json" for family in FAMILIES]
    status, line = 0, Line()
    for name in files:
        line.show(f"verifying {name}")
        try:
            content = parsed(read_text(name, "give a file of test vectors", MOST) if args.files else shipped(name))
            problems = list(verify(content))
        except PurebpError as error:
            raise PurebpError(str(error) if name in str(error) else f"{name!r}: {error}") from None
        finally:
            line.end()
        for problem in problems:
            status = 3
            print(f"{name}: {problem}", file=sys.stderr)
        good = counted(len(content["tests"]), "test")
        print(f"{name}: {good}, {counted(len(problems), 'problem') if problems else 'all as they should be'}")
    return status

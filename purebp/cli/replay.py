"""`purebp replay`: one case of a check, asked again, with every line shown."""

from __future__ import annotations

import argparse
from typing import Any

from purebp.arithmetic import PurebpError
from purebp.cli.check import add_declarations, ended_properly, program_request
from purebp.cli.programs import Talk, talking
from purebp.oracle.cases import Case
from purebp.oracle.check import judged
from purebp.oracle.vectors import FAMILIES, load

HELP = "ask a program one case again, and show what is said"
DESCRIPTION = """\
Ask a program a single case of `purebp check`, or a test vector, show every line that is exchanged, and judge the
answer. The report of a check that failed ends with the command."""
EXAMPLES = """\
examples:
  purebp replay two-samples -- ./mine
  purebp replay two-samples --activations tanh,identity -- ./mine | grep '^>' | cut -c3- > requests
  purebp replay gradients-relu-kink -- ./mine           a test vector; purebp vectors list has their ids

Exit status as of purebp check."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.usage = "purebp replay ID [OPTIONS] -- PROGRAM ARGS"
    parser.add_argument("id", metavar="ID", help="of a case, or of a test vector")
    add_declarations(parser)


def run(args: argparse.Namespace) -> int:
    """Show a request and its answer, and the report on that; the exit status."""
    with ended_properly(), talking(program_request(args)) as talk:
        case, declared = _case(args, talk)
        answer, chosen = talk.ask(case, **declared)
        print(talk.shown(), end="\n\n")
        report = judged([case], [answer], chosen, talk.subject.hello.name)
        print(report)
    return report.exit_status


def _case(args: argparse.Namespace, talk: Talk) -> tuple[Case, dict[str, Any]]:
    """The case of that id, and what is declared with it."""
    vectors = {vector.id: vector for family in FAMILIES for vector in load(family)}
    if args.id in vectors:
        vector = vectors[args.id]
        return vector.case, vector.declared
    cases = {case.id: case for case in talk.ladder(args.seed)}
    if args.id not in cases:
        told = f"the cases for what is declared are {', '.join(cases)}"
        raise PurebpError(f"there is no case {args.id!r}: {told}; purebp vectors list has the test vectors")
    return cases[args.id], {}

"""`purebp replay`: one case of a check, asked again, with every line shown."""

from __future__ import annotations

import argparse

from purebp.cli.check import add_declarations, program_task
from purebp.cli.signals import ended_properly
from purebp.oracle.asking.candidate import NoAnswer
from purebp.oracle.asking.program import Talk, talking
from purebp.oracle.layers import Layers
from purebp.oracle.pipeline import judged
from purebp.oracle.reports.report import Report
from purebp.oracle.vectors.answers import complete, refusals
from purebp.oracle.vectors.files import load
from purebp.oracle.vectors.vector import FAMILIES, Vector
from purebp.textbook.arithmetic import PurebpError

HELP = "ask a program one case again, and show what is said"
DESCRIPTION = """\
Ask a program a single case of `purebp check`, or a test vector, show every line that is exchanged, and judge the
answer. The report of a check that failed ends with the command."""
EXAMPLES = """\
examples:
  purebp replay two-samples -- ./mine
  purebp replay two-samples --activations tanh,identity -- ./mine | grep '^>' | cut -c3- > requests
  purebp replay gradients-relu-identity-mse-a-kink -- ./mine    a test vector; purebp vectors list has their ids

Exit status as of purebp check."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.usage = "purebp replay ID [OPTIONS] -- PROGRAM ARGS"
    parser.add_argument("id", metavar="ID", help="of a case, or of a test vector")
    add_declarations(parser)


def run(args: argparse.Namespace) -> int:
    """Show a request and its answer, and the report on that; the exit status."""
    with ended_properly(), talking(program_task(args)) as talk:
        vectors = {vector.id: vector for family in FAMILIES for vector in load(family)}
        report = _of_vector(vectors[args.id], talk) if args.id in vectors else _of_case(args, talk)
        print(talk.shown(), end="\n\n")
        print(report)
    return report.exit_status


def _of_vector(vector: Vector, talk: Talk) -> Report:
    if vector.family == "refused":
        if talk.subject.hello.words:
            raise PurebpError(f"{vector.id} cannot be asked in words: that is for programs that speak JSON")
        try:
            said = talk.subject.ask(vector.request)
        except NoAnswer as none:
            said = none
        return refusals([(vector, said)])
    declared, returns = vector.declared, talk.declared.get("returns")
    if returns == "change" or (returns is not None and (returns == "step") != (declared["returns"] == "step")):
        raise PurebpError(
            f"{vector.id} asks for {declared['returns']}, and the program is declared to return {returns}"
        )
    answer, chosen = talk.ask(vector.case, **declared)
    return complete(judged(Layers(chosen), [vector.case], [answer], talk.subject.hello.name), [vector])


def _of_case(args: argparse.Namespace, talk: Talk) -> Report:
    cases = {case.id: case for case in talk.ladder(args.seed)}
    if args.id not in cases:
        told = f"the cases for what is declared are {', '.join(cases)}"
        raise PurebpError(f"there is no case {args.id!r}: {told}; purebp vectors list has the test vectors")
    answer, chosen = talk.ask(cases[args.id])
    return judged(Layers(chosen), [cases[args.id]], [answer], talk.subject.hello.name)

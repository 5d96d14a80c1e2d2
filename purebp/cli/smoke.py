"""`purebp smoke`: does a program speak the protocol? Its numbers are another matter, for `purebp check`."""

from __future__ import annotations

import argparse

from purebp.cli.check import add_declarations, program_task
from purebp.cli.signals import ended_properly
from purebp.oracle.asking.process import exit_of
from purebp.oracle.asking.program import talking

HELP = "see whether a program speaks the protocol"
DESCRIPTION = """\
Start a program, say hello, ask it one case, let it end, and show every line of that: to see whether it speaks the
protocol of docs/wire-format.md. Whether its numbers are right is for purebp check."""
EXAMPLES = """\
examples:
  purebp smoke -- ./mine
  purebp smoke --activations tanh,identity -- node mine.js

Exit status: 0 it speaks it, 1 it does not, 2 bad options, 4 it cannot be started or says no hello."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.usage = "purebp smoke [OPTIONS] -- PROGRAM ARGS"
    add_declarations(parser)


def run(args: argparse.Namespace) -> int:
    """Show a short conversation; the exit status."""
    with ended_properly(), talking(program_task(args)) as talk:
        answer, _ = talk.ask(talk.ladder(args.seed)[0])
        print(talk.shown())
        problems = [finding.sentence for finding in answer.findings if finding.fatal]
        if not talk.subject.once and not problems:
            how = talk.subject.close()
            print(f"(end of input: {how})")
            if how != exit_of(0):
                problems.append(f"at the end of its input {how}: exit status 0 is wanted")
    name = talk.subject.hello.name
    for problem in problems:
        print(f"{name}: {problem}")
    print(f"{name} does not speak the protocol" if problems else f"{name} speaks the protocol")
    return 1 if problems else 0

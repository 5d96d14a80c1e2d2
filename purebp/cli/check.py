"""`purebp check`: is a backpropagation right, and if not, which line of the recurrence is wrong?"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

from purebp.cli import options
from purebp.cli.files import check_apart, check_writable, write_whole
from purebp.cli.terminal import Line
from purebp.number_systems.formats import FORMATS
from purebp.oracle.asking import loading
from purebp.oracle.asking import program as programs
from purebp.oracle.asking.candidate import ARRAYS, RETURNS, Declared
from purebp.oracle.asking.file import Outcome, Request, examine, without_answer
from purebp.oracle.asking.subject import TIMEOUT
from purebp.oracle.reports import render, report_formats
from purebp.oracle.reports.report import Report
from purebp.oracle.reports.story import headline
from purebp.textbook.arithmetic import PurebpError

HELP = "check a backpropagation of your own, and name its mistake"
USAGE = "purebp check [OPTIONS] FILE.py[:FUNCTION] ...\n       purebp check [OPTIONS] -- PROGRAM ARGS"
DESCRIPTION = """\
Check an implementation of backpropagation: a Python function that is called as

    candidate(weights, biases, inputs, targets)

with one matrix and one vector per layer, and returns (weight_gradients, bias_gradients) in the same shapes; or a
program in any language, which is asked over a pipe (docs/any-language.md shows how in a page of code). It is asked on a dozen small networks. What it answers is right to the last bits that its number format can hold, or the
report names the mistake, in a sentence, with the line of the recurrence to look at.

What you declare it is held to. What you leave open is found by trying, and the report says what was found."""
EXAMPLES = """\
examples:
  purebp check mine.py
  purebp check mine.py:backprop --activations relu,softmax --loss cross_entropy
  purebp check mine.py --activations tanh,identity --loss half_sse --returns descent
  purebp check mine.py:train --returns step --learning-rate 0.1 --samples columns --arrays numpy
  purebp check mine.py --activations relu,...           networks of any depth
  purebp check submissions/*.py --report html --output class.html
  purebp check -- ./mine                                a program, behind --
  purebp check --activations tanh,identity -- java Mine

Without a name, the function is found by its usual names (backpropagation, backprop, backward, gradients, train_step,
...), or it is the only one that takes four arguments. The file may hold its own declarations, as arguments of
purebp.oracle.check; the command line wins over them:

    PUREBP = {"activations": ["tanh", "identity"], "loss": "mse", "returns": "gradients"}

The file is run, in a process of its own: check only what you would run. What it prints is not shown. A program says
in its hello what it declares; what it writes to its standard error is shown.

Several files give a table, or a list in JSON; one that crashes or hangs costs the others nothing.
Exit status: 0 it conforms, 1 it does not, 2 bad options, 3 a defect of purebp, 4 there is nothing to ask (no such
file or function, an error when it is loaded, a program that says no hello), 5 nothing could be decided. Several files: 0 if all conform, 4 if none
can be loaded, else 1."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.usage = USAGE
    parser.add_argument("files", nargs="*", metavar="FILE.py[:FUNCTION]", help="the candidate, or several")
    add_declarations(parser)
    group = parser.add_argument_group("the check")
    group.add_argument("--explore", help="search on beyond the built-in cases; needs Hypothesis", action="store_true")
    group.add_argument("--report", help="default: text", choices=report_formats(), default="text")
    group.add_argument("--output", help="write the report there, and the verdict alone on stdout", metavar="FILE")


def add_declarations(parser: argparse.ArgumentParser) -> None:
    """The options that say what a candidate does, and how it is asked."""
    group = parser.add_argument_group("what the candidate does")

    def add(name: str, text: str, **more: object) -> None:
        group.add_argument(name, help=text, **more)  # type: ignore[arg-type]  # passed on as they are

    layers = "one per layer, such as sigmoid,sigmoid or leaky_relu(0.01),softmax; relu,... for any depth"
    add("--activations", layers, type=loading.activations, metavar="NAME,NAME")
    losses = "mse, half_mse, sse, half_sse, mae, huber(1.0), cross_entropy, binary_cross_entropy"
    add("--loss", losses, type=loading.loss, metavar="NAME")
    add("--returns", "the gradients; descent: their negatives, to be added; step: updated weights", choices=RETURNS)
    add("--learning-rate", "of the step", type=options.positive, metavar="X")
    group = parser.add_argument_group("how it wants to be called")
    add("--sizes", "the widths, inputs first, if they are fixed", type=loading.sizes, metavar="N,N,N")
    add("--biases", "whether the layers have biases", action=argparse.BooleanOptionalAction)
    add("--bias-columns", "biases as n × 1 matrices", dest="biases", action="store_const", const="columns")
    add("--batch", "how many samples, if that is fixed", type=options.count, metavar="N")
    add("--weights", "out_in: row j feeds neuron j; in_out: column j does", choices=("out_in", "in_out"))
    add("--samples", "vector: one sample, as a plain list", choices=("rows", "columns", "vector"))
    add("--arrays", "instead of lists", choices=ARRAYS)
    add("--format", "in which it computes (default: binary64)", choices=tuple(FORMATS))
    group = parser.add_argument_group("how it is asked")
    add("--seed", "of the cases (default: 0)", type=options.whole, default=0, metavar="N")
    seconds = "for one call (default: 10), or one answer of a program (default: 5)"
    add("--timeout", seconds, type=options.positive, metavar="SECONDS")
    add("--once", "start the program anew for every case", action="store_true")


def run(args: argparse.Namespace) -> int:
    """Check, and print or write the report; the exit status."""
    if bool(args.files) == bool(args.program):
        raise PurebpError(
            "check wants FILE.py, or several, or else a program behind --, such as purebp check -- ./mine"
        )
    if args.once and not args.program:
        raise PurebpError("--once is for programs: purebp check --once -- ./mine")
    targets = [_target(text) for text in args.files]
    check_apart("--output", args.output, *(file for file, _ in targets))
    if args.output is not None:
        check_writable(args.output)
    if args.explore and find_spec("hypothesis") is None:
        raise PurebpError("--explore needs Hypothesis: python -m pip install hypothesis")
    if args.program:
        requests = [program_request(args, args.explore)]
    else:
        requests = [
            Request(file, name, declared(args), args.explore, args.seed, args.timeout or 10.0, len(targets) == 1)
            for file, name in targets
        ]
    with ended_properly():
        outcomes = list(_examined(requests))
    if outcomes[0].report is None and (len(outcomes) == 1 or all(outcome.status == 2 for outcome in outcomes)):
        return _said(outcomes[0])
    for outcome in outcomes:
        if outcome.status == 3:
            _said(outcome)
    reports = [outcome.report or _not_loaded(request, outcome) for request, outcome in zip(requests, outcomes)]
    text = render(reports, args.report).rstrip()
    if args.output is None:
        print(text)
    else:
        write_whole(args.output, text + "\n")
        print(headline(reports))
    return _status(outcomes)


def declared(args: argparse.Namespace) -> dict[str, Any]:
    """What is declared on the command line."""
    given = {key: getattr(args, key) for key in Declared.__dataclass_fields__}
    return {key: value for key, value in given.items() if value is not None}


def program_request(args: argparse.Namespace, explore: bool = False) -> Request:
    """What to ask of a program."""
    if args.arrays is not None:
        raise PurebpError("--arrays is for Python: a program is given numbers")
    timeout = args.timeout or TIMEOUT
    return Request("", None, declared(args), explore, args.seed, timeout, program=tuple(args.program), once=args.once)


def _target(text: str) -> tuple[str, str | None]:
    """File and function; a colon may belong to the file's name.

    >>> _target("mine.py:Net.backward"), _target("mine.py")
    (('mine.py', 'Net.backward'), ('mine.py', None))
    """
    match = re.fullmatch(r"(.+):([^\W\d]\w*(?:\.[^\W\d]\w*)*)", text, re.DOTALL)
    return (match[1], match[2]) if match and not os.path.exists(text) else (text, None)


def _examined(requests: Sequence[Request]) -> Iterator[Outcome]:
    line = Line()
    try:
        for number, request in enumerate(requests, start=1):
            place = f"{number}/{len(requests)}  " if len(requests) > 1 else ""

            def watch(doing: str, start: str = f"{place}{request.name}: ") -> None:
                line.show(start + doing)

            yield (programs.examine if request.program else examine)(request, watch)
    finally:
        line.end()


class Ended(KeyboardInterrupt):
    """By a signal: no candidate, and nothing else, takes that for an error of its own."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number


@contextmanager
def ended_properly() -> Iterator[None]:
    """A signal to end lets the candidate's process be ended first."""
    if current_thread() is not main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise Ended(number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    heeded = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]  # nohup ignores one
    before = [(number, signal.signal(number, leave)) for number in heeded]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _not_loaded(request: Request, outcome: Outcome) -> Report:
    """A report in place of the one that there is not; it begins with the name of the file, so the problem need not."""
    subject = f"{request.file!r} "
    problem = f"it {outcome.problem.removeprefix(subject)}" if outcome.problem.startswith(subject) else outcome.problem
    return without_answer(request, "not-loaded", problem)


def _said(outcome: Outcome) -> int:
    """The problem, on stderr; the exit status."""
    problem = outcome.problem if outcome.status == 3 else " ".join(outcome.problem.split())
    if sys.stderr is not None:
        print("purebp:", problem, file=sys.stderr)
    return outcome.status


def _status(outcomes: Sequence[Outcome]) -> int:
    """Of one its own; of several 0 if all conform, 4 if none could be loaded, 3 for a defect, else 1."""
    statuses = [o.report.exit_status if o.report else o.status for o in outcomes]
    if len(statuses) == 1:
        return statuses[0]
    if 3 in statuses:
        return 3
    return 4 if all(o.report is None for o in outcomes) else 1 if any(statuses) else 0

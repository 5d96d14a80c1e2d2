"""`purebp check`: is a backpropagation right, and if not, which line of the recurrence is wrong?"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from random import SystemRandom
from typing import Any

from purebp.cli import options
from purebp.cli.files import check_apart, check_writable, read_text, write_whole
from purebp.cli.init import instead
from purebp.cli.signals import ended_properly
from purebp.cli.terminal import Line
from purebp.oracle.answer import Finding
from purebp.oracle.asking.declared import DECLARATIONS, Declaration, declaration
from purebp.oracle.asking.loading import CannotLoad, pairs_in
from purebp.oracle.asking.making import HINTS, hints
from purebp.oracle.asking.subject import TIMEOUT
from purebp.oracle.asking.task import Outcome, Task
from purebp.oracle.check import Search
from purebp.oracle.examination import examine, without_answer
from purebp.oracle.reports import render, report_formats
from purebp.oracle.reports.report import Report
from purebp.oracle.reports.story import headline
from purebp.textbook.arithmetic import PurebpError

HELP = "check a backpropagation of your own, and name its mistake"
USAGE = "purebp check [OPTIONS] FILE.py[:NAME] ...\n       purebp check [OPTIONS] -- PROGRAM ARGS"
DESCRIPTION = """\
Check an implementation of backpropagation, as it is: a class that holds weights and has methods
that go forwards, backwards or train; functions with arguments of any names; layers, nodes or values
with a backward() of their own, one by one; or a function that is called as

    candidate(weights, biases, inputs, targets)

with one matrix and one vector per layer, and returns (weight_gradients, bias_gradients) in the same
shapes; or a program in any language, which is asked over a pipe (docs/any-language.md shows how in
a page of code). It is asked on some twenty small networks. What it answers is right to the last
bits that its number format can hold, or the report names the mistake, in a sentence, with the line
of the recurrence to look at.

Your code must match what you declare. What you leave open, and how it is called, is found by
trying, and the report says what was found. What it does not take, such as several outputs, is said,
and not held against it."""
EXAMPLES = """\
examples:
  purebp check mine.py
  purebp check mine.py:Net.train                        a method, a class or a function of several
  purebp check mine.py --class Net --call "feedforward(x); backprop(x, y)"
  purebp check mine.py:backprop --activations relu,softmax --loss cross_entropy
  purebp check mine.py --activations tanh,identity --loss half_sse --returns descent
  purebp check mine.py:train --returns step --learning-rate 0.1 --samples columns --arrays numpy
  purebp check mine.py --activations relu,...           networks of any depth
  purebp check submissions/*.py --report html --output class.html
  purebp check - < mine.py                              standard input; of it, stdin:backprop
  purebp check -- ./mine                                a program, behind --
  purebp check --activations tanh,identity -- java Mine
  purebp check mine.py:layernorm_backward --of layernorm --inputs "x: n 5, gamma: 5, beta: 5"

Without a name, a function is looked for by its usual names (backpropagation, backprop, backward,
gradients, train_step, ...) or as the only one that takes four arguments; then classes, objects and
functions are tried, then nodes. The file may hold its own declarations, as arguments of
purebp.oracle.check, and class, weights_in, biases_in, call; the command line wins over them:

    PUREBP = {"activations": ["tanh", "identity"], "loss": "mse", "returns": "gradients"}
    PUREBP = {"layernorm_backward": {"of": "layernorm", "inputs": "x: n 5, gamma: 5, beta: 5"}}

A script that trains when it is loaded has nothing to call: purebp init mine.py moves its loop into
a function.

The file is run, in a process of its own: check only what you would run. What it prints is not
shown. A program says in its hello what it declares; what it writes to its standard error is shown.
purebp init mine.c writes the loop in which a program in C or another language is asked.

Several files give a table, or a list in JSON; one that crashes or hangs costs the others nothing.
Exit status: 0 it conforms, 1 it does not, 2 bad options, 3 a defect of purebp, 4 there is nothing
to ask (no such file or function, an error when it is loaded, a script that trains, a program that
says no hello), 5 nothing could be decided: in no way did it give an answer, or the budgets are too
wide. Several files: 0 if all conform, 4 if none can be loaded, else 1."""


WITH_OF = (
    "with --of, what the forward function is given: shapes, in which letters are free sizes, integers(10) n, "
    "one_hot() n 3, mask() n, positive() n, between(0, 1) n, fixed(0.1)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.usage = USAGE
    parser.add_argument(
        "files", nargs="*", metavar="FILE.py[:NAME]", help="the candidate, or several; - for standard input"
    )
    add_declarations(parser, seed=None)
    group = parser.add_argument_group("code as it is, where what is found by trying is not what you mean")
    for name, (metavar, help) in HINTS.items():
        group.add_argument(f"--{name.replace('_', '-')}", dest=f"hint_{name}", help=help, metavar=metavar)
    group = parser.add_argument_group("a backward function of anything, beside the forward function that is trusted")
    group.add_argument("--of", help="the forward function, in the same file or another", metavar="[FILE.py:]NAME")
    group = parser.add_argument_group("the check")
    group.add_argument("--explore", help="search on beyond the built-in cases; needs Hypothesis", action="store_true")
    group.add_argument("--report", help="default: text", choices=report_formats(), default="text")
    group.add_argument("--output", help="write the report there, and the verdict alone on stdout", metavar="FILE")


def add_declarations(parser: argparse.ArgumentParser, seed: int | None = 0) -> None:
    """The options that say what a candidate does, and how it is asked; with no seed, each run has a new one."""
    groups = dict.fromkeys(row.group for row in DECLARATIONS.values())
    for title in groups:
        group = parser.add_argument_group(title)
        for name, row in DECLARATIONS.items():
            if row.group == title:
                _add_declaration(group, name, row)
    group = parser.add_argument_group("how it is asked")
    usual = "0" if seed == 0 else "a new one for each run, which the report ends with; 0 where CI is set"
    group.add_argument("--seed", help=f"of the cases (default: {usual})", type=options.whole, default=seed, metavar="N")
    seconds = "for one call (default: 10), or one answer of a program (default: 5)"
    group.add_argument("--timeout", help=seconds, type=options.positive, metavar="SECONDS")
    group.add_argument("--once", help="start the program anew for every case", action="store_true")


def _add_declaration(group: Any, name: str, row: Declaration) -> None:
    """Its option, and those of single values."""
    option = f"--{name.replace('_', '-')}"
    if True in row.choices and row.metavar:  # for each layer too
        group.add_argument(
            option, help=row.help, nargs="?", const=True, type=options.typed(row.read), metavar=row.metavar
        )
        group.add_argument(f"--no-{name}", help="none has", dest=name, action="store_false", default=None)
    elif True in row.choices:
        group.add_argument(option, help=row.help, action=argparse.BooleanOptionalAction)
    elif name == "inputs":  # of a forward function, something else
        group.add_argument(option, help=f"{row.help}; {WITH_OF}", metavar=f"{{{','.join(map(str, row.choices))}}}")
    elif row.choices:
        group.add_argument(option, help=row.help, choices=row.choices)
    else:
        group.add_argument(option, help=row.help, type=options.typed(partial(_read, name)), metavar=row.metavar)
    for value, (flag, help) in row.flags.items():
        group.add_argument(flag, help=help, dest=name, action="store_const", const=value)


def _read(name: str, text: str) -> Any:
    """The declaration; of activations, a single word is here that of a single layer."""
    return declaration(name, text.split(",") if DECLARATIONS[name].several else text)


def run(args: argparse.Namespace) -> int:
    """Check, and print or write the report; the exit status."""
    if bool(args.files) == bool(args.program):
        raise PurebpError(
            "check wants FILE.py, or several, or else a program behind --, such as purebp check -- ./mine"
        )
    if args.once and not args.program:
        raise PurebpError("--once is for programs: purebp check --once -- ./mine")
    if args.seed is None:
        args.seed = a_seed()
    targets = [_target(text) for text in args.files]
    check_apart("--output", args.output, *(file for file, _ in targets))
    if args.output is not None:
        check_writable(args.output)
    search = _search() if args.explore else None
    given = {name: getattr(args, f"hint_{name}") for name in HINTS}
    hinted = {name: text for name, text in given.items() if text is not None}
    hints(hinted)  # an error if they cannot be used
    if hinted and args.program:
        raise PurebpError(f"--{next(iter(hinted)).replace('_', '-')} is for Python: a program says all in its hello")
    if args.of:
        tasks = [_of_forward(args, targets)]
    elif args.program:
        tasks = [program_task(args, search)]
    else:
        tasks = [task for file, name in targets for task in _tasks(args, file, name, len(targets) == 1, search, hinted)]
    with ended_properly():
        outcomes = list(_checked(tasks))
    if outcomes[0].report is None and (len(outcomes) == 1 or all(outcome.status == 2 for outcome in outcomes)):
        return _said(outcomes[0])
    for outcome in outcomes:
        if outcome.status == 3:
            _said(outcome)
    reports = [outcome.report or _not_loaded(task, outcome) for task, outcome in zip(tasks, outcomes)]
    text = render(reports, args.report).rstrip()
    if args.output is None:
        print(text)
    else:
        write_whole(args.output, text + "\n")
        print(headline(reports))
    return _status(outcomes)


def _of_forward(args: argparse.Namespace, targets: Sequence[tuple[str, str | None]]) -> Task:
    """What to ask of a backward function."""
    example = 'purebp check mine.py:layernorm_backward --of layernorm --inputs "x: n 5, gamma: 5, beta: 5"'
    if len(targets) != 1 or targets[0][1] is None or not args.of or not args.inputs:
        raise PurebpError(
            f"a backward function, --of its forward function, and the --inputs of that are wanted: {example}"
        )
    (file, name), (of, forward) = targets[0], _target(args.of)
    if forward is None:
        of, forward = file, args.of
    source = _source(of) if of != file else ""
    timeout = args.timeout or 10.0
    return Task(file, name, declared(args), None, args.seed, timeout, of=(of, source, forward), inputs=args.inputs)


def _tasks(
    args: argparse.Namespace, file: str, name: str | None, alone: bool, search: Search | None, hinted: dict[str, str]
) -> list[Task]:
    """What to ask of a file: of each backward function that it declares with its forward function, or of it as it is."""
    try:
        source = "" if file == "-" else _source(file)
    except CannotLoad:  # which is told where it is asked
        source = ""
    given, timeout = declared(args), args.timeout or 10.0
    return [
        Task(file, backward, given, None, args.seed, timeout, source=source, of=(file, source, of), inputs=inputs)
        for backward, of, inputs in pairs_in(source)
        if name in (None, backward)
    ] or [Task(file, name, given, search, args.seed, timeout, alone, source=source, hints=hinted)]


def declared(args: argparse.Namespace) -> dict[str, Any]:
    """What is declared on the command line."""
    given = {name: getattr(args, name) for name in DECLARATIONS}
    return {name: declaration(name, value) for name, value in given.items() if value is not None}


def _search() -> Search:
    """For further cases, with Hypothesis."""
    if find_spec("hypothesis") is None:
        raise PurebpError("--explore needs Hypothesis: python -m pip install hypothesis")
    from purebp.testing.explore import counterexample  # an optional module

    return counterexample


def program_task(args: argparse.Namespace, explore: Search | None = None) -> Task:
    """What to ask of a program."""
    if args.arrays is not None:
        raise PurebpError("--arrays is for Python: a program is given numbers")
    timeout = args.timeout or TIMEOUT
    return Task("", None, declared(args), explore, args.seed, timeout, program=tuple(args.program), once=args.once)


def a_seed() -> int:
    """A new one for each run, so that no table of the cases helps; on a build server always the same."""
    return 0 if {"CI", "PYTEST_CURRENT_TEST"} & os.environ.keys() else SystemRandom().randrange(1, 10**6)


def _target(text: str) -> tuple[str, str | None]:
    """File and function; a colon may belong to the file's name.

    >>> _target("mine.py:Net.backward"), _target("mine.py"), _target("stdin:backprop")
    (('mine.py', 'Net.backward'), ('mine.py', None), ('-', 'backprop'))
    """
    match = re.fullmatch(r"(.+):([^\W\d]\w*(?:\.[^\W\d]\w*)*)", text, re.DOTALL)
    if match is None or os.path.exists(text):
        return text, None
    return "-" if match[1] == "stdin" and not os.path.exists("stdin") else match[1], match[2]


def _checked(tasks: Sequence[Task]) -> Iterator[Outcome]:
    line = Line()
    try:
        for number, task in enumerate(tasks, start=1):
            place = f"{number}/{len(tasks)}  " if len(tasks) > 1 else ""

            def watch(doing: str, start: str = f"{place}{task.name}: ") -> None:
                line.show(start + doing)

            try:
                if not task.program and not task.source:
                    task = replace(task, source=_source(task.file))
                yield examine(task, watch)
            except CannotLoad as error:
                yield Outcome(task, status=error.status, problem=str(error))
    finally:
        line.end()


def _source(file: str) -> str:
    if os.path.isfile(file) and (told := instead(file)):
        raise CannotLoad(told)
    try:
        return read_text(file, "give a Python file, such as mine.py or mine.py:backpropagation")
    except PurebpError as error:
        raise CannotLoad(str(error)) from None


def _not_loaded(task: Task, outcome: Outcome) -> Report:
    """A report in place of the one that there is not; it begins with the name of the file, so the problem need not."""
    subject = f"{task.told!r} "
    problem = f"it {outcome.problem.removeprefix(subject)}" if outcome.problem.startswith(subject) else outcome.problem
    return without_answer(task, Finding("not-loaded", problem))


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

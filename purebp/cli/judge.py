"""`purebp judge`: a file of answers judged, to the test vectors, or numbers for a network and a batch of one's own."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable

from purebp.cli import options
from purebp.cli.files import read_text
from purebp.cli.training import saved
from purebp.number_systems.formats import FORMATS
from purebp.oracle.asking.candidate import NoAnswer
from purebp.oracle.asking.declared import DECLARATIONS, declaration
from purebp.oracle.asking.wire import in_a_file
from purebp.oracle.judge import judge
from purebp.oracle.reports import render
from purebp.oracle.reports.report import Report
from purebp.oracle.vectors.answers import Judged, judge_answers
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.serialization import parsed
from purebp.textbook.text import aligned, counted

HELP = "judge a file of answers to the test vectors, or numbers of your own"
DESCRIPTION = """\
Judge what an implementation answers to the test vectors of purebp vectors export. The file holds a list of objects, or
one in each line:

    {"id": "gradients-relu-identity-mse-a-kink", "gradients": [{"weights": [[...]], "biases": [...]}, ...]}

with outputs, loss, deltas, gradients or step, or {"id": ..., "error": ...} where what is given makes no sense. Lines in
words, as C programs write them, are read as well: ID gradients 0.5 0.25 ... (docs/wire-format.md).

Every number is held against its error budget. A wrong answer is explained, as by purebp check. What is not answered is
not judged; what an answer leaves out of what its vector asks for leaves it open.

With --network and --batch, the file holds one answer, for that network and that batch: numbers from wherever they are.
It is such an object without its id, or {"weights": [...], "biases": [...]} with an item for each layer, or the list of
layers alone. The network is a file as purebp train --save writes it, the batch a CSV table, or JSON: first the columns of
the inputs, then those of the targets. Loss and direction are found by trying, unless they are given."""
EXAMPLES = """\
examples:
  purebp judge answers.json
  (echo hello; grep ^run vectors/gradients.txt) | ./mine | purebp judge -
  purebp judge answers.json --format binary32 --report junit > judged.xml
  purebp judge --network net.json --batch data.csv gradients.json
  purebp judge --network net.json --batch data.csv --loss mse --returns step --learning-rate 0.1 step.json

Exit status: 0 all answers are right, 1 some are not, 2 bad input, 5 nothing was answered, or something left open."""
MOST = 1 << 26  # bytes of a file
EXPLAINED = 3  # groups of which the whole report is shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    parser.add_argument("answers", metavar="ANSWERS.json", help="the file, or - for standard input")
    parser.add_argument(
        "--format", help="of the computation (default: binary64)", choices=tuple(FORMATS), default="binary64"
    )
    parser.add_argument("--report", help="default: text", choices=tuple(JUDGED), default="text")
    group = parser.add_argument_group("numbers of your own")
    group.add_argument("--network", help="for which they were computed", metavar="NETWORK.json")
    group.add_argument("--batch", help="for which they were computed: inputs, then targets", metavar="BATCH.csv")
    group.add_argument("--loss", help=DECLARATIONS["loss"].help, type=options.loss, metavar="NAME")
    returns = DECLARATIONS["returns"]
    group.add_argument("--returns", help=returns.help, choices=returns.choices)
    group.add_argument("--learning-rate", help="of the step", type=_rate, metavar="X")


def _rate(text: str) -> float:
    rate: float = options.typed(lambda given: declaration("learning_rate", given))(text)
    return rate


def run(args: argparse.Namespace) -> int:
    """Print what the answers are; the exit status."""
    if args.network is not None and args.batch is not None:
        report = _own(args)
        print(render([report], args.report).rstrip())
        return report.exit_status
    if args.network is not None or args.batch is not None:
        given, other = ("--network", "--batch") if args.batch is None else ("--batch", "--network")
        raise PurebpError(f"{given} is given without {other}: to judge numbers of your own, give both")
    for name in ("loss", "returns", "learning_rate"):
        if getattr(args, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise PurebpError(
                f"{option} is for numbers of your own, with --network and --batch: a test vector has its own"
            )
    try:
        judged = judge_answers(read_text(args.answers, "give a file of answers to the test vectors", MOST), args.format)
    except PurebpError as error:
        raise _of(args.answers, error) from None
    print(JUDGED[args.report](judged))
    return judged.exit_status


def _of(file: str, error: Exception) -> PurebpError:
    """The error, with the name of the file."""
    return PurebpError(str(error) if repr(file) in str(error) else f"{file!r}: {error}")


def _own(args: argparse.Namespace) -> Report:
    """The report on one answer, for a network and a batch that are given."""
    network = saved.network(args.network)
    batch = saved.batch(args.batch, network)
    returns, rate = args.returns, args.learning_rate
    try:
        document = parsed(read_text(args.answers, "give your numbers, such as gradients.json", MOST))
        if isinstance(document, dict):
            returns = returns or ("step" if "step" in document else None)
            said = document.pop("learning_rate", None)
            rate = rate or (None if said is None else declaration("learning_rate", said))
        if returns == "step" and rate is None:
            raise PurebpError("it is a step, and its learning rate is not known: give it, as with --learning-rate 0.1")
        claimed = in_a_file(document, returns)
    except (PurebpError, NoAnswer) as error:
        raise _of(args.answers, error) from None
    name = "stdin" if args.answers == "-" else os.path.basename(args.answers)
    loss, format = args.loss, args.format
    return judge(network, batch, claimed, loss, format, returns=returns, learning_rate=rate, name=name)


def _text(judged: Judged) -> str:
    counts = list(judged.counts())
    answered, right = sum(answered for _, _, answered, _ in counts), sum(right for *_, right in counts)
    rows = [["family", "tests", "answered", "right"], *([family, *map(str, row)] for family, *row in counts)]
    wrong = [report for report in judged.reports if not report.conforms]
    parts = [
        f"{counted(answered, 'test vector')} of {sum(judged.tests.values())} answered, {right} right",
        aligned(rows),
    ]
    parts += [str(report) for report in wrong[:EXPLAINED]]
    if len(wrong) > EXPLAINED:
        parts.append("\n".join(report.headline for report in wrong[EXPLAINED:]))
    return "\n\n".join(parts)


def _json(judged: Judged) -> str:
    families = {name: {"tests": n, "answered": a, "right": r} for name, n, a, r in judged.counts()}
    reports = [json.loads(report.to_json()) for report in judged.reports]
    whole = {"conforms": judged.exit_status == 0, "families": families, "reports": reports}
    return json.dumps(whole, ensure_ascii=False, indent=1)


JUDGED: dict[str, Callable[[Judged], str]] = {
    "text": _text,
    "json": _json,
    "junit": lambda judged: render(judged.reports, "junit").rstrip(),
    "html": lambda judged: render(judged.reports, "html").rstrip(),
}

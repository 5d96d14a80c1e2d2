"""`purebp judge`: a file of answers to the test vectors, judged."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from purebp.cli.files import read_text
from purebp.number_systems.formats import FORMATS
from purebp.oracle.reports import render
from purebp.oracle.vectors.answers import Judged, judge_answers
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.text import aligned, counted

HELP = "judge a file of answers to the test vectors"
DESCRIPTION = """\
Judge what an implementation answers to the test vectors of purebp vectors export. The file holds a list of objects, or
one in each line:

    {"id": "gradients-relu-identity-mse-a-kink", "gradients": [{"weights": [[...]], "biases": [...]}, ...]}

with outputs, loss, deltas, gradients or step, or {"id": ..., "error": ...} where what is given makes no sense. Lines in
words, as C programs write them, are read as well: ID gradients 0.5 0.25 ... (docs/wire-format.md).

Every number is held against its error budget. A wrong answer is explained, as by purebp check. What is not answered is
not judged; what an answer leaves out of what its vector asks for leaves it open."""
EXAMPLES = """\
examples:
  purebp judge answers.json
  (echo hello; grep ^run vectors/gradients.txt) | ./mine | purebp judge -
  purebp judge answers.json --format binary32 --report junit > judged.xml

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


def run(args: argparse.Namespace) -> int:
    """Print what the answers are; the exit status."""
    try:
        text = read_text(args.answers, "give a file of answers to the test vectors", MOST)
        judged = judge_answers(text, args.format)
    except PurebpError as error:
        told = str(error)
        raise PurebpError(told if repr(args.answers) in told else f"{args.answers!r}: {told}") from None
    print(JUDGED[args.report](judged))
    return judged.exit_status


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
}

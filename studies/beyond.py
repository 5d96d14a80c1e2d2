"""Mistakes that have no name: edits of one line of the recurrence, drawn at random, and what `check` says of them.

    python -m studies.beyond 200              so many edits of each kind: how many are explained, or localised
    python -m studies.beyond 200 --seed 3     others
    python -m studies.beyond 20 --show        each, with what is said of it
    python -m studies.beyond 200 --only programs   edits of the lines of three differently written programs alone

An edit is an operand exchanged for another one, an operand more, an index slip, or a constant, in δ, in what is passed
down, in ∂loss/∂W or in ∂loss/∂b of one layer. An explanation counts where it gives the same, inside its budgets, on
networks that `check` has not asked about; else it is false. Localised: the lines that are said to be wrong are the one.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median

from purebp.oracle.answer import as_claim, tensor_name
from purebp.oracle.explaining.diagnosis import Observation
from purebp.oracle.explaining.equations import scaled
from purebp.oracle.explaining.expressions import CORE, operands_of, standing
from purebp.oracle.explaining.grammar import ORDERS, ordered
from purebp.oracle.explaining.recipe import Mistake, Recipe, places
from purebp.oracle.reports.report import Report
from purebp.textbook.arithmetic import FLOAT
from purebp.textbook.names import superscript
from studies.edits import lines_in, outcome_of_slip, slips
from studies.power import DEPTHS, DOCS, HIDDEN, Planting, Setting, fresh, rows, settings

RIGHT = {"deltas": ("·", "∂loss/∂a", "f′(z)"), "weights": ("·", "δ", "a below"), "biases": "δ"}


def edits(setting: Setting, random: Random) -> Iterator[tuple[Mistake, int]]:
    """One line of one layer, edited."""
    case = fresh(setting)[0]
    way_back = places(Recipe(), case.network, case.batch, setting.loss, FLOAT)
    while True:
        place = random.choice(way_back)
        step = random.choice(sorted(RIGHT))
        reach = sorted(operands_of(step, place).keys() & CORE[step])
        right = RIGHT[step]
        kind = random.choice(("exchanged", "more", "order", "constant"))
        if kind == "exchanged" and isinstance(right, tuple):
            at = random.choice((1, 2))
            tree = tuple(random.choice(reach) if i == at else part for i, part in enumerate(right))
            yield standing(step, tree), place.l
        elif kind == "more":
            yield standing(step, (random.choice("+−·"), right, random.choice(reach))), place.l
        elif kind == "constant":
            number = random.choice((-3.0, 0.3, 1.7, 10.0))
            yield scaled(f"{number:g}", lambda p, number=number: number, step), place.l  # type: ignore[misc]
        elif kind == "order" and step == "weights":
            order = random.choice(sorted(ORDERS))
            yield slip(order), place.l


def slip(order: str) -> Mistake:
    """The columns of ∂loss/∂W in another order."""
    return Mistake(
        f"∂loss/∂W {order}", "operands", "", "weights", lambda p, rows: ordered(rows, order, p), onto=True
    )  # fmt: skip


def drawn(wanted: int, seed: int) -> Iterator[tuple[Planting, Setting]]:
    """Edits that change something, and can be made."""
    random = Random(seed)
    while wanted:
        setting = random.choice(settings(random.choice(HIDDEN), random.choice(DEPTHS[:2])))
        mistake, l = next(edits(setting, random))
        planting = Planting(((mistake, frozenset({l})),))
        if planting.can_be_made(setting) and planting.changes_something(setting):
            wanted -= 1
            yield planting, setting


def outcome(planting: Planting, setting: Setting, report: Report) -> str:
    """What became of it: "explained", "falsely", "localised", "elsewhere", or "missed"."""
    ((mistake, layers),) = planting.made
    if report.conforms:
        return "missed"
    if report.explanations:
        answer = planting.answer(setting)
        others = [Observation(case, as_claim(answer(case.network, case.batch))) for case in fresh(setting, 20)]
        return "explained" if report.explanations[0].holds(others) else "falsely"
    symbol = (
        "δ" + superscript(min(layers) + 1) if mistake.step == "deltas" else tensor_name((mistake.step, min(layers)))
    )
    said = [found for note in report.notes for found in re.findall(r"^(\S+) (?:is wrong|does not follow)", note)]
    return "localised" if said == [symbol] else "elsewhere"


@dataclass(frozen=True)
class Tried:
    """An edit, and what became of it."""

    edited: str
    outcome: str
    said: str
    seconds: float
    told: bool = False  # a line of the program was told
    hit: bool = False  # the edited one among them


def of_equations(wanted: int, seed: int) -> Iterator[Tried]:
    """Edits of one line of the recurrence."""
    for planting, setting in drawn(wanted, seed):
        start = time.perf_counter()
        report = setting.check(planting.answer(setting))
        seconds = time.perf_counter() - start
        edited = f"{planting} in {sorted(planting.made[0][1])} of {setting}"
        yield Tried(edited, outcome(planting, setting, report), said(report), seconds)


def of_programs(wanted: int, seed: int) -> Iterator[Tried]:
    """Edits of one line of a program."""
    for edit in slips(wanted, seed):
        start = time.perf_counter()
        report = edit.check()
        seconds, lines = time.perf_counter() - start, lines_in(report)
        yield Tried(str(edit), outcome_of_slip(edit, report), said(report), seconds, bool(lines), edit.line in lines)


def said(report: Report) -> str:
    return report.explanations[0].name if report.explanations else " ".join(report.notes[:4])


KINDS = {"the recurrence": of_equations, "three programs": of_programs}
OUTCOMES = ("explained", "localised", "elsewhere", "falsely", "missed")


def summary(kind: str, tried: Sequence[Tried]) -> list[str]:
    """A row of the table."""
    counts, seconds = Counter(one.outcome for one in tried), [one.seconds for one in tried]
    shares = [f"{counts[each] / len(tried):.1%}" for each in OUTCOMES]
    lines = f"{sum(one.told for one in tried)}, {sum(one.hit for one in tried)}" if kind != "the recurrence" else ""
    return [kind, str(len(tried)), *shares, lines, f"{median(seconds):.1f}", f"{max(seconds):.1f}"]


HEADS = ("a line of", "edits", *OUTCOMES, "a line is told, and it is the edited one", "s in the middle", "s at most")


def page(found: Mapping[str, Sequence[Tried]]) -> str:
    left = [one for tried in found.values() for one in tried if one.outcome in ("elsewhere", "falsely", "missed")]
    return "\n\n".join(
        [
            "# Beyond the catalogue",
            "Random edits, which are meant for no entry of [mistakes.md](mistakes.md), and what `purebp check` says of them: "
            "of a line of the recurrence (an operand exchanged, one more, an index slip, a constant), and of a line of three "
            "differently written right programs in [studies/programs](../studies/programs) (another name, operator, number or "
            "index, arguments swapped, a part left out). *Explained*: an expression gives the same numbers, inside its "
            "budgets, on 20 networks that were not asked about; *falsely*: one that does not. *Localised*: what is said to be "
            "wrong is the line that was edited, or its equation, and nothing else; *elsewhere*: something else is said to be "
            "wrong as well. This page is written by `make beyond`.",
            rows(HEADS, [summary(kind, tried) for kind, tried in found.items()]),
            "## Neither explained nor localised",
            "\n".join(f"* `{one.edited.replace('`', '')}`" for one in left) or "None.",
        ]
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edits", type=int, nargs="?", default=100, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="what is said of each")
    parser.add_argument("--only", choices=["recurrence", "programs"], help="edits of these alone")
    parser.add_argument("--write", action="store_true", help="write docs/beyond.md")
    args = parser.parse_args(arguments)
    found = dict[str, list[Tried]]()
    for kind, each in KINDS.items():
        if args.only and args.only not in kind:
            continue
        found[kind] = []
        for one in each(args.edits, args.seed):
            found[kind].append(one)
            if args.show or one.outcome in ("falsely", "missed", "elsewhere"):
                print(f"{one.outcome}: {one.edited}\n    {one.said}", flush=True)
        print(" | ".join(summary(kind, found[kind])))
    if args.write:
        (DOCS / "beyond.md").write_text(page(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

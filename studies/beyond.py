"""Mistakes that have no name: edits of one line of the recurrence, drawn at random, and what `check` says of them.

    python -m studies.beyond 200              so many edits, and how many are explained, or localised to their line
    python -m studies.beyond 200 --seed 3     others
    python -m studies.beyond 20 --show        each, with what is said of it

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
from collections.abc import Iterator
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
from studies.power import DEPTHS, HIDDEN, Planting, Setting, fresh, settings

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


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edits", type=int, nargs="?", default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="what is said of each")
    args = parser.parse_args(arguments)
    counts, seconds = Counter[str](), []
    for planting, setting in drawn(args.edits, args.seed):
        start = time.perf_counter()
        report = setting.check(planting.answer(setting))
        seconds.append(time.perf_counter() - start)
        found = outcome(planting, setting, report)
        counts[found] += 1
        if args.show or found in ("falsely", "missed", "elsewhere"):
            said = report.explanations[0].name if report.explanations else " ".join(report.notes[:3])
            print(f"{found}: {planting} in {sorted(planting.made[0][1])} of {setting}\n    {said}", flush=True)
    shares = ", ".join(f"{name} {count / args.edits:.1%}" for name, count in counts.most_common())
    print(f"{args.edits} edits: {shares}; {median(seconds):.2f} s in the middle, {max(seconds):.2f} s at most")


if __name__ == "__main__":
    main(sys.argv[1:])

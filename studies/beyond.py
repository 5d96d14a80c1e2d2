"""Mistakes that have no name: edits of one line of the recurrence, drawn at random, and what `check` says of them.

    python -m studies.beyond 200              so many edits, and how many are explained, or localised to their line
    python -m studies.beyond 200 --seed 3     others
    python -m studies.beyond 20 --show        each, with what is said of it
    python -m studies.beyond 200 --programs   edits of the lines of three differently written programs instead

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

from purebp import backpropagation
from purebp.oracle.answer import Answer, Claim, as_claim, tensor_name
from purebp.oracle.asking.candidate import ask
from purebp.oracle.cases import Case
from purebp.oracle.check import checked
from purebp.oracle.explaining.diagnosis import Observation
from purebp.oracle.explaining.equations import scaled
from purebp.oracle.explaining.expressions import CORE, operands_of, standing
from purebp.oracle.explaining.grammar import ORDERS, ordered
from purebp.oracle.explaining.recipe import Mistake, Recipe, places
from purebp.oracle.reports.report import Report
from purebp.textbook.arithmetic import FLOAT
from purebp.textbook.names import superscript
from studies.edits import PROGRAMS, Edit
from studies.edits import edits as edits_of_programs
from studies.power import DEPTHS, HIDDEN, Planting, Setting, fresh, rungs, settings

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


def slips(wanted: int, seed: int) -> Iterator[Edit]:
    """Edited programs that run, and give something else than before."""
    random, known = Random(seed), set[str]()
    for edit in edits_of_programs(random):
        setting = PROGRAMS[edit.program]
        right = [as_claim(backpropagation(case.network, case.batch, setting.loss)) for case in fresh(setting)]
        answers = [asked(edit, case) for case in (*fresh(setting), *rungs(setting.names, setting.loss))]
        changed = all(map(usable, answers)) and not all(map(nearly, (a.claim for a in answers), right))
        if changed and str(edit) not in known:
            known.add(str(edit))
            wanted -= 1
            yield edit
        if not wanted:
            return


def asked(edit: Edit, case: Case) -> Answer:
    return ask(edit.candidate, case, PROGRAMS[edit.program].question().declared)


def usable(answer: Answer) -> bool:
    """Whether it is made of numbers, none so large that the program would have burst."""
    return not answer.findings and all(abs(x) < 1e12 for rows in answer.claim.values() for row in rows for x in row)


def nearly(claim: Claim, right: Claim) -> bool:
    pairs = (pair for key in right for rows in zip(claim[key], right[key]) for pair in zip(*rows))
    return all(abs(x - y) <= 1e-9 * max(abs(x), abs(y), 1e-9) for x, y in pairs)


SAID = {  # of which equation a sentence is
    "deltas": r"δ|The error is passed down|What is passed down|The derivative|f′",
    "weights": r"∂loss/∂W\S* does not follow|The gradient of the weights",
    "biases": r"∂loss/∂b\S* does not follow|The gradient of the biases",
    "forward": r"δ\S* is wrong: it should be ∂loss/∂ŷ|The forward pass|The outputs are off",
}


def outcome_of_slip(edit: Edit, report: Report) -> str:
    """The same; localised is what is said to be wrong of the equation of the edited line, and of no other."""
    if report.conforms:
        return "missed"
    if report.explanations:
        answers = [asked(edit, case) for case in fresh(PROGRAMS[edit.program], 20)]
        if report.explanations[0].name == "all gradients are 0":
            zero = not any(x for a in answers for rows in a.claim.values() for row in rows for x in row)
            return "explained" if zero else "falsely"
        others = [Observation(case, a.claim) for case, a in zip(fresh(PROGRAMS[edit.program], 20), answers)]
        return "explained" if report.explanations[0].holds(others) else "falsely"
    if edit.line in lines_in(report):
        return "localised"
    said = [note for note in report.notes if any(re.match(pattern, note) for pattern in SAID.values())]
    return "localised" if said and all(re.match(SAID[edit.equation], note) for note in said) else "elsewhere"


def lines_in(report: Report) -> set[int]:
    """The lines of the program that the report names."""
    notes = (note for note in report.notes if note.startswith("It is probably made in line"))
    return {int(number) for note in notes for number in re.findall(r"\d+", note.partition(": ")[0])}


def of_programs(wanted: int, seed: int, show: bool) -> None:
    counts, seconds, told, hit = Counter[str](), [], 0, 0
    for edit in slips(wanted, seed):
        setting = PROGRAMS[edit.program]
        start = time.perf_counter()
        report = checked(edit.candidate, setting.question(), rungs(setting.names, setting.loss), "candidate")
        seconds.append(time.perf_counter() - start)
        found = outcome_of_slip(edit, report)
        counts[found] += 1
        told += bool(lines_in(report))
        hit += edit.line in lines_in(report)
        if show or found in ("falsely", "missed", "elsewhere"):
            said = report.explanations[0].name if report.explanations else " ".join(report.notes[:4])
            print(f"{found}: {edit}\n    {said} {sorted(lines_in(report))}", flush=True)
    shares = ", ".join(f"{name} {count / wanted:.1%}" for name, count in counts.most_common())
    print(
        f"{wanted} edits of lines of programs: {shares}; a line is told of {told}, the edited one of {hit}; "
        f"{median(seconds):.2f} s in the middle, {max(seconds):.2f} s at most"
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edits", type=int, nargs="?", default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="what is said of each")
    parser.add_argument("--programs", action="store_true", help="edits of the lines of programs")
    args = parser.parse_args(arguments)
    if args.programs:
        of_programs(args.edits, args.seed, args.show)
        return
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

"""Random edits of the lines of three right programs, as a slip of the hand makes them: another name, operator, number, index."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from purebp import backpropagation
from purebp.oracle.answer import Answer, Claim, as_claim
from purebp.oracle.asking.candidate import ask
from purebp.oracle.cases import Case
from purebp.oracle.check import checked
from purebp.oracle.explaining.diagnosis import Observation
from purebp.oracle.reports.report import Report
from studies.power import Setting, fresh, rungs

HERE = Path(__file__).parent / "programs"
PROGRAMS = {  # what each computes
    "loops": Setting(("tanh", "sigmoid"), "mse"),
    "matrices": Setting(("relu", "softmax"), "cross_entropy"),
    "objects": Setting(("sigmoid", "identity"), "half_sse"),
}
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)


@dataclass(frozen=True)
class Edit:
    """A program with one line edited."""

    program: str
    line: int
    equation: str  # of the line: "forward", "deltas", "weights" or "biases"
    text: str
    candidate: Callable[..., Any]

    @property
    def setting(self) -> Setting:
        return PROGRAMS[self.program]

    def answer(self, case: Case) -> Answer:
        return ask(self.candidate, case, self.setting.question().declared)

    def check(self) -> Report:
        return checked(
            self.candidate, self.setting.question(), rungs(self.setting.names, self.setting.loss), "candidate"
        )

    def __str__(self) -> str:
        return f"{self.program}, line {self.line}: {linecache.getline(str(HERE / self.program) + '.py', self.line).strip()} → {self.text}"


def edits(random: Random) -> Iterator[Edit]:
    """One after the other, for ever; whether one changes anything, or can run, is not known yet."""
    sources = {name: (HERE / f"{name}.py").read_text(encoding="utf-8") for name in PROGRAMS}
    while True:
        name = random.choice(sorted(sources))
        marked = {
            number: found.group(1)
            for number, line in enumerate(sources[name].splitlines(), 1)
            if (found := re.search(r"  # (\w+)$", line))
        }
        tree = ast.parse(sources[name])
        number = random.choice(sorted(marked))
        if edited := _edited(tree, number, random):
            space: dict[str, Any] = {"__name__": name}
            exec(compile(ast.fix_missing_locations(tree), str(HERE / f"{name}.py"), "exec"), space)
            yield Edit(name, number, marked[number], edited, space["gradients"])


def _edited(tree: ast.Module, number: int, random: Random) -> str:
    """One node of a line changed in place; what the line says then, or "" if nothing could be."""
    function = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.lineno <= number <= (node.end_lineno or 0)
    )
    statements = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.stmt) and node.lineno <= number <= (node.end_lineno or 0)
    ]
    statement = min(statements, key=lambda node: (node.end_lineno or 0) - node.lineno)
    names = sorted(
        {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and node.id != "self"} - CALLED
    )
    attributes = sorted({node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)} - CALLED)
    before = ast.unparse(statement)
    nodes = [node for node in ast.walk(statement) if _can_change(node)]
    node: Any = random.choice(nodes)
    if isinstance(node, ast.Name):
        node.id = random.choice(names)
    elif isinstance(node, ast.Attribute):
        node.attr = random.choice(attributes)
    elif isinstance(node, ast.Constant):
        value: Any = node.value
        node.value = type(value)(random.choice((value + 1, value - 1, 2 * value)))
    elif isinstance(node, ast.BinOp):
        kind = random.choice(("operator", "left", "right", "swapped"))
        if kind == "operator":
            node.op = random.choice(OPERATORS)()
        elif kind == "swapped":
            node.left, node.right = node.right, node.left
        else:
            node.op, node.left, node.right = ast.Add(), deepcopy(getattr(node, kind)), ast.Constant(0)
    elif isinstance(node, ast.Subscript):
        node.slice = ast.BinOp(node.slice, random.choice((ast.Add, ast.Sub))(), ast.Constant(1))
    elif isinstance(node, ast.Compare):
        node.ops = [random.choice((ast.Lt, ast.GtE, ast.LtE))()]
    elif isinstance(node, ast.AugAssign):
        node.op = random.choice((ast.Sub, ast.Mult))()
    elif isinstance(node, ast.Call):
        node.args.reverse()
    after = ast.unparse(statement)
    return after if after != before else ""


CALLED = {
    "sum",
    "zip",
    "len",
    "range",
    "max",
    "exp",
    "tanh",
    "product",
    "transposed",
    "enumerate",
    "softmax",
    "append",
    "insert",
}


def _can_change(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return isinstance(node.ctx, ast.Load) and node.id not in CALLED | {"self"}
    if isinstance(node, ast.Attribute):
        return isinstance(node.ctx, ast.Load) and node.attr not in CALLED
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    if isinstance(node, ast.Subscript):
        return not isinstance(node.slice, ast.Slice)
    if isinstance(node, ast.Call):
        return len(node.args) == 2
    return isinstance(node, (ast.BinOp, ast.Compare, ast.AugAssign))


def slips(wanted: int, seed: int) -> Iterator[Edit]:
    """Edited programs that run, and give something else than before."""
    random, known = Random(seed), set[str]()
    for edit in edits(random):
        setting = edit.setting
        right = [as_claim(backpropagation(case.network, case.batch, setting.loss)) for case in fresh(setting)]
        answers = [edit.answer(case) for case in (*fresh(setting), *rungs(setting.names, setting.loss))]
        changed = all(map(usable, answers)) and not all(map(nearly, (a.claim for a in answers), right))
        if changed and str(edit) not in known:
            known.add(str(edit))
            wanted -= 1
            yield edit
        if not wanted:
            return


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
    "forward": r"δ\S* is wrong: it should be ∂loss/∂ŷ|δ\S* and what is made below|a\S* is wrong|The forward pass|The outputs are off",
}


def outcome_of_slip(edit: Edit, report: Report) -> str:
    """The same; localised is what is said to be wrong of the equation of the edited line, and of no other."""
    if report.conforms:
        return "missed"
    if report.explanations:
        answers = [edit.answer(case) for case in fresh(edit.setting, 20)]
        if report.explanations[0].name == "all gradients are 0":
            zero = not any(x for a in answers for rows in a.claim.values() for row in rows for x in row)
            return "explained" if zero else "falsely"
        others = [Observation(case, a.claim) for case, a in zip(fresh(edit.setting, 20), answers)]
        return "explained" if report.explanations[0].holds(others) else "falsely"
    if edit.line in lines_in(report):
        return "localised"
    said = [note for note in report.notes if any(re.match(pattern, note) for pattern in SAID.values())]
    if not said and any(note.startswith("So it is for one sample") for note in report.notes):
        return "localised"  # how samples are put together is an equation as well
    return "localised" if said and all(re.match(SAID[edit.equation], note) for note in said) else "elsewhere"


def lines_in(report: Report) -> set[int]:
    """The lines of the program that the report names."""
    notes = (note for note in report.notes if note.startswith("It is probably made in line"))
    return {int(number) for note in notes for number in re.findall(r"\d+", note.partition(": ")[0])}

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

from studies.power import Setting

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

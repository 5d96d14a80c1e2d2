"""Which lines of a function make a tensor that is wrong, and none that is right.

>>> text = '''
... def backward(x, y, w1, w2):
...     h = x * w1
...     o = h * w2
...     d = 2 * (o - y)
...     dw2 = d * h
...     dh = d * w1
...     dw1 = dh * x
...     return dw1, dw2
... '''
>>> lines_of(text, "backward", {"dw1"}, {"dw2"})
('backward', (7, 8))
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def lines_of(source: str, function: str, wrong: Collection[str], right: Collection[str]) -> tuple[str, tuple[int, ...]]:
    """The lines on which the wrong names depend and no right one; all of the former, where there are no such lines.

    function: its name, "backward" or "Net.backward"; names are those of variables, or of attributes of self. Where they
    are made by another function beside it, that one is looked at; its name comes first, or "" if there is none.
    """
    of = function.rpartition(".")[0]
    for each in _definitions(source, function):
        made, others = _slice(each, wrong), _slice(each, right)
        if made:
            return f"{of}.{each.name}" if of else each.name, tuple(sorted(made - others or made))
    return "", ()


def _definitions(source: str, function: str) -> list[Definition]:
    """The function, and those beside it."""
    *of, name = function.split(".")
    try:
        body: Sequence[ast.stmt] = ast.parse(source).body
    except SyntaxError:
        return []
    for each in of:
        body = next((x.body for x in body if isinstance(x, ast.ClassDef) and x.name == each), [])
    found = [x for x in body if isinstance(x, (ast.FunctionDef, ast.AsyncFunctionDef)) and x.name != "__init__"]
    return sorted(found, key=lambda x: x.name != name)


def _slice(function: Definition, names: Collection[str]) -> set[int]:
    """The lines of the assignments on which names depend when the function ends, loops gone round twice."""
    needed, lines = set(names), set[int]()
    steps = list(_steps(function.body))
    for _ in range(2):
        for each in reversed(steps):
            if needed.intersection(_targets(each)):
                lines.add(each.lineno)
                needed |= _read(each)
    return lines


def _steps(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Assignments, and calls that may change what they are called on, in their order."""
    for each in body:
        for inner in (getattr(each, name, []) for name in ("body", "orelse")):
            yield from _steps(inner)
        if isinstance(each, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)):
            yield each


def _targets(each: ast.stmt) -> Iterator[str]:
    if isinstance(each, ast.Assign):
        for target in each.targets:
            parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
            yield from map(_name, parts)
    elif isinstance(each, (ast.AugAssign, ast.AnnAssign)):
        yield _name(each.target)
    elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Call) and isinstance(each.value.func, ast.Attribute):
        yield _name(each.value.func.value)  # deltas.append(…)


def _name(part: ast.expr) -> str:
    """Of a variable or an attribute of self, also where an item of it is meant."""
    while isinstance(part, ast.Subscript):
        part = part.value
    if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
        return part.attr
    return part.id if isinstance(part, ast.Name) else ""


def _read(each: ast.stmt) -> set[str]:
    """The names that a statement reads; of indices none."""
    found = set[str]()
    for node in ast.walk(each):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id != "self":
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            found.add(node.attr)
    indices = {name for node in ast.walk(each) if isinstance(node, ast.Subscript) for name in _plain(node.slice)}
    return found - indices


def _plain(index: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(index) if isinstance(node, ast.Name)}

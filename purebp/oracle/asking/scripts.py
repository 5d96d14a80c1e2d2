"""A script that trains when it is loaded: which of its lines go forwards and backwards, and the same as a function.

>>> text = '''
... from math import tanh
... x, y = [[0.5, -1.0]], [[1.0]]
... w = [[0.1, 0.2]]
... for epoch in range(100):
...     a = tanh(sum(p * q for p, q in zip(w[0], x[0])))
...     error = a - y[0][0]
...     w = [[p - 0.1 * error * (1 - a * a) * q for p, q in zip(w[0], x[0])]]
...     print(epoch, error)
... '''
>>> script = script_in(text)
>>> script.forward, script.backward, script.inputs, script.targets, script.weights
((6, 6), (7, 8), 'x', 'y', ('w',))
>>> print(script.function("step"))
def step(weights, biases, inputs, targets):
    x, y = inputs, targets
    w, = weights
    a = tanh(sum((p * q for p, q in zip(w[0], x[0]))))
    error = a - y[0][0]
    w = [[p - 0.1 * error * (1 - a * a) * q for p, q in zip(w[0], x[0])]]
    return [w], None
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from purebp.oracle.asking.roles import by_number, kind_of, role

Lines = tuple[int, int]
COUNTS = ("N", "n", "m", "M", "n_samples", "num_samples", "num_examples", "batch_size")


@dataclass(frozen=True, slots=True)
class Script:
    """What trains in it: a loop, or what stands at the top; and what its names seem to be ("" where that is not seen).

    forward and backward are the lines, from the first to the last, that seem to be the forward pass and what follows.
    """

    before: tuple[ast.stmt, ...]
    body: tuple[ast.stmt, ...]
    loop: str  # the name that it counts with
    forward: Lines
    backward: Lines
    inputs: str
    targets: str
    weights: tuple[str, ...]
    biases: tuple[str, ...]
    counts: tuple[str, ...] = ()  # what seems to be the number of samples
    rows: tuple[str, ...] = ()  # biases that are matrices of one row

    def function(self, name: str) -> str:
        """The loop's body as a function, which returns the parameters after one step."""
        head = [f"{self.inputs or 'inputs'}, {self.targets or 'targets'} = inputs, targets"]
        head += [
            f"{_tuple(names)} = {kind}" for kind, names in (("weights", self.weights), ("biases", self.biases)) if names
        ]
        read = {node.id for each in self.body for node in ast.walk(each) if isinstance(node, ast.Name)}
        head += [f"{name} = {name}.reshape(1, -1)" for name in self.rows]
        head += [f"{name} = len(inputs)" for name in self.counts]
        head += [f"{self.loop} = 0"] if self.loop in read else []
        copied = [
            f"{each} = {each}.copy()" for each in (*self.weights, *self.biases) if _changed_in_place(self.body, each)
        ]
        lines = [*head, *copied, *(line for each in self.body for line in ast.unparse(each).splitlines())]
        biases = f"[{', '.join(self.biases)}]" if self.biases else "None"
        lines.append(f"return [{', '.join(self.weights)}], {biases}")
        return "\n".join([f"def {name}(weights, biases, inputs, targets):", *(f"    {line}" for line in lines)])

    @property
    def rest(self) -> str:
        """What stands before: imports, functions, numbers."""
        return "\n".join(ast.unparse(each) for each in self.before)


def _tuple(names: Sequence[str]) -> str:
    return ", ".join(names) + ("," if len(names) == 1 else "")


def script_in(source: str) -> Script | None:
    """The training loop at the top of a text, if there is one in which parameters change."""
    try:
        top = ast.parse(source).body
    except SyntaxError:
        return None
    top = [statement for each in top for statement in (each.body if _is_main(each) else [each])]  # type: ignore[attr-defined]  # an `if`
    for i, each in enumerate(top):
        if isinstance(each, (ast.For, ast.While)) and (found := _script(top[:i], each)) is not None:
            return found
    return None


def _is_main(each: ast.stmt) -> bool:
    return isinstance(each, ast.If) and "__main__" in ast.dump(each.test)


def _script(before: Sequence[ast.stmt], loop: ast.For | ast.While) -> Script | None:
    body = tuple(_without_output(loop.body))
    given = {name: each for each in before for name in _assigned(each)}
    changed = [
        name for name in given if name in {changed for each in body for changed in _assigned(each, augmented=True)}
    ]
    tensors = [name for name in changed if not isinstance(getattr(given[name], "value", None), ast.Constant)]
    biases = [name for name in tensors if kind_of(name) == "biases"]
    weights = [name for name in tensors if name not in biases and kind_of(name) not in ("gradients", "kept")]
    if not weights:
        return None
    weights = by_number(weights, str) or weights
    read = [node.id for each in body for node in ast.walk(each) if isinstance(node, ast.Name)]
    data = [name for name in dict.fromkeys(read) if name in given and name not in tensors and _is_data(given[name])]
    inputs = next((name for name in data if role(name) == "inputs"), next(iter(data), ""))
    targets = next((name for name in data if role(name) == "targets"), next((n for n in data if n != inputs), ""))
    first = next((each.lineno for each in body if targets and targets in _names(each)), body[-1].lineno)
    forward = [each for each in body if each.lineno < first] or list(body[:1])
    backward = [each for each in body if each.lineno >= first] or list(body[-1:])
    counter = loop.target.id if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) else ""
    rows = tuple(name for name in biases if "(1, " in ast.unparse(given[name]))
    counts = tuple(name for name in COUNTS if name in read and name in given)
    kept = tuple(each for each in before if not _prints(each))
    return Script(
        kept,
        body,
        counter,
        _span(forward),
        _span(backward),
        inputs,
        targets,
        tuple(weights),
        tuple(biases),
        counts,
        rows,
    )


def _span(body: Sequence[ast.stmt]) -> Lines:
    return body[0].lineno, body[-1].end_lineno or body[-1].lineno


def _names(each: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(each) if isinstance(node, ast.Name)}


def _assigned(each: ast.stmt, augmented: bool = False) -> Iterator[str]:
    """The names that a statement gives a value, also those of which it changes a part."""
    for node in ast.walk(each):
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AugAssign) and augmented
            else []
        )
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                while augmented and isinstance(part, ast.Subscript):
                    part = part.value
                if isinstance(part, ast.Name):
                    yield part.id


def _changed_in_place(body: Sequence[ast.stmt], name: str) -> bool:
    return any(
        isinstance(node, ast.AugAssign) and name in _names(node.target) for each in body for node in ast.walk(each)
    )


def _is_data(each: ast.stmt) -> bool:
    """Whether a statement gives a name something that may be an array."""
    return isinstance(each, ast.Assign) and not isinstance(each.value, (ast.Constant, ast.UnaryOp, ast.Lambda))


def _prints(each: ast.AST) -> bool:
    call = each.value if isinstance(each, ast.Expr) else None
    return isinstance(call, ast.Call) and (
        getattr(call.func, "id", "") == "print" or getattr(call.func, "attr", "") in ("append", "write", "plot", "show")
    )


def _without_output(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Without what prints or keeps a history, and tests for when to."""
    for each in body:
        if not _prints(each) and not (isinstance(each, ast.If) and all(map(_prints, each.body)) and not each.orelse):
            yield each


def runs_by_itself(source: str) -> str:
    """What to say of a script that trains when it is loaded; "" of any other text."""
    script = script_in(source)
    if script is None:
        return ""
    forward, backward = (f"line {a}" if a == b else f"lines {a} to {b}" for a, b in (script.forward, script.backward))
    return (
        f"it trains when it is loaded, so that there is nothing to call. Its forward pass seems to be {forward}, its "
        f"backward pass {backward}"
    )

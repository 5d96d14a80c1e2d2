"""An adapter to complete: the text of a file between code as it is and a function that can be asked.

>>> print(adapter("my_network", '''
... class Net:
...     def __init__(self, n_in, n_hidden, n_out):
...         self.W1, self.W2 = make(n_in, n_hidden), make(n_hidden, n_out)
...     def forward(self, x): ...
...     def backward(self, x, y): ...
... ''').text)
\"\"\"Asks Net of my_network.py. Look at the lines that end in "# <-": complete what is not as you have it.\"\"\"
<BLANKLINE>
from my_network import Net
<BLANKLINE>
PUREBP = {}  # what you know of it, such as {"activations": ["sigmoid", "sigmoid"], "loss": "mse"}
<BLANKLINE>
<BLANKLINE>
def gradients(weights, biases, inputs, targets):
    first, hidden, last = len(weights[0][0]), len(weights[0]), len(weights[-1])
    net = Net(first, hidden, last)  # <- __init__(n_in, n_hidden, n_out)
    net.W1, net.W2 = weights  # <- matrices outputs × inputs, of lists
    net.forward(inputs)  # <-
    return net.backward(inputs, targets), None  # <- gradients like the weights, and like the biases
<BLANKLINE>
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from purebp.oracle.asking.roles import BACKWARDS, FORWARDS, TRAINS, kind_of, role
from purebp.oracle.asking.scripts import script_in

GIVEN = {"inputs": "inputs", "targets": "targets", "rate": "0.5", "epochs": "1", "pairs": "list(zip(inputs, targets))"}
KNOWN = 'PUREBP = {}  # what you know of it, such as {"activations": ["sigmoid", "sigmoid"], "loss": "mse"}'
LOOK = 'Look at the lines that end in "# <-": complete what is not as you have it.'


@dataclass(frozen=True, slots=True)
class Adapter:
    """The text, and what was not found."""

    text: str
    missing: tuple[str, ...] = ()


def adapter(module: str, source: str) -> Adapter:
    """The adapter for a text, which is not run; a `SyntaxError` if it is not Python."""
    tree = ast.parse(source)
    script = script_in(source)
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef) and _methods(each)]
    best = max(classes, key=lambda each: _usable(list(_methods(each))), default=None)
    if best is not None and _usable(list(_methods(best))):
        return _of_class(module, best)
    if script is not None:
        told = f'"""The training loop of {module}.py as a function, which returns the weights after one step."""'
        lines = [told, "", script.rest, "", KNOWN, "", "", script.function("step"), ""]
        missing = [what for what in ("inputs", "targets") if not getattr(script, what)]
        return Adapter("\n".join(lines), tuple(f"the {what}" for what in missing))
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    return _of_functions(module, functions)


def _methods(of: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {each.name: each for each in of.body if isinstance(each, ast.FunctionDef)}


def _usable(names: list[str]) -> int:
    """How much speaks for it: something goes backwards, something trains."""
    return 2 * any(map(BACKWARDS.fullmatch, names)) + any(map(TRAINS.fullmatch, names))


def _parameters(of: ast.FunctionDef) -> list[str]:
    return [each.arg for each in of.args.args if each.arg != "self"]


def _call(of: ast.FunctionDef) -> str:
    return ", ".join(GIVEN.get(role(name), f"{name}=...") for name in _parameters(of))


def _attributes(of: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(of):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self":
                    yield part.attr


def _held(names: list[str], kind: str) -> str:
    """One assignment to all of a kind: to a list of them, or one by one."""
    of_net = [f"net.{name}" for name in names]
    return f"{', '.join(of_net)} = {kind}" if of_net else ""


def _of_class(module: str, of: ast.ClassDef) -> Adapter:
    methods, attributes = _methods(of), list(dict.fromkeys(_attributes(of)))
    weights = [name for name in attributes if kind_of(name) == "weights"]
    biases = [name for name in attributes if kind_of(name) == "biases"]
    forward = next((each for name, each in methods.items() if FORWARDS.fullmatch(name)), None)
    backward = next((each for name, each in methods.items() if BACKWARDS.fullmatch(name)), None)
    train = next((each for name, each in methods.items() if TRAINS.fullmatch(name)), None)
    constructor = _parameters(methods["__init__"]) if "__init__" in methods else []
    widths = (
        ["first", "hidden", "last"]
        if len(constructor) >= 3
        else ["[first, hidden, last]"]
        if len(constructor) == 1
        else []
    )
    given = ", ".join(
        GIVEN.get(role(name), width) for name, width in zip(constructor, [*widths, *["..."] * len(constructor)])
    )
    lines = [
        "first, hidden, last = len(weights[0][0]), len(weights[0]), len(weights[-1])",
        f"net = {of.name}({given})  # <- __init__({', '.join(constructor)})",
        f"{_held(weights, 'weights') or 'net.weights = weights'}  # <- matrices outputs × inputs, of lists",
    ]
    lines += [f"{_held(biases, 'biases')}  # <-"] if biases else []
    lines += [f"net.{forward.name}({_call(forward)})  # <-"] if forward else []
    if backward is not None:
        ending = "" if biases else ", None"
        lines.append(
            f"return net.{backward.name}({_call(backward)}){ending}  # <- gradients like the weights, and like the biases"
        )
    elif train is not None:
        after = [f"[{', '.join(f'net.{name}' for name in names)}]" if names else "None" for names in (weights, biases)]
        lines += [f"net.{train.name}({_call(train)})  # <-", f"return {', '.join(after)}  # <- after one step"]
    missing = ["attributes that hold weights"] if not weights else []
    missing += ["attributes that hold biases"] if not biases else []
    return Adapter(_text(f"Asks {of.name} of {module}.py.", _import(module, [of.name]), lines), tuple(missing))


def _of_functions(module: str, functions: list[ast.FunctionDef]) -> Adapter:
    backward = next((each for each in functions if BACKWARDS.fullmatch(each.name)), None)
    forward = next((each for each in functions if FORWARDS.fullmatch(each.name)), None)
    lines = [f"{forward.name}({_call(forward)})  # <-"] if forward and backward else []
    if backward is not None:
        lines.append(f"return {backward.name}({_call(backward)})  # <- gradients like the weights, and like the biases")
        names = [each.name for each in (forward, backward) if each is not None]
        return Adapter(_text(f"Asks {backward.name} of {module}.py.", _import(module, names), lines))
    lines = ["return ..., ...  # <- gradients like the weights, and like the biases"]
    return Adapter(_text(f"Asks {module}.py.", "", lines), ("a function or a class that goes backwards",))


def _import(module: str, names: list[str]) -> str:
    """The line that imports them; the name of a file need not be one of a module."""
    if module.isidentifier():
        return f"from {module} import {', '.join(names)}"
    given = "".join(f"\n{name} = code.{name}" for name in names)
    return f"from importlib import import_module\n\ncode = import_module({module!r}){given}"


def _text(what: str, imports: str, body: list[str]) -> str:
    head = [f'"""{what} {LOOK}"""', "", imports, "", KNOWN, "", "", "def gradients(weights, biases, inputs, targets):"]
    return "\n".join([*head, *(f"    {line}" for line in body), ""])

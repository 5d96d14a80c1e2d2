"""What was not declared, found by trying: layout, depth and activations of a candidate.

On three small cases every layout is tried in which the candidate gives answers of the right shape, the plainest first.
Of those, and of the usual activations, the first is taken under which most of its tensors are multiples of the
gradient: a factor, a sign or a step is for the check itself to find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from purebp.number_systems.formats import format_named
from purebp.oracle.answer import Answer, Claim, as_claim
from purebp.oracle.asking.candidate import Declared
from purebp.oracle.cases import Case, ladder
from purebp.textbook import losses
from purebp.textbook.activations import activation
from purebp.textbook.arithmetic import FLOAT, PurebpError
from purebp.textbook.backprop import backpropagation
from purebp.textbook.network import Batch, Layer, Network

Ask = Callable[[Case, Declared], Answer]
HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu(0.01)", "elu(1.0)", "softplus", "silu", "gelu")
OUTPUT = ("sigmoid", "identity", "softmax", "tanh", "relu")
DEPTHS = (2, 1, 3)
PLAIN = {"weights": "out_in", "samples": "rows", "biases": True, "arrays": None}
LAYERS = "wrong number of layers"
LAYOUT = ("raises", "error", "wrong shape", LAYERS)  # what another layout may cure
MOST_CRASHES = 6  # of a program: each starts it anew
TOLERANCE = 1e-4  # of a multiple: roundoff, that of binary32 too, is far below


@dataclass(frozen=True, slots=True)
class Guess:
    """Options that were not declared, and whether they were "found", "assumed", or "lost": perhaps others help."""

    options: dict[str, Any]
    state: str = "found"
    asked: bool = True

    @property
    def shown(self) -> dict[str, Any]:
        """Those that have to be said."""
        found = {key: x for key, x in self.options.items() if key not in PLAIN or x != PLAIN[key]}
        return {key: x for key, x in found.items() if key != "batch"}  # a vector says it

    def notes(self, conforms: bool, program: bool) -> Iterator[str]:
        """What the report says of it."""
        if self.state == "lost":
            yield (
                "No layout that was tried gets answers of the right shape: declare yours with --activations, "
                f"--sizes, --weights, --samples, --batch{' or' if program else ','} --no-biases"
                f"{'' if program else ' or --arrays'}."
            )
        elif self.shown:
            words = " ".join(word for key, value in self.shown.items() for word in option(key, value))
            how = "found by trying" if self.state == "found" else "assumed"
            yield f"Not declared, and {how}: {words}" + ("" if conforms else ". If that is not so, declare it.")


def guess(ask: Ask, declared: dict[str, Any], source: str) -> Guess:
    """The options that are missing among those declared."""
    if all(key in declared for key in ("activations", *PLAIN)):
        return Guess({}, asked=False)
    best: tuple[float, dict[str, Any]] | None = None
    first: dict[str, Any] | None = None
    cases: dict[Any, list[Case]] = {}
    answers_at: int | None = None
    biased = False  # gradients of biases were given
    problems: list[str] = []
    for depth, layout in _layouts(declared, source):
        if answers_at not in (None, depth):
            continue
        less = layout["samples"] == "vector" or (biased and not layout["biases"])
        if best and less and not layout.items() <= declared.items():
            continue  # a plainer layout is answered: to ask for less would only hide what is wrong
        options = {key: value for key, value in layout.items() if key not in declared}
        activations = declared.get("activations", ("sigmoid",) * depth)
        first = first or {**options, "activations": activations}
        answered = _answers(ask, depth, {**declared, **layout}, cases, problems)
        hopeless = not {"timeout", "malformed"}.isdisjoint(problems) or problems.count("crash") > MOST_CRASHES
        if problems[:1] == ["NaN"] or hopeless or (problems[:1] == [LAYERS] and "activations" in declared):
            break
        if not answered:
            continue
        answers_at = depth
        biased = biased or any(kind == "biases" for _, claim in answered for kind, _ in claim)
        for names, loss in _networks(declared, depth):
            likeness = _likeness(answered, names, loss, {**declared, **layout})
            if best is None or likeness > best[0]:
                best = likeness, {**options, "activations": declared.get("activations", names)}
            if likeness == 1:
                return Guess(_open(best[1], declared))
    options = best[1] if best else first or {}
    state = "found" if best else "lost" if problems[0] in LAYOUT and len(problems) > 1 else "assumed"
    return Guess(_open(options, declared), state)


def _open(options: dict[str, Any], declared: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key not in declared}


def _layouts(declared: dict[str, Any], source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Depth and layout, those with the fewest departures from the plainest first."""
    given = declared.get("activations")
    if given is None:
        depths = [len(declared["sizes"]) - 1] if "sizes" in declared else list(DEPTHS)
    else:
        depths = [2 if isinstance(given, str) else len(given)]
    library = re.search(r"^\s*(?:import|from)\s+(torch|jax|numpy)\b", source, re.MULTILINE)
    samples = ["rows", "columns"] + (["vector"] if declared.get("batch", 1) == 1 else [])
    axes: list[list[Any]] = [
        depths,
        [declared["arrays"]] if "arrays" in declared else [library[1], None] if library else [None],
        [declared["samples"]] if "samples" in declared else samples,
        [declared["weights"]] if "weights" in declared else ["out_in", "in_out"],
        [declared["biases"]] if "biases" in declared else [True, "columns", False],
    ]
    places = sorted(product(*(range(len(axis)) for axis in axes)), key=lambda place: (sum(map(bool, place)), place))
    for place in places:
        depth, *values = (axis[i] for axis, i in zip(axes, place))
        layout = dict(zip(("arrays", "samples", "weights", "biases"), values))
        yield depth, {**layout, "batch": 1} if layout["samples"] == "vector" else layout


def _answers(
    ask: Ask, depth: int, options: dict[str, Any], cases: dict[Any, list[Case]], problems: list[str]
) -> list[tuple[Case, Claim]]:
    """Its answers to small cases, which are kept; none unless all have the right shape, but the kind of its problem."""
    given = options.get("activations", "sigmoid")
    names = (given,) * depth if isinstance(given, str) else tuple(given)
    found: list[tuple[Case, Claim]] = []
    try:
        declared = Declared(**{**options, "activations": names})
        shape: dict[str, Any] = {"sizes": declared.sizes, "biases": bool(declared.biases), "batch": declared.batch}
        key = depth, bool(declared.biases), declared.batch
        if key not in cases:
            cases[key] = [_one_hot(case) for case in ladder(names, **shape)[:3]]
        for case in cases[key]:
            answer = ask(case, declared)
            if fatal := [finding.kind for finding in answer.findings if finding.fatal]:
                problems += fatal
                return []
            if answer.claim:  # and no skip
                found.append((case, answer.claim))
        problems += [] if found else ["skipped"]
    except PurebpError:  # such as arrays without that format
        problems.append("raises")
        return []
    return found


def _one_hot(case: Case) -> Case:
    """With several outputs the targets are those of classes, on which every loss has a gradient."""
    outputs = len(case.batch.targets[0])
    targets = [[float(i % outputs == j) for j in range(outputs)] for i in range(len(case.batch.targets))]
    return case if outputs == 1 else replace(case, batch=Batch(case.batch.inputs, targets))


def _networks(declared: dict[str, Any], depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """Activations and losses that are usual."""
    given = declared.get("activations")
    chosen = (
        [(given,) * depth if isinstance(given, str) else tuple(given)]
        if given
        else [
            (hidden,) * (depth - 1) + (output,) for output in OUTPUT for hidden in (HIDDEN if depth > 1 else HIDDEN[:1])
        ]
    )
    usual = {"sigmoid": ("mse", "binary_cross_entropy"), "softmax": ("cross_entropy", "mse")}
    for names in chosen:
        for loss in (declared["loss"],) if "loss" in declared else usual.get(names[-1], ("mse",)):
            yield names, loss


def _likeness(answered: list[tuple[Case, Claim]], names: tuple[str, ...], loss: str, options: dict[str, Any]) -> float:
    """The share of the tensors that are multiples of the gradient, or steps along it."""
    tolerance = max(TOLERANCE, 64 * format_named(options.get("format", "binary64")).storage)
    like = whole = 0
    for case, claim in answered:
        layers = [Layer(layer.weights, layer.biases, activation(f)) for layer, f in zip(case.network.layers, names)]
        try:
            gradient = as_claim(backpropagation(Network(layers), case.batch, losses.loss(loss), FLOAT))
        except (PurebpError, ArithmeticError, ValueError):
            return 0.0
        for key, rows in gradient.items():
            expected = [x for row in rows for x in row]
            if key not in claim or len(expected) < 2 or not any(expected):
                continue
            whole += 1
            given = [float(x) for row in claim[key] for x in row]
            before = [w for row in as_claim(case.network)[key] for w in row]
            steps = [x - w for x, w in zip(given, before)]
            like += any(_multiple(x, expected, tolerance) for x in (given, steps))
    return like / max(whole, 1)


def _multiple(x: list[float], expected: list[float], tolerance: float) -> bool:
    i = max(range(len(expected)), key=lambda j: abs(expected[j]))
    ratio = x[i] / expected[i]
    room = tolerance * abs(x[i])
    return room > 0 and all(abs(a - ratio * b) <= room for a, b in zip(x, expected))


def option(key: str, value: Any) -> list[str]:
    """A declaration as on the command line.

    >>> option("activations", "relu"), option("biases", False), option("learning_rate", 0.5)
    (['--activations', 'relu,...'], ['--no-biases'], ['--learning-rate', '0.5'])
    """
    if value is None:
        return []
    if key == "biases":
        return ["--bias-columns" if value == "columns" else "--biases" if value else "--no-biases"]
    if key == "activations" and isinstance(value, str):
        value = f"{value},..."
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return ["--" + key.replace("_", "-"), text]

"""Test vectors: what is given, what is expected, and what is allowed, for implementations in any language.

A `Vector` holds what is given; `expected` computes the rest, every number correctly rounded and with its budgets. So
files are made, and so any file is verified (docs/wire-format.md).

>>> vector = next(vector for vector in vectors("gradients") if vector.id == "gradients-sigmoid-identity-mse-one-sample")
>>> vector.case.network.sizes, vector.declared["loss"]
((2, 3, 1), 'mse')
>>> expected(vector)["expected"]["gradients"][1]["biases"]
[0.5290179675613658]
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from hashlib import sha256
from importlib import resources
from math import inf, nextafter
from typing import Any

from purebp import __version__
from purebp.number_systems.ball import Ball, ball
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.wire import Request, asked, in_words, mapped
from purebp.oracle.cases import Case, ladder
from purebp.oracle.certify import Certified, certify
from purebp.oracle.conventions import ONE, Convention, budgets
from purebp.oracle.evidence import Key, enclosures
from purebp.textbook.arithmetic import Matrix, PurebpError
from purebp.textbook.backprop import forward
from purebp.textbook.losses import loss as known_loss
from purebp.textbook.network import Batch, Layer, Network
from purebp.textbook.serialization import parsed

QUANTITIES = {  # of which each family says what is expected
    "forward": ("outputs",),
    "loss": ("outputs", "loss"),
    "deltas": ("deltas",),
    "gradients": ("loss", "gradients"),
    "step": ("step",),
    "refused": (),
}
FAMILIES = tuple(QUANTITIES)
FORMATS = ("binary64", "binary32")
SCHEMA = "vectors.schema.json"
ABOUT = [
    "Test vectors for backpropagation. For each test, compute what is expected from what is given.",
    "Layers come in the order in which the inputs pass through them: z = W a + b, a = activation(z).",
    "Weights have one row per neuron, inputs and targets one row per sample; biases may be null.",
    "Gradients are those of the loss as it is named: they are to be subtracted. A step is weights - learning_rate gradients.",
    "Accept an answer when |answer - expected| <= budget, number by number, with the budget of the format you compute in.",
    "No correct implementation is further off. Expected values are the exact ones, correctly rounded.",
    "What lies on the way is under intermediate, for finding where an implementation goes wrong.",
    "hash is the SHA-256 of what is given, to tell whether a test has changed.",
]
LOSSES = {
    "mse": "mean over all entries of (output - target)^2",
    "half_mse": "half of mse",
    "sse": "sum over all entries of (output - target)^2",
    "half_sse": "half of sse",
    "mae": "mean over all entries of |output - target|",
    "huber(d)": "mean over all entries of h(output - target), h(e) = e^2/2 for |e| <= d, d (|e| - d/2) beyond",
    "binary_cross_entropy": "mean over all entries of -(y log(output) + (1 - y) log(1 - output)), y the target",
    "cross_entropy": "mean over the samples of -sum of target log(output)",
    "LOSS/sum, LOSS/samples, LOSS/outputs, LOSS/entries": "the sum divided by 1, samples, outputs, samples x outputs",
}
ACTIVATIONS = {
    "identity": "z",
    "sigmoid": "1/(1 + e^-z)",
    "tanh": "tanh z",
    "relu": "max(0, z)",
    "leaky_relu(s)": "z for z > 0, else s z",
    "elu(a)": "z for z > 0, else a (e^z - 1)",
    "softplus": "log(1 + e^z)",
    "silu": "z/(1 + e^-z)",
    "gelu": "z P(z), P the distribution function of the standard normal distribution",
    "softmax": "e^z / sum of e^z over the outputs of a sample",
}
NOTES = {
    "Kink": (
        "The derivative of an activation is asked for where it jumps, or a target is hit by an absolute error.",
        "A pre-activation (or an error) lies exactly on a kink, such as 0 for relu. Every element of Clarke's "
        "subdifferential is accepted: expected is the middle of that interval, from clarke.lower to clarke.upper, and the "
        "budget reaches its ends. Deltas under intermediate are such middles as well.",
    ),
    "Saturated": (
        "A derivative written a (1 - a) is 0 where it should be tiny, or e^z overflows.",
        "A neuron is far on the flat side of its activation.",
    ),
    "SquareLayers": (
        "A transposed weight matrix has the right shape, and shows in its numbers alone.",
        "A layer has as many neurons as inputs.",
    ),
    "SeveralSamples": (
        "Gradients are not summed over the samples, or only the last sample counts, or 1/n is missing.",
        "The batch holds more than one sample.",
    ),
    "SeveralOutputs": (
        "1/m is missing, or outputs are summed where they should not be.",
        "There are two outputs or more.",
    ),
    "NoBiases": ("The code expects biases.", "The layers have none: biases are null."),
    "Zeros": ("0 is divided by, or a zero weight hides its gradient.", "Some inputs and weights are exactly 0."),
    "Deep": ("An error is passed down past the layer for which it is meant.", "Three layers or more."),
    "Shapes": (
        "Broadcasting or reading past an end gives numbers where there is no answer.",
        "What is given makes no sense: say so with an error. A crash, or numbers, fail the test.",
    ),
}


@dataclass(frozen=True, slots=True)
class Vector:
    """What is given, as JSON has it; id, title, family, and flags, which tell what it is there for."""

    id: str
    title: str
    family: str
    given: dict[str, Any]
    flags: tuple[str, ...] = ()

    @property
    def case(self) -> Case:
        """The network and the batch."""
        given = self.given
        layers = [Layer(layer["weights"], layer["biases"], layer["activation"]) for layer in given["layers"]]
        return Case(self.id, Network(layers), Batch(given["inputs"], given["targets"]))

    @property
    def declared(self) -> dict[str, Any]:
        """As `Declared` has it."""
        activations = tuple(layer["activation"] for layer in self.given["layers"])
        rate = self.given.get("learning_rate")
        biases = any(layer["biases"] is not None for layer in self.given["layers"])
        returns = "gradients" if rate is None else "step"
        declared = {"activations": activations, "loss": self.given["loss"], "biases": biases}
        return {**declared, "returns": returns, "learning_rate": rate}

    @property
    def request(self) -> Request:
        """As it is asked over a pipe."""
        given, declared = self.given, Declared(**self.declared)
        weights, biases = ([layer[key] for layer in given["layers"]] for key in ("weights", "biases"))
        arguments = weights, biases, given["inputs"], given["targets"]
        return asked(arguments, declared)


def expected(vector: Vector) -> dict[str, Any]:
    """intermediate, expected and budget; clarke as well where a number is the middle of an interval."""
    if vector.family == "refused":
        return {"expected": {"error": "shape"}}
    case, loss = vector.case, known_loss(vector.given["loss"])
    depth = len(case.network.layers)
    convention = Convention(loss, ONE, vector.declared["returns"], vector.declared["learning_rate"])
    samples = len(case.batch.targets), len(case.batch.targets[0])

    wanted = QUANTITIES[vector.family]
    backwards = vector.family not in ("forward", "loss")
    ways = [way for way in ("pre_activations", "activations", *["deltas"] * backwards) if way not in wanted]

    def enclosed(digits: int) -> dict[Key, Matrix[Ball]]:
        on = ball(None, digits)
        trace = forward(case.network, case.batch.inputs, on)
        found = enclosures(case.network, case.batch, loss, None, convention.turned(*samples, on), digits=digits)
        found |= {("pre_activations", l): z for l, z in enumerate(trace.pre_activations)}
        found |= {("activations", l): a for l, a in enumerate(trace.activations)}
        return {key: rows for key, rows in found.items() if backwards or key[0] in (*wanted, *ways)}

    shapes = enclosed(38)
    entries = iter(certify(lambda digits: [x for rows in enclosed(digits).values() for row in rows for x in row], 38))
    exact = {key: [[next(entries) for _ in row] for row in rows] for key, rows in shapes.items()}

    def read(names: Sequence[str], number: Callable[[Certified], float]) -> dict[str, Any]:
        return quantities({key: [list(map(number, row)) for row in rows] for key, rows in exact.items()}, names, depth)

    result: dict[str, Any] = {
        "intermediate": read(ways, lambda x: x.value),
        "expected": read(wanted, lambda x: x.value),
        "budget": {},
    }
    for format in FORMATS:
        allowed = budgets(case, convention, format, {("outputs", -1): []})
        rounded: dict[Key, Matrix] = {
            key: [list(map(_allowed, *pair)) for pair in zip(rows, allowed[key])]
            for key, rows in exact.items()
            if key in allowed
        }
        result["budget"][format] = quantities(rounded, wanted, depth)
    if "Kink" in vector.flags:
        result["clarke"] = {
            "lower": read(wanted, lambda x: float(x.lower)),
            "upper": read(wanted, lambda x: float(x.upper)),
        }
    elif not all(x.rounded for rows in exact.values() for row in rows for x in row):
        raise PurebpError(f"{vector.id}: a number could not be rounded correctly")
    return result


def quantities(tensors: Mapping[Key, Matrix], names: Sequence[str], depth: int) -> dict[str, Any]:
    """Tensors by key as quantities by name, in the shapes of JSON."""

    def layer(l: int) -> dict[str, Any]:
        biases = tensors.get(("biases", l))
        return {"weights": tensors["weights", l], "biases": None if biases is None else biases[0]}

    def made(name: str) -> Any:
        if name in ("gradients", "step"):
            return [layer(l) for l in range(depth)]
        if name == "loss":
            return tensors["loss", -1][0][0]
        return tensors["outputs", -1] if name == "outputs" else [tensors[name, l] for l in range(depth)]

    return {name: made(name) for name in names}


def _allowed(exact: Certified, budget: Ball) -> float:
    """What an answer may be off from the expected double, in three significant digits, rounded upwards."""
    if budget.spread is None:
        return inf
    unit = Fraction(2) ** budget.exponent
    room = abs(budget.mantissa * unit - Fraction(exact.value)) + budget.spread * unit
    short = float(Context(prec=3, rounding=ROUND_CEILING).divide(Decimal(room.numerator), Decimal(room.denominator)))
    return short if Fraction(short) >= room else nextafter(short, inf)


def vectors(family: str) -> tuple[Vector, ...]:
    """All vectors of a family, as they are built in."""
    return tuple(_refused() if family == "refused" else _drawn(family))


def _drawn(family: str) -> Iterator[Vector]:
    for names, loss, rungs, options in _settings(family):
        cases = {case.id: case for case in ladder(names, loss=loss, **options)}
        for rung in rungs:
            yield _vector(family, names, loss, cases[rung])


SHORT = ("one-sample", "several-outputs")
USUAL = ("sigmoid", "tanh", "relu", "leaky_relu(0.25)", "elu(1.0)", "elu(0.5)", "softplus", "silu", "gelu", "identity")
SPECIAL = {
    "sigmoid": "a-saturated-neuron",
    "tanh": "a-saturated-neuron",
    "relu": "a-kink",
    "leaky_relu(0.25)": "a-kink",
    "elu(0.5)": "a-kink",
}
REDUCED = ("sse/samples", "half_sse/samples", "half_sse/outputs", "cross_entropy/sum", "binary_cross_entropy/samples")
SUITED = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}


def _settings(family: str) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...], dict[str, Any]]]:
    """Activations, loss, rungs of the ladder and options of it."""
    for f in USUAL:
        special = SPECIAL.get(f, "one-neuron-per-layer")
        yield (f, "identity"), "mse", (*SHORT, special), {}
    yield ("tanh", "softmax"), "cross_entropy", (*SHORT, "square-layers"), {}
    yield ("tanh", "softmax"), "mse", ("two-samples",), {}
    yield ("sigmoid",) * 3, "half_sse", ("one-neuron-per-layer", "wider-square-layers"), {}
    yield ("tanh", "identity"), "mse", ("zeros", "one-sample-wider"), {}
    yield ("relu", "sigmoid"), "binary_cross_entropy", ("two-samples", "square-layers"), {"biases": False}
    if family == "loss" or family == "gradients":
        for loss in ("sse", "half_mse", "mae", "huber(0.5)", *REDUCED):
            last = SUITED.get(loss.partition("/")[0], "identity")
            yield ("tanh", last), loss, ("several-outputs",), {}
    if family != "forward":
        yield ("sigmoid", "sigmoid"), "mse", ("as-many-samples-as-neurons", "a-saturated-neuron"), {}
        yield ("softplus",), "mse", ("several-outputs",), {}


def _vector(family: str, names: Sequence[str], loss: str, case: Case) -> Vector:
    layers = [
        {"weights": layer.weights, "biases": layer.biases, "activation": layer.activation.name}
        for layer in case.network.layers
    ]
    batch = case.batch
    given: dict[str, Any] = {"layers": layers, "inputs": batch.inputs, "targets": batch.targets, "loss": loss}
    if family == "step":
        given["learning_rate"] = 0.125
    samples, sizes = len(batch.inputs), case.network.sizes
    told = {
        "Kink": case.id == "a-kink" and family not in ("forward", "loss"),
        "Saturated": case.id == "a-saturated-neuron",
        "SquareLayers": any(a == b > 1 for a, b in zip(sizes, sizes[1:])),
        "SeveralSamples": samples > 1,
        "SeveralOutputs": sizes[-1] > 1,
        "NoBiases": case.network.layers[0].biases is None,
        "Zeros": case.id == "zeros",
        "Deep": len(layers) > 2,
    }
    slug = "-".join(re.findall(r"[a-z0-9]+", f"{family} {' '.join(names)} {loss} {case.id}"))
    title = f"{' → '.join(names)}, {loss}, {'-'.join(map(str, sizes))}: {case.name}"
    return Vector(slug, title, family, mapped(given, lambda x: x), tuple(flag for flag, is_so in told.items() if is_so))


def _refused() -> Iterator[Vector]:
    """A small network and batch, with one thing amiss."""
    case = {case.id: case for case in ladder(("tanh", "identity"))}["several-outputs"]
    given = _vector("refused", ("tanh", "identity"), "mse", case).given
    first, second = given["layers"]

    def amiss(name: str, title: str, **changed: Any) -> Vector:
        return Vector(f"refused-{name}", title, "refused", {**given, **changed}, ("Shapes",))

    def layer(of: dict[str, Any], **changed: Any) -> dict[str, Any]:
        return {**of, **changed}

    narrow = [row[:-1] for row in given["inputs"]]
    yield amiss("inputs-too-narrow", "an input less than the first layer has columns", inputs=narrow)
    yield amiss("inputs-transposed", "inputs with samples as columns", inputs=[list(x) for x in zip(*narrow)])
    yield amiss("targets-too-narrow", "a target less than outputs", targets=[row[:-1] for row in given["targets"]])
    yield amiss("targets-too-few", "a row of targets less than samples", targets=given["targets"][:-1])
    ragged = [given["inputs"][0], given["inputs"][1][:-1], *given["inputs"][2:]]
    yield amiss("inputs-ragged", "a sample with an input less than the others", inputs=ragged)
    short = layer(first, biases=first["biases"][:-1])
    yield amiss("biases-too-few", "a bias less than neurons", layers=[short, second])
    wide = layer(second, weights=[[*row, 0.5] for row in second["weights"]])
    yield amiss("layers-do-not-fit", "a layer with a column more than the one below has neurons", layers=[first, wide])
    torn = layer(first, weights=[first["weights"][0][:-1], *first["weights"][1:]])
    yield amiss("weights-ragged", "a row of weights that is shorter than the others", layers=[torn, second])
    yield amiss("batch-empty", "no sample at all", inputs=[], targets=[])
    yield amiss("no-layers", "no layer at all", layers=[])


def document(family: str) -> dict[str, Any]:
    """The file of a family, as JSON has it."""
    chosen = vectors(family)
    flags = dict.fromkeys(flag for vector in chosen for flag in vector.flags)
    return {
        "schema": SCHEMA,
        "about": ABOUT if family != "refused" else [*ABOUT[:3], NOTES["Shapes"][1]],
        "activations": ACTIVATIONS,
        "losses": LOSSES,
        "source": {"name": "purebp", "version": __version__},
        "family": family,
        "numberOfTests": len(chosen),
        "notes": {flag: dict(zip(("mistake", "description"), NOTES[flag])) for flag in flags},
        "tests": [as_test(vector) for vector in chosen],
    }


def as_test(vector: Vector) -> dict[str, Any]:
    """A vector as JSON has it."""
    head = {"id": vector.id, "hash": digest(vector), "title": vector.title, "flags": list(vector.flags)}
    return {**head, "given": vector.given, **expected(vector)}


def digest(vector: Vector) -> str:
    """SHA-256 of what is asked: family and given, as JSON with sorted keys and without spaces."""
    canonical = json.dumps({"given": vector.given, "op": vector.family}, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


def text(document: Any) -> str:
    """JSON with short things on one line.

    >>> print(text({"id": "a", "weights": [[1.0, 2.0], [3.0, 4.0]]}), end="")
    {"id": "a", "weights": [[1.0, 2.0], [3.0, 4.0]]}
    """
    return _text(document, "") + "\n"


def _text(x: Any, indent: str) -> str:
    whole = json.dumps(x, ensure_ascii=False)
    if len(indent) + len(whole) <= 120 or not isinstance(x, (dict, list)):
        return whole
    deeper = indent + " "
    items = (
        [f"{json.dumps(key)}: {_text(value, deeper)}" for key, value in x.items()]
        if isinstance(x, dict)
        else [_text(item, deeper) for item in x]
    )
    start, end = "{}" if isinstance(x, dict) else "[]"
    return f"{start}\n{deeper}" + f",\n{deeper}".join(items) + f"\n{indent}{end}"


def lines(document: dict[str, Any], bits: bool = False) -> str:
    """The tests of a file in the line dialect: the request, what is expected, and the budgets."""
    found = []
    for vector, test in zip(read(document), document["tests"]):
        if vector.family != "refused":  # shapes that do not fit have no form in words
            found.append(vector.request.in_words(vector.id, bits))
            found.append("expected " + in_words(vector.id, test["expected"], bits))
            found += [f"{name} {in_words(vector.id, test['budget'][name], bits)}" for name in FORMATS]
    return "\n".join([*found, ""])


def load(family: str) -> list[Vector]:
    """The vectors of a family in the file that comes with this package."""
    return read(parsed(shipped(f"{family}.json")))


def shipped(name: str) -> str:
    """The text of a file of vectors, or of their schema."""
    return resources.files("purebp").joinpath("data", "vectors", "v1", name).read_text(encoding="utf-8")


def read(document: Any) -> list[Vector]:
    """The vectors in a file; an error if they are none."""
    try:
        tests, family = document["tests"], document["family"]
        found = [Vector(t["id"], t["title"], family, t["given"], tuple(t["flags"])) for t in tests]
        if family not in FAMILIES or not all(isinstance(vector.id, str) for vector in found):
            raise KeyError("family")
    except (TypeError, KeyError, AttributeError) as error:
        raise PurebpError(
            f"this is no file of test vectors: {error!s:.60} is missing, or not what it should be"
        ) from None
    return found


def verify(document: Any) -> Iterator[str]:
    """What is wrong with a file of vectors, computed anew; nothing if all is right."""
    found = read(document)
    if document.get("numberOfTests") != len(found):
        yield f"numberOfTests is {document.get('numberOfTests')!r:.20}, and there are {len(found)}"
    for vector, told in zip(found, document["tests"]):
        try:
            right = as_test(vector)
        except (PurebpError, ArithmeticError, TypeError, KeyError, AttributeError) as error:
            yield f"{vector.id}: what is given cannot be computed: {error!s:.200}"
            continue
        for key in right:
            if told.get(key) != mapped(right[key], lambda x: x):
                yield f"{vector.id}: {key} is not what it should be"

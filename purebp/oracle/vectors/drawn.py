"""Vectors on cases of the ladder: which activations and losses are asked for, on which rungs, and what is to be refused.

>>> vectors("forward")[0].id
'forward-sigmoid-identity-mse-one-sample'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from purebp.oracle.asking.wire import mapped
from purebp.oracle.cases import Case, ladder
from purebp.oracle.vectors.vector import FORWARDS, Vector

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
LEARNING_RATE = 0.125  # of every step
SUITED = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}


@dataclass(frozen=True, slots=True)
class Setting:
    """Activations and loss, and the rungs of the ladder (by the ids of their cases) on which they are asked for."""

    activations: tuple[str, ...]
    loss: str
    rungs: tuple[str, ...]
    biases: bool = True


def vectors(family: str) -> list[Vector]:
    """All vectors of a family.

    >>> len(vectors("gradients")), vectors("refused")[0].title
    (52, 'an input less than the first layer has columns')
    """
    if family == "refused":
        return list(_refused())
    found = []
    for setting in _settings(family):
        cases = {case.id: case for case in ladder(setting.activations, loss=setting.loss, biases=setting.biases)}
        found += [vector_of(family, setting.activations, setting.loss, cases[rung]) for rung in setting.rungs]
    return found


def _settings(family: str) -> Iterator[Setting]:
    for f in USUAL:
        special = SPECIAL.get(f, "one-neuron-per-layer")
        yield Setting((f, "identity"), "mse", (*SHORT, special))
    yield Setting(("tanh", "softmax"), "cross_entropy", (*SHORT, "square-layers"))
    yield Setting(("tanh", "softmax"), "mse", ("two-samples",))
    yield Setting(("sigmoid",) * 3, "half_sse", ("one-neuron-per-layer", "wider-square-layers"))
    yield Setting(("tanh", "identity"), "mse", ("zeros", "one-sample-wider"))
    yield Setting(("relu", "sigmoid"), "binary_cross_entropy", ("two-samples", "square-layers"), biases=False)
    if family == "loss" or family == "gradients":
        for loss in ("sse", "half_mse", "mae", "huber(0.5)", *REDUCED):
            last = SUITED.get(loss.partition("/")[0], "identity")
            yield Setting(("tanh", last), loss, ("several-outputs",))
    if family != "forward":
        yield Setting(("sigmoid", "sigmoid"), "mse", ("as-many-samples-as-neurons", "a-saturated-neuron"))
        yield Setting(("softplus",), "mse", ("several-outputs",))


def vector_of(family: str, names: Sequence[str], loss: str, case: Case) -> Vector:
    """The case as a vector of the family.

    >>> vector_of("loss", ["tanh"], "mse", ladder(["tanh"])[0]).title
    'tanh, mse, 2-1: one sample'
    """
    layers = [
        {"weights": layer.weights, "biases": layer.biases, "activation": layer.activation.name}
        for layer in case.network.layers
    ]
    given: dict[str, Any] = {"layers": layers, "inputs": case.batch.inputs, "targets": case.batch.targets, "loss": loss}
    if family == "step":
        given["learning_rate"] = LEARNING_RATE
    slug = "-".join(re.findall(r"[a-z0-9]+", f"{family} {' '.join(names)} {loss} {case.id}"))
    title = f"{' → '.join(names)}, {loss}, {'-'.join(map(str, case.network.sizes))}: {case.name}"
    return Vector(slug, title, family, mapped(given, lambda x: x), tuple(_flags(family, case)))


def _flags(family: str, case: Case) -> list[str]:
    """What the case is there for (`about.NOTES`)."""
    sizes, layers = case.network.sizes, case.network.layers
    told = {
        "Kink": case.id == "a-kink" and family not in FORWARDS,
        "Saturated": case.id == "a-saturated-neuron",
        "SquareLayers": any(a == b > 1 for a, b in zip(sizes, sizes[1:])),
        "SeveralSamples": len(case.batch.inputs) > 1,
        "SeveralOutputs": sizes[-1] > 1,
        "NoBiases": layers[0].biases is None,
        "Zeros": case.id == "zeros",
        "Deep": len(layers) > 2,
    }
    return [flag for flag, is_so in told.items() if is_so]


def _refused() -> Iterator[Vector]:
    """A small network and batch, with one thing amiss: an answer to one of these must be an error."""
    case = {case.id: case for case in ladder(("tanh", "identity"))}["several-outputs"]
    given = vector_of("refused", ("tanh", "identity"), "mse", case).given
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

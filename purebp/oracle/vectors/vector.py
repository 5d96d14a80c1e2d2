"""A test vector: what is given, and the families that say what is asked for.

>>> vector = Vector("x", "one neuron", "loss", {
...     "layers": [{"weights": [[2.0]], "biases": None, "activation": "tanh"}],
...     "inputs": [[1.0]], "targets": [[0.0]], "loss": "mse"})
>>> vector.case.network.sizes, vector.declared["activations"], vector.request.in_words("x")
((1, 1), ('tanh',), 'run x 1 1 1 1 mse 0 tanh 0 2.0 1.0 0.0')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.wire import Request, asked
from purebp.oracle.cases import Case
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.network import Batch, Layer, Network

ASKED_FOR = {  # the quantities that an answer to each family must hold
    "forward": ("outputs",),
    "loss": ("outputs", "loss"),
    "deltas": ("deltas",),
    "gradients": ("loss", "gradients"),
    "step": ("step",),
    "refused": (),
}
FAMILIES = tuple(ASKED_FOR)
BUDGETED = ("binary64", "binary32")  # the formats for which files hold budgets
FORWARDS = ("forward", "loss")  # which ask for nothing from the way back


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


def read(document: Any) -> list[Vector]:
    """The vectors in a file; an error if they are none.

    >>> read({"family": "forward", "tests": []})
    []
    """
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

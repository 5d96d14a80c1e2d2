"""What a candidate says to a case: tensors by name in our layout, and findings, which are no numbers.

>>> tensor_name(("weights", 0)), tensor_name(("biases", 1), "step"), tensor_name(("deltas", 1), "step")
('∂loss/∂W¹', 'b² after the step', 'δ²')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from purebp.textbook.arithmetic import Matrix
from purebp.textbook.names import superscript
from purebp.textbook.network import Gradients, Layer, LayerGradients, Network

Key = tuple[str, int]  # what it is ("outputs", "loss", "deltas", "weights", "biases"), and the layer from 0 on
Claim = Mapping[Key, Matrix]  # one row for biases, and one number in it for the loss
ORDER = ("outputs", "loss", "deltas", "weights", "biases")
LOCAL = ("weights", "biases")  # what one tensor alone depends on; on the other steps all gradients do
BROKEN = ("crash", "timeout", "malformed")  # a program that does so gives no wrong number, and no verdict
STEPS = {  # what has a learning rate, and what it is called; ascent and rise have the wrong sign
    "step": "{} after the step",
    "ascent": "{} after the step",
    "change": "change of {}",
    "rise": "change of {}",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not a wrong number: its kind, a sentence, and the case in which it was seen first."""

    kind: str
    sentence: str
    case: str = ""
    fatal: bool = True  # the answer cannot be judged, or the candidate cannot be right


@dataclass(frozen=True, slots=True)
class Answer:
    """What a candidate said to a case: tensors by name in our layout, or the findings that explain why there are none."""

    claim: dict[Key, Matrix] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def fatal(self) -> Finding | None:
        """The first finding for which it cannot be judged."""
        return next((finding for finding in self.findings if finding.fatal), None)


def tensor_name(key: Key, returns: str | None = None) -> str:
    """As in docs/lesson.md; where a step is returned, parameters stand in the place of gradients.

    >>> tensor_name(("weights", 0)), tensor_name(("weights", 0), "step"), tensor_name(("deltas", 1), "step")
    ('∂loss/∂W¹', 'W¹ after the step', 'δ²')
    """
    kind, l = key
    symbols = {"weights": "∂loss/∂W", "biases": "∂loss/∂b", "deltas": "δ"}
    name = symbols[kind] + superscript(l + 1) if kind in symbols else {"outputs": "ŷ"}.get(kind, kind)
    parameter = name.removeprefix("∂loss/∂")
    return STEPS[returns].format(parameter) if returns in STEPS and parameter != name else name


def as_claim(of: Gradients[Any] | Network[Any]) -> dict[Key, Matrix[Any]]:
    """Gradients, or the parameters of a network, as tensors by name."""
    claim: dict[Key, Matrix[Any]] = {}
    layers: Sequence[LayerGradients[Any] | Layer[Any]] = of.layers
    for l, layer in enumerate(layers):
        claim["weights", l] = layer.weights
        if layer.biases is not None:
            claim["biases", l] = [layer.biases]
    return claim


def gradients_in(claim: Claim) -> dict[Key, Matrix]:
    """Weights and biases alone."""
    return {key: rows for key, rows in claim.items() if key[0] in LOCAL}


def same(a: Claim, b: Claim) -> bool:
    """Whether two claims hold the same numbers."""
    return a.keys() == b.keys() and all(list(map(list, a[key])) == list(map(list, b[key])) for key in a)

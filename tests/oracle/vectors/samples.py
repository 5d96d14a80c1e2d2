"""What the tests of vectors share: the files, and the answers of the textbook."""

from __future__ import annotations

import json
from typing import Any

from purebp import Gradients, backpropagation, evaluate, forward, sgd_step
from purebp.oracle.vectors.files import load, shipped
from purebp.oracle.vectors.vector import FAMILIES, Vector

FILES = {family: json.loads(shipped(f"{family}.json")) for family in FAMILIES}
TESTS = [(vector, test) for family in FAMILIES for vector, test in zip(load(family), FILES[family]["tests"])]
ANSWERED = [(vector, test) for vector, test in TESTS if vector.family != "refused"]


def numbers(x: Any) -> list[float]:
    if isinstance(x, dict):
        x = list(x.values())
    return [y for item in x for y in numbers(item)] if isinstance(x, list) else [x] if isinstance(x, float) else []


def answer(vector: Vector, gradients: Gradients) -> dict[str, Any]:
    """What an implementation says whose gradients these are."""
    case, given = vector.case, vector.given
    stepped = sgd_step(case.network, gradients, given["learning_rate"]) if vector.family == "step" else gradients

    def layers(of: Any) -> list[dict[str, Any]]:
        return [{"weights": listed(x.weights), "biases": x.biases and list(x.biases)} for x in of.layers]

    made: dict[str, Any] = {
        "outputs": lambda: listed(forward(case.network, case.batch.inputs).outputs),
        "loss": lambda: evaluate(case.network, case.batch, given["loss"]),
        "deltas": lambda: [listed(layer.deltas) for layer in gradients.layers],
        "gradients": lambda: layers(gradients),
        "step": lambda: layers(stepped),
    }
    return {name: made[name]() for name in FILES[vector.family]["tests"][0]["expected"]}


def listed(rows: Any) -> list[list[float]]:
    return [list(row) for row in rows]


def right(vector: Vector) -> Gradients:
    return backpropagation(vector.case.network, vector.case.batch, vector.given["loss"])

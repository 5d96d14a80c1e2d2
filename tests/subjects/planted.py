"""Backpropagation with a mistake of the catalogue, as a program: python -m tests.subjects.planted NAME LAYER ..."""

from __future__ import annotations

import sys
from typing import Any

from purebp import FLOAT, Batch, Layer, Network
from purebp.oracle.explaining.catalogue import CATALOGUE
from purebp.oracle.explaining.recipe import Recipe, planted, run
from purebp.textbook.arithmetic import PurebpError
from tests.subjects.server import serve


def main() -> None:
    name, *layers = sys.argv[1:]
    recipe = planted(CATALOGUE[name], set(map(int, layers)))

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        network = Network(Layer(layer["weights"], layer["biases"], layer["activation"]) for layer in given["layers"])
        batch = Batch(given["inputs"], given["targets"])
        try:
            found = run(recipe, network, batch, given["loss"], FLOAT)
        except (PurebpError, ArithmeticError):  # the mistake cannot be made in this network
            found = run(Recipe(), network, batch, given["loss"], FLOAT)
        return {"gradients": [{"weights": layer.weights, "biases": layer.biases} for layer in found.layers]}

    serve(answer)


if __name__ == "__main__":
    main()

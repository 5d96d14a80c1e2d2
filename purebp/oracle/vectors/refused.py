"""Vectors that make no sense: an answer to one of these must be an error.

>>> next(refused()).title
'an input less than the first layer has columns'
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from purebp.oracle.cases import ladder
from purebp.oracle.vectors.drawn import vector_of
from purebp.oracle.vectors.vector import Vector


def refused() -> Iterator[Vector]:
    """A small network and batch, with one thing amiss.

    >>> len(list(refused()))
    10
    """
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

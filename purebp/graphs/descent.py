"""`sgd_step` of the parameters of a graph: a dictionary, whose keys find their gradients.

>>> from purebp.graph import Parameter, backward_graph
>>> w = Parameter("w")
>>> sgd_step({w: 3.0}, backward_graph(w * w, {w: 3.0}), 0.25)[w]
1.5
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from purebp.graphs.tensors import entrywise, paired
from purebp.textbook.arithmetic import Arithmetic
from purebp.textbook.optimizers import descended, sgd_step

__all__ = ["sgd_step"]


@descended.register(Mapping)
def _(parameters: Mapping[Any, Any], gradients: Any, rate: Any, arithmetic: Arithmetic[Any]) -> dict[Any, Any]:
    """w ← w − η g for every entry of every tensor; a new dictionary."""
    return {
        key: entrywise(lambda w, g: w - rate * g, *paired(str(key), value, gradients[key], arithmetic))
        for key, value in parameters.items()
    }

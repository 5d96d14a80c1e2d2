"""Classes of nodes, values or layers in a namespace, found by their shape and not by the names of one author.

Three kinds are known: node classes with `forward()` and `backward()` over the nodes that come into them, as in MiniFlow;
a value with operators and `backward()`, as in micrograd; layer objects with `forward(x)` and `backward(grad)`.

>>> nodes_in({"x": 1}) is None
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from purebp.oracle.asking.flow_nodes import find_flow
from purebp.oracle.asking.layer_nodes import find_layers
from purebp.oracle.asking.trials import Trial
from purebp.oracle.asking.value_nodes import find_values


@dataclass(frozen=True, slots=True)
class Nodes:
    """What was found: its kind, each class with what it computes, and the trials that they are put to."""

    kind: str
    told: tuple[str, ...]
    trials: tuple[Trial, ...]
    unknown: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What was found, in one sentence."""
        more = f"; what {', '.join(self.unknown)} computes is not known" if self.unknown else ""
        return f"Found {self.kind}: {', '.join(self.told)}{more}."


FINDERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "a class of values with operators and backward()": find_values,
    "node classes with forward() and backward()": find_flow,
    "layers with forward(x) and backward(grad)": find_layers,
}


def nodes_in(namespace: Mapping[str, Any]) -> Nodes | None:
    """The classes of nodes, values or layers in a namespace; `None` if there is nothing of that kind.

    To see what a class computes, it is tried on a few numbers.
    """
    for kind, find in FINDERS.items():
        found = find(namespace)
        if found is not None:
            return Nodes(kind, tuple(found.told), tuple(found.trials()), tuple(found.unknown))
    return None

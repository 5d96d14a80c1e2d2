"""Networks as JSON text, exactly: every float is written with the digits that bring the same bits back.

>>> network = Network([Layer([[0.1, -2.5]], None, "leaky_relu(0.01)")])
>>> to_json(network)
'{"layers": [{"activation": "leaky_relu(0.01)", "weights": [[0.1, -2.5]], "biases": null}]}'
>>> from_json(to_json(network)) == network
True
>>> from_json('{"layers": [{"activation": "tanh", "weights": [[0.1, "2"]], "biases": null}]}')
Traceback (most recent call last):
  ...
purebp.textbook.arithmetic.PurebpError: layers[0].weights[0][1] is the text '2': a finite number is wanted
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from math import isfinite
from typing import Any, TypeVar

from purebp.textbook.activations import activation
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.network import Layer, Network

T = TypeVar("T")
DEEPEST = 20  # levels of nesting


def to_json(network: Network) -> str:
    """The network as one line of JSON: {"layers": [{"activation", "weights", "biases"}, …]}."""
    layers = []
    for l, layer in enumerate(network.layers):
        if activation(layer.activation.name) != layer.activation:
            raise PurebpError(f"layers[{l}].activation: {layer.activation.name!r} cannot be found again by its name")
        layers.append({"activation": layer.activation.name, "weights": layer.weights, "biases": layer.biases})
    if not all(isinstance(x, float) and isfinite(x) for x in network.parameters()):
        raise PurebpError("a network with infinite, NaN or non-float parameters has no JSON form")
    return json.dumps({"layers": layers})


def from_json(text: str) -> Network:
    """The network that `to_json` wrote; what is malformed is refused with the path of the offending value."""
    document = parsed(text)
    layers = []
    for l, item in enumerate(_list("layers", _keys("the network", document, "layers")["layers"])):
        place = f"layers[{l}]"
        item = _keys(place, item, "activation", "weights", "biases")
        rows = [
            _vector(f"{place}.weights[{j}]", row) for j, row in enumerate(_list(f"{place}.weights", item["weights"]))
        ]
        biases = None if item["biases"] is None else _vector(f"{place}.biases", item["biases"])
        if not isinstance(item["activation"], str):
            raise _wanted(f"{place}.activation", item["activation"], 'a name such as "tanh"')
        f = _within(f"{place}.activation", activation, item["activation"])
        layers.append(_within(place, Layer, rows, biases, f))
    return Network(layers)


def parsed(text: str) -> Any:
    """A JSON document, with every number as a float; no key may stand twice in one object.

    >>> parsed('{"sizes": [2, 3.5]}')
    {'sizes': [2.0, 3.5]}
    """
    too_deep = PurebpError(f"the JSON is nested too deeply: {DEEPEST} levels are enough")
    try:
        document = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_object, parse_int=float)
    except RecursionError:
        raise too_deep from None
    except json.JSONDecodeError as error:
        raise PurebpError(f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    level: list[Any] = [[document]]
    for _ in range(DEEPEST + 1):
        level = [y for x in level for y in (x.values() if isinstance(x, dict) else x) if isinstance(y, (dict, list))]
    if level:
        raise too_deep
    return document


def _within(place: str, make: Callable[..., T], *given: Any) -> T:
    try:
        return make(*given)
    except PurebpError as error:
        raise PurebpError(f"{place}: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise PurebpError(f"the key {twice!r:.60} stands twice in one object")
    return found


def _keys(place: str, value: Any, *keys: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wanted(place, value, f"an object with {', '.join(keys)}")
    if set(value) != set(keys):
        raise PurebpError(f"{place} has the keys {sorted(value)}: exactly {sorted(keys)} are wanted")
    return value


def _list(place: str, value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _wanted(place, value, "a list that is not empty")
    return value


def _vector(place: str, value: Any) -> list[float]:
    for j, x in enumerate(_list(place, value)):
        if not isinstance(x, float) or not isfinite(x):
            raise _wanted(f"{place}[{j}]", x, "a finite number")
    return list(value)


def _wanted(place: str, value: Any, wanted: str) -> PurebpError:
    kinds: dict[type, str] = {str: "the text ", dict: "the object ", list: "the list "}
    return PurebpError(f"{place} is {kinds.get(type(value), '')}{value!r:.60}: {wanted} is wanted")

"""JSON: exact there and back, and what is malformed is refused with the path of the offending value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from purebp import Layer, Network, PurebpError, from_json, to_json
from purebp.textbook.activations import Elementwise, tanh
from purebp.textbook.arithmetic import Function
from purebp.textbook.serialization import parsed
from tests.strategies import ACTIVATIONS, Exercise, cases

EXTREMES = [-0.0, 5e-324, -2.2250738585072014e-308, 1e308, 0.1, 1 / 3, 1e16 + 2]
NETWORK = Network([Layer([[0.5, -1.0, 2.0]] * 2, [0.25, 1.0], "tanh"), Layer([[2.0, 1.0]], None, "leaky_relu(0.25)")])
Key = str | int
Path = tuple[Key, ...]


def written(path: Path) -> str:
    """The path as the messages write it: layers[0].weights[1][2]."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def at(path: Path) -> Any:
    """What stands there in the JSON of NETWORK."""
    return reduce(lambda place, key: place[key], path, json.loads(to_json(NETWORK)))


def paths(document: Any, head: Path = ()) -> Iterator[Path]:
    """Every place in a JSON document but the whole."""
    for key, value in document.items() if isinstance(document, dict) else enumerate(document):
        yield (*head, key)
        if isinstance(value, (dict, list)):
            yield from paths(value, (*head, key))


def mutated(path: Path, mutate: Callable[[Any, Key], None]) -> str:
    """The JSON of NETWORK, changed at the path."""
    document = place = json.loads(to_json(NETWORK))
    for key in path[:-1]:
        place = place[key]
    mutate(place, path[-1])
    return json.dumps(document)


PATHS = list(paths(json.loads(to_json(NETWORK))))
NUMBERS = [path for path in PATHS if len(path) == 5 or path[2:3] == ("biases",) and len(path) == 4]


@given(cases())
def test_from_json_is_the_inverse_of_to_json(case: Exercise) -> None:
    assert from_json(to_json(case.network)) == case.network


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.sampled_from(ACTIVATIONS))
@example(EXTREMES, "relu")
def test_every_float_comes_back_with_the_same_bits(weights: list[float], name: str) -> None:
    network = Network([Layer([weights], [-0.0], name)])
    assert repr(from_json(to_json(network))) == repr(network)  # == takes −0.0 for 0.0


def test_spaces_order_and_integers_do_not_matter() -> None:
    text = ' {"layers" : [\n {"biases": [3], "weights": [[1, 2e0]], "activation": "elu"} ]}\n'
    assert from_json(text) == Network([Layer([[1.0, 2.0]], [3.0], "elu(1.0)")])


@pytest.mark.parametrize("path", PATHS, ids=written)
def test_what_is_of_another_kind_is_refused_with_its_path(path: Path) -> None:
    kinds: list[Any] = [True, {"a": 1}, "1", 7.0, None]
    for wrong in [[], *(x for x in kinds if type(x) is not type(at(path)) and (x is not None or path[-1] != "biases"))]:
        with pytest.raises(PurebpError, match=re.escape(written(path)) + "(?![.[])"):
            from_json(mutated(path, lambda place, key: place.__setitem__(key, wrong)))


@pytest.mark.parametrize("path", NUMBERS, ids=written)
def test_what_is_no_finite_float_is_refused_with_its_path(path: Path) -> None:
    text = mutated(path, lambda place, key: place.__setitem__(key, "here"))
    for digits in ("NaN", "Infinity", "-Infinity", "1e999", "-" + "9" * 400):
        with pytest.raises(PurebpError, match=re.escape(written(path))):
            from_json(text.replace('"here"', digits))


@pytest.mark.parametrize("path", [path for path in PATHS if isinstance(path[-1], str)], ids=written)
def test_keys_that_are_missing_or_unknown_are_refused_with_their_place(path: Path) -> None:
    for change in (lambda place, key: place.pop(key), lambda place, key: place.update({key + "s": 1})):
        with pytest.raises(PurebpError, match=str(path[-1])) as refusal:
            from_json(mutated(path, change))
        assert written(path[:-1]) in str(refusal.value)


@pytest.mark.parametrize("key", ["layers", "activation", "weights", "biases"])
def test_a_key_that_stands_twice_is_refused(key: str) -> None:
    with pytest.raises(PurebpError, match=f"'{key}' stands twice"):
        from_json(to_json(NETWORK).replace(f'"{key}": ', f'"{key}": null, "{key}": ', 1))


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        (
            ("layers", 1, "activation"),
            lambda place, key: place.update({key: "rely"}),
            r"layers\[1\]\.activation.*'rely'",
        ),
        (
            ("layers", 0, "weights", 1),
            lambda place, key: place[key].pop(),
            r"layers\[0\].*ragged: row 0 has 3 numbers, row 1 has 2",
        ),
        (
            ("layers", 0, "biases"),
            lambda place, key: place[key].pop(),
            r"layers\[0\].*weights are \(2, 3\), biases \(1,\)",
        ),
        (("layers", 0), lambda place, key: place.reverse(), r"weights \(1, 2\) in layer 0, \(2, 3\) in layer 1"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_layer(
    path: Path, change: Callable[[Any, Key], None], message: str
) -> None:
    with pytest.raises(PurebpError, match=message):
        from_json(mutated(path, change))


@given(st.text())
@example("")
@example("[" * 100_000)
@example('{"layers": [{}]}')
@example("null")
@example("\ufeff{}")
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(PurebpError):
        from_json(text)


@given(st.integers(0, len(to_json(NETWORK)) - 1))
def test_a_file_cut_short_is_refused(length: int) -> None:
    with pytest.raises(PurebpError, match="not JSON"):
        from_json(to_json(NETWORK)[:length])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1 + 2j])
def test_what_json_cannot_hold_is_not_written(value: Any) -> None:
    with pytest.raises(PurebpError, match="has no JSON form"):
        to_json(Network([Layer([[value]], None, "relu")]))


def test_an_activation_of_ones_own_is_not_written() -> None:
    square = Elementwise("square", Function("square", lambda z, on: z * z), Function("square′", lambda z, on: 2 * z))
    with pytest.raises(PurebpError, match="square"):
        to_json(Network([Layer([[1.0]], None, square)]))


def test_twenty_levels_are_read_and_no_more() -> None:
    deep = "[" * 20 + "]" * 20
    assert parsed(deep)
    with pytest.raises(PurebpError, match="nested too deeply: 20 levels are enough"):
        parsed(f"[{deep}]")


def test_an_activation_of_ones_own_cannot_be_found_again() -> None:
    with pytest.raises(PurebpError, match=r"layers\[0\].activation: 'sigmoid' cannot be found again by its name"):
        to_json(Network([Layer([[1.0]], None, Elementwise("sigmoid", tanh.value, tanh.derivative))]))

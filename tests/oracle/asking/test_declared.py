"""Declarations: one table, from which Python, the command line, files and hellos read the same."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from inspect import signature
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebp import FLOAT, Activation, Layer, Loss, Network, PurebpError, activation, backpropagation, loss
from purebp.cli import parser
from purebp.cli.check import declared as on_the_command_line
from purebp.number_systems.formats import BFLOAT16, BINARY64, FORMATS, Format
from purebp.oracle import check
from purebp.oracle.answer import as_claim
from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import DECLARATIONS, Declared, agreed, argument, arguments, declaration, option
from purebp.oracle.asking.penalty import Penalty
from purebp.oracle.asking.wire import asked, read_hello
from purebp.oracle.cases import ladder
from purebp.testing.strategies import ACTIVATIONS, losses
from purebp.textbook.activations import Elementwise
from purebp.textbook.arithmetic import Function

FUNCTIONS = st.sampled_from([*ACTIVATIONS, "leaky_relu(0.01)"]).map(activation)
WIDTHS = st.integers(1, 10**9)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "activations": FUNCTIONS | st.lists(FUNCTIONS, min_size=1, max_size=4).map(tuple),
    "loss": losses(),
    "returns": st.sampled_from(["gradients", "descent", "step"]),
    "learning_rate": st.floats(1e-30, 1e30),
    "momentum": st.floats(0.001, 0.999),
    "penalty": st.builds(
        Penalty, st.floats(1e-9, 1e9).map(lambda x: Fraction(f"{x:.6g}")), st.booleans(), st.booleans()
    ),
    "sizes": st.lists(WIDTHS, min_size=2, max_size=4).map(tuple),
    "biases": st.sampled_from([True, False, "columns", (False, True), (True, False, True), ("columns", False)]),
    "outputs": WIDTHS,
    "batch": WIDTHS,
    "inputs": st.sampled_from(DECLARATIONS["inputs"].choices),
    "targets": st.sampled_from(DECLARATIONS["targets"].choices),
    "weights": st.sampled_from(["out_in", "in_out"]),
    "samples": st.sampled_from(["rows", "columns", "vector"]),
    "arrays": st.sampled_from(["numpy", "torch", "jax"]),
    "format": st.sampled_from(list(FORMATS.values())),
    "stored": st.sampled_from(["once", "every-step"]),
    "strict": st.booleans(),
}
SOME = st.fixed_dictionaries({}, optional=VALUES)
WHOLE = Declared("relu", learning_rate=0.5, batch=1)  # with which every declaration agrees


def test_every_field_has_its_row_and_check_takes_them_all() -> None:
    assert {each.name for each in fields(Declared)} == DECLARATIONS.keys() == VALUES.keys()
    assert signature(check).parameters.keys() >= DECLARATIONS.keys()


@given(SOME)
def test_words_of_the_command_line_are_read_back(values: dict[str, Any]) -> None:
    words = [word for name, value in values.items() for word in option(name, value)]
    args = parser(["check"]).parse_args(["check", "mine.py", *words])
    assert on_the_command_line(args) == values


@given(SOME)
def test_arguments_of_python_are_read_back(values: dict[str, Any]) -> None:
    text = ", ".join(argument(name, value) for name, value in values.items())
    said = eval(f"dict({text})")
    assert {name: declaration(name, x) for name, x in said.items()} == values


@given(SOME)
def test_words_of_a_hello_are_read_back(values: dict[str, Any]) -> None:
    values.pop("arrays", None)
    words = []
    for name, value in values.items():
        (*_, last) = option(name, value)
        text = str(value).lower() if isinstance(value, bool) else "columns" if value == "columns" else last
        words.append(f"{name}={text}" + "," * (isinstance(value, tuple) and len(value) == 1))
    declares = read_hello(" ".join(["hello 1 mine", *words])).declares
    for name, value in values.items():
        if isinstance(value, tuple) and len(value) == 1:
            continue  # a single name is that of networks of any depth, here and in Python
        assert declaration(name, declares[name]) == value


@given(SOME)
def test_what_is_held_is_held_when_it_is_read_again(values: dict[str, Any]) -> None:
    if "stored" in values:
        values["format"] = BFLOAT16
    if "momentum" in values:
        values["returns"] = "step"
    if isinstance(values.get("biases"), tuple):
        values["activations"] = (activation("relu"),) * len(values["biases"])
    whole = replace(WHOLE, **{**values, "batch": 1 if values.get("samples") == "vector" else values.get("batch")})
    assert replace(whole) == whole == Declared(**{each.name: getattr(whole, each.name) for each in fields(whole)})


def test_an_unknown_declaration_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(PurebpError, match="'activation' is no declaration; known are") as refused:
        declaration("activation", "relu")
    assert all(name in str(refused.value) for name in DECLARATIONS)


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("activations", ["tanh", "swish"], "unknown activation 'swish'"),
        ("activations", 5, "unknown activation 5"),
        ("activations", "", "unknown activation ''"),
        ("loss", ["mse"], "unknown loss"),
        ("sizes", "2,x", "'x' is not a whole number above 0: whole numbers above 0 are wanted"),
        ("sizes", 2.5, "whole numbers above 0 are wanted"),
        ("sizes", 5, "at least two widths are wanted"),
        ("sizes", [2, 10**10], "10000000000 is not a whole number above 0, or too large"),
        ("batch", 0, "at least one"),
        ("batch", "1.5", "'1.5' is not a whole number above 0"),
        ("learning_rate", "fast", "'fast' is no learning rate: a positive number is wanted"),
        ("learning_rate", float("nan"), "a positive number is wanted"),
        ("learning_rate", 10**400, "a positive number is wanted"),
        ("biases", "rows", "'rows' is none of True, False and \"columns\""),
        ("biases", "no,maybe", "'maybe' is none of True, False and \"columns\""),
        ("biases", [], "[] is none of"),
        ("momentum", 1, "1 is no momentum: a number between 0 and 1 is wanted"),
        ("momentum", "much", "'much' is no momentum"),
        ("penalty", "much", "'much' is no penalty: a positive number is wanted"),
        ("penalty", "0.01/m", "or one divided by the samples, such as 0.01/n"),
        ("penalty", "0.01,some", "0.01,all is on the biases too"),
        ("penalty", 0, "a positive number is wanted"),
        ("format", "binary33", "unknown format 'binary33'"),
        ("format", [], "unknown format '[]'"),
    ],
)
def test_a_reader_says_what_is_given_and_what_is_wanted(name: str, given: Any, told: str) -> None:
    with pytest.raises(PurebpError) as refused:
        declaration(name, given)
    assert told in str(refused.value)
    with pytest.raises(PurebpError) as refused:
        Declared(**{name: given})
    assert f"{name}=" in str(refused.value) and told in str(refused.value)


@pytest.mark.parametrize("name", ["weights", "samples", "returns", "arrays"])
@pytest.mark.parametrize("given", ["diagonal", 3, ["rows"]])
def test_a_choice_is_one_of_those_in_the_table(name: str, given: Any) -> None:
    with pytest.raises(PurebpError) as refused:
        Declared(**{name: given})
    assert all(repr(choice) in str(refused.value) for choice in (given, *DECLARATIONS[name].choices))


@pytest.mark.parametrize("name", ["weights", "samples", "biases", "format"])
def test_what_has_a_default_is_not_left_open(name: str) -> None:
    nothing: dict[str, Any] = {name: None}
    with pytest.raises(PurebpError, match=f"{name}=None"):
        Declared(**nothing)


def test_declarations_agree_or_are_refused() -> None:
    assert agreed({"samples": "vector", "activations": "tanh"}) == {
        "batch": 1,
        "samples": "vector",
        "activations": activation("tanh"),
    }
    for contrary in ({"samples": "vector", "batch": 2}, {"returns": "step"}, {"momentum": 0.9}):
        with pytest.raises(PurebpError):
            agreed(contrary)


def test_a_single_activation_is_that_of_every_depth() -> None:
    relu, tanh = activation("relu"), activation("tanh")
    assert Declared("relu").per_layer(3) == Declared(relu).per_layer(3) == (relu, relu, relu)
    assert Declared(["relu"]).per_layer(3) == Declared("relu,tanh").per_layer()[:1] == (relu,)
    assert Declared("relu, ...").activations == Declared(["relu", "..."]).activations == relu
    assert Declared([relu, "tanh"]).activations == (relu, tanh)
    with pytest.raises(PurebpError, match="no activations are declared: give one for each layer"):
        Declared().per_layer()


@given(FUNCTIONS, st.lists(st.integers(1, 5), min_size=2, max_size=5))
def test_widths_decide_how_many_layers_a_single_activation_is_that_of(f: Activation, sizes: list[int]) -> None:
    """In a hello, on the command line, in a file and in Python."""
    depth = len(sizes) - 1
    widths = ",".join(map(str, sizes))
    hello = read_hello(f"hello 1 mine activations={f.name} sizes={widths}").declares
    words = ["check", "mine.py", "--activations", f"{f.name},...", "--sizes", widths]
    said: list[dict[str, Any]] = [
        {name: declaration(name, value) for name, value in hello.items()},
        on_the_command_line(parser(["check"]).parse_args(words)),
        {"activations": f, "sizes": sizes},
        {"activations": f.name, "sizes": tuple(sizes)},
    ]
    for declared in said:
        whole = Declared(**agreed(declared))
        assert whole.activations == (f,) * depth == whole.per_layer(depth)
        if sizes[-1] > 1 or not f.distribution:
            assert (
                {case.sizes for case in whole.ladder()[:3]}
                == {tuple(sizes)}
                == {case.sizes for case in ladder(f, sizes=sizes)[:3]}
            )


@pytest.mark.parametrize("activations", ["relu", ["relu", "softmax"]])
def test_the_cases_are_those_of_the_ladder(activations: Any) -> None:
    declared = Declared(activations, biases="columns", batch=2)
    assert declared.ladder(7) == ladder(activations, biases=True, batch=2, seed=7)


# Objects from outside the package.


SQUARE: Activation = Elementwise(
    "square", Function("square", lambda z, on: z * z), Function("2 z", lambda z, on: z + z)
)
FOURTH = Loss("fourth", "sum", lambda p, t, on: (p - t) * (p - t) * (p - t) * (p - t), lambda p, t, on: 4 * (p - t))
SHORT = Format("binary24", 17, -62, 63, 17)


def test_objects_from_outside_are_asked_for_as_those_of_the_package_are() -> None:
    declared = Declared(SQUARE, FOURTH, format=SHORT)
    assert (declared.per_layer(2), declared.loss, declared.format) == ((SQUARE, SQUARE), FOURTH, SHORT)
    for case in declared.ladder()[:4]:
        assert {layer.activation for layer in case.network.layers} == {SQUARE}

        def candidate(weights: Any, biases: Any, inputs: Any, targets: Any) -> Any:
            network = Network([Layer(w, b, SQUARE) for w, b in zip(weights, biases)])
            return backpropagation(network, replace(case.batch, inputs=inputs, targets=targets), FOURTH, FLOAT)

        answer = ask(candidate, case, declared)
        right = as_claim(backpropagation(case.network, case.batch, FOURTH, FLOAT))
        expected = {key: [list(row) for row in rows] for key, rows in right.items()}
        assert answer.findings == () and {key: answer.claim[key] for key in expected} == expected


def test_their_names_are_said_on_the_pipe_and_in_words() -> None:
    declared = Declared((SQUARE, activation("tanh")), FOURTH, format=SHORT)
    case = declared.ladder()[0]
    given = asked(arguments(case, declared), declared).given
    assert [layer["activation"] for layer in given["layers"]] == ["square", "tanh"] and given["loss"] == "fourth"
    words = [option(name, getattr(declared, name)) for name in ("activations", "loss", "format")]
    assert words == [["--activations", "square,tanh"], ["--loss", "fourth"], ["--format", "binary24"]]


def test_a_format_without_arrays_is_said() -> None:
    pytest.importorskip("numpy")
    with pytest.raises(PurebpError, match="numpy has no binary24, which binary24 needs"):
        arguments(Declared("tanh").ladder()[0], Declared("tanh", format=SHORT, arrays="numpy"))


# How a candidate is called.


OF_TWO = st.sampled_from([True, False, "columns", (False, True), ("columns", False)])


@given(st.sampled_from(["out_in", "in_out"]), st.sampled_from(["rows", "columns"]), OF_TWO)
def test_every_layout_holds_the_same_numbers(weights: str, samples: str, biases: Any) -> None:
    declared = Declared(["tanh", "identity"], biases=biases, weights=weights, samples=samples)
    for case in declared.ladder()[:3]:
        found, b, x, y = arguments(case, declared)
        turned = [list(zip(*w)) if weights == "in_out" else [tuple(row) for row in w] for w in found]
        assert turned == [list(layer.weights) for layer in case.network.layers]
        for said, rows in ((x, case.batch.inputs), (y, case.batch.targets)):
            assert (list(zip(*said)) if samples == "columns" else list(map(tuple, said))) == list(rows)
        if not biases:
            assert b is None
        else:
            column = biases == "columns" or (isinstance(biases, tuple) and "columns" in biases)
            flat = [[v for (v,) in vector] if vector and column else vector for vector in b]
            assert flat == [None if layer.biases is None else list(layer.biases) for layer in case.network.layers]


def test_a_vector_is_the_only_sample() -> None:
    declared = Declared(["tanh"], samples="vector", batch=1)
    case = declared.ladder()[0]
    *_, x, y = arguments(case, declared)
    assert (tuple(x), tuple(y)) == (case.batch.inputs[0], case.batch.targets[0])


def test_what_is_not_declared_has_its_default() -> None:
    assert Declared() == Declared(format="binary64") and Declared().format is BINARY64
    assert Declared(loss="sse").loss == loss("sse")


def test_biases_of_each_layer_are_as_many_as_there_are_layers() -> None:
    for said in ("no,yes", [False, True], ["no", "yes"], (False, True)):
        declared = Declared(("tanh", "identity"), biases=said)
        assert declared.biases == (False, True)
        assert {tuple(layer.biases is not None for layer in c.network.layers) for c in declared.ladder()} == {
            (False, True)
        }
    assert declaration("biases", [True, True]) is True and declaration("biases", "no,no") is False
    for functions in (("tanh",), "tanh"):
        with pytest.raises(PurebpError, match="are of 2 layers, and there are .*: give one for each layer"):
            Declared(functions, biases=(False, True))


@pytest.mark.parametrize(
    ("words", "biases", "files"),
    [
        (["--biases", "mine.py"], True, ["mine.py"]),
        (["mine.py", "--biases"], True, ["mine.py"]),
        (["--biases", "no,yes", "mine.py"], (False, True), ["mine.py"]),
        (["--biases=no,yes", "mine.py"], (False, True), ["mine.py"]),
        (["--no-biases", "mine.py"], False, ["mine.py"]),
        (["--bias-columns", "mine.py"], "columns", ["mine.py"]),
        (["mine.py"], None, ["mine.py"]),
    ],
)
def test_biases_are_followed_by_a_list_or_by_a_file(words: list[str], biases: Any, files: list[str]) -> None:
    args = parser(["check"]).parse_args(["check", *words])
    assert on_the_command_line(args).get("biases") == biases and args.files == files

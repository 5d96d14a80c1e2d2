"""The panel of peers finds what docs/peers.md says, and a second look, by other means, finds the same."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from functools import partial
from importlib import import_module
from math import atanh, exp, isclose
from pathlib import Path
from typing import Any

import pytest

from purebp.oracle import check
from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import Declared
from purebp.oracle.asking.subject import Subject
from purebp.oracle.cases import Case, ladder
from tests.peers.panel import ABSENT, DOCUMENT, HERE, NUMBERS, PANEL, Peer, Row, asked, document

ROWS = [Row(**row) for row in json.loads(NUMBERS.read_text(encoding="utf-8"))]
SIGMOIDS = ("sigmoid", "sigmoid")
RATE = 0.125


def test_the_document_is_made_of_the_numbers() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(ROWS)


@pytest.mark.parametrize(
    ("peer", "row"), list(zip(PANEL, ROWS, strict=True)), ids=lambda x: getattr(x, "arguments", "")
)
def test_a_peer_is_found_as_the_document_says(peer: Peer, row: Row) -> None:
    """Words and versions as they stand there, numbers within an order of magnitude."""
    found = asked(peer)
    if found.verdict == "not installed":
        pytest.skip(found.found)
    assert (found.name, found.version, found.how, found.arguments) == (row.name, row.version, row.how, row.arguments)
    assert (found.verdict, found.found, found.format) == (row.verdict, row.found, row.format)
    assert (found.bits is None) == (row.bits is None)
    if found.bits is not None and row.bits is not None:
        assert abs(found.bits - row.bits) < 3.4
    assert found.share is not None and row.share is not None and row.share / 10 <= found.share <= 10 * row.share
    assert found.sees == row.sees  # budgets are the same on every machine


def test_without_a_node_that_is_new_enough_a_peer_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synaptic, node = next(peer for peer in PANEL if peer.name == "synaptic"), tmp_path / "node"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (asked(synaptic).verdict, "node" in asked(synaptic).found) == ("not installed", True)
    node.write_text("#!/bin/sh\necho v16.20.2\n", encoding="utf-8")
    node.chmod(0o755)
    assert (asked(synaptic).verdict, "v16.20.2 is here" in asked(synaptic).found) == ("not installed", True)


# Second looks: steps by hand, in plain arithmetic, and differences between two settings of a peer.


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z))


def right_slope(a: float) -> float:
    return a * (1 - a)


def stepped_by_hand(
    case: Case,
    error: Callable[[float, float], float] = lambda a, y: (a - y) * right_slope(a),
    slope: Callable[[float], float] = right_slope,
    through_new_weights: bool = False,
) -> list[float]:
    """Two layers of sigmoid after a step on one sample: weights and biases, layer by layer. error: δ at an output."""
    (w1, b1), (w2, b2) = ((layer.weights, layer.biases or ()) for layer in case.network.layers)
    [x], [y] = case.batch.inputs, case.batch.targets
    hidden = [sigmoid(sum(w * u for w, u in zip(row, x)) + b) for row, b in zip(w1, b1)]
    outputs = [sigmoid(sum(w * u for w, u in zip(row, hidden)) + b) for row, b in zip(w2, b2)]
    delta2 = [error(a, t) for a, t in zip(outputs, y)]
    new2 = [[w - RATE * d * h for w, h in zip(row, hidden)] for row, d in zip(w2, delta2)]
    passed = new2 if through_new_weights else w2
    delta1 = [sum(d * row[i] for d, row in zip(delta2, passed)) * slope(h) for i, h in enumerate(hidden)]
    new1 = [[w - RATE * d * u for w, u in zip(row, x)] for row, d in zip(w1, delta1)]
    biases = [[b - RATE * d for b, d in zip(*pair)] for pair in ((b1, delta1), (b2, delta2))]
    return [z for rows, b in zip((new1, new2), biases) for row in (*rows, b) for z in row]


def answers(command: list[str], cases: tuple[Case, ...]) -> list[list[float]]:
    """What a program returns, in the same order."""
    declared = Declared(SIGMOIDS, batch=1, returns="step", learning_rate=RATE)
    with Subject([command[0], *(str(HERE / part) if "/" in part else part for part in command[1:])]) as subject:
        found = [ask(subject.candidate(declared), case, declared).claim for case in cases]
    keys = [(kind, l) for l in (0, 1) for kind in ("weights", "biases")]
    return [[z for key in keys for row in claim[key] for z in row] for claim in found]


def agree(found: list[float], by_hand: list[float]) -> bool:
    return all(isclose(x, y, rel_tol=1e-13, abs_tol=1e-13) for x, y in zip(found, by_hand, strict=True))


def needs(name: str) -> None:
    peer = next(peer for peer in PANEL if peer.name == name)
    try:
        peer.version(peer.package)
        peer.build()
    except ABSENT as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("mode", [[], ["neurons"]])
def test_synaptic_passes_the_error_down_through_new_weights(mode: list[str]) -> None:
    needs("synaptic")
    cases = ladder(SIGMOIDS, batch=1)
    for case, found in zip(cases, answers(["node", "adapters/synaptic.cjs", *mode], cases)):
        assert agree(found, stepped_by_hand(case, lambda a, y: a - y, through_new_weights=True))
        assert not agree(found, stepped_by_hand(case, lambda a, y: a - y))


def test_fann_clips_its_derivative() -> None:
    needs("FANN")
    cases = ladder(SIGMOIDS, batch=1)
    program = [str(HERE / "build" / "fann"), "linear"]
    right = [agree(found, stepped_by_hand(case)) for case, found in zip(cases, answers(program, cases))]
    assert [case.name for case, fits in zip(cases, right) if not fits] == ["a saturated neuron"]
    low, high = struct.unpack("2f", struct.pack("2f", 0.01, 0.99))  # its bounds are in single precision

    def clipped(a: float) -> float:
        return right_slope(min(max(a, low), high))

    for case, found in zip(cases, answers(program, cases)):
        assert agree(found, stepped_by_hand(case, lambda a, y: (a - y) * clipped(a), clipped))


def test_fann_exaggerates_its_error() -> None:
    needs("FANN")
    cases = tuple(case for case in ladder(SIGMOIDS, batch=1) if case.name != "a saturated neuron")
    for case, found in zip(cases, answers([str(HERE / "build" / "fann")], cases)):
        assert agree(found, stepped_by_hand(case, lambda a, y: 2 * atanh(a - y) * right_slope(a)))


def test_single_precision_is_the_custom() -> None:
    torch, jax, keras = map(import_module, ("torch", "jax", "keras"))
    assert torch.tensor([0.5]).dtype == torch.float32
    with jax.enable_x64(False):  # as it is by default, and is not in the adapter
        assert jax.numpy.array([0.5]).dtype == "float32"
    assert keras.layers.Dense(1).dtype == "float32"


def test_jax_is_right_with_the_exact_gelu(monkeypatch: pytest.MonkeyPatch) -> None:
    jax: Any = import_module("jax")
    adapter = import_module("tests.peers.adapters.jax_grad")
    declared: dict[str, Any] = {**adapter.PUREBP, "activations": ("gelu", "identity"), "loss": "mse"}
    assert check(adapter.gradients_with_gelu, **declared).verdict == "wrong"
    monkeypatch.setattr(jax.nn, "gelu", partial(jax.nn.gelu, approximate=False))
    assert check(adapter.gradients_with_gelu, **declared).verdict == "correct"


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_the_loss_of_scikit_learn_is_not_the_one_whose_gradient_it_takes(outputs: int) -> None:
    """The central difference of `loss_` at one weight, against the step; both through `partial_fit`."""
    np: Any = import_module("numpy")
    network: Any = import_module("sklearn.neural_network")
    x, y = np.linspace(-1, 1, 8).reshape(4, 2), np.linspace(0, 1, 4 * outputs).reshape(4, outputs).squeeze()

    def after_a_step(nudge: float) -> tuple[float, float]:
        settings = {"solver": "sgd", "alpha": 0, "momentum": 0, "learning_rate_init": RATE, "shuffle": False}
        model = network.MLPRegressor(hidden_layer_sizes=[3], activation="tanh", random_state=1, **settings)
        model.partial_fit(x, y)
        model.coefs_[0][0, 0] = before = 0.5 + nudge
        model.partial_fit(x, y)
        return model.loss_, (before - model.coefs_[0][0, 0]) / RATE

    (above, _), (below, _), (_, gradient) = map(after_a_step, (1e-5, -1e-5, 0.0))
    assert isclose(gradient, outputs * (above - below) / 2e-5, rel_tol=1e-6)


def test_the_penalty_of_scikit_learn_is_all_that_it_adds() -> None:
    np: Any = import_module("numpy")
    adapter = import_module("tests.peers.adapters.sklearn_regressor")
    for case in ladder(("tanh", "identity")):
        weights = [np.array(layer.weights).T for layer in case.network.layers]
        given = (
            weights,
            [layer.biases for layer in case.network.layers],
            *map(np.array, (case.batch.inputs, case.batch.targets)),
        )
        with_penalty, without = adapter.step_with_penalty(*given), adapter.step(*given)
        for w, a, b in zip(weights, with_penalty[0], without[0]):
            assert np.allclose(b - a, RATE * 0.0001 / len(case.batch.inputs) * w, rtol=1e-9, atol=1e-15)
        assert all(np.array_equal(a, b) for a, b in zip(with_penalty[1], without[1]))

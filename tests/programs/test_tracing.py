"""Functions of lists and of NumPy's arrays run as they are, and what cannot be traced is said with its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from purebp.number_systems.traced import CannotTrace
from purebp.programs import trace
from purebp.programs.tracing import entries, is_real, nested
from purebp.textbook.arithmetic import PurebpError

np = pytest.importorskip("numpy")


def outputs(forward: Callable[..., Any], **inputs: Any) -> dict[str, list[float]]:
    program = trace(forward, inputs)
    return {name: [program.tape.values[i] for i in part.indices] for name, part in program.outputs.items()}


X = [[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]]
FORWARDS: dict[str, Callable[[Any], Any]] = {
    "mean and variance": lambda x: (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5),
    "std": lambda x: x / x.std(1, keepdims=True),
    "matmul": lambda x: x @ x.T,
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "dot and outer": lambda x: np.outer(np.dot(x, x[0]), x[0]),
    "max and where": lambda x: np.where(x > 0, x, 0.1 * x) + x.max(axis=1, keepdims=True),
    "maximum": lambda x: np.maximum(x, 0.0),
    "clip": lambda x: np.clip(x, -0.5, 1.0),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True),
    "powers": lambda x: x**2 + np.abs(x) ** 0.5 + (x * x + 1) ** -0.5,
    "reshape and transpose": lambda x: x.reshape(3, 2).T * np.transpose(x).reshape(2, 3),
    "stack and concatenate": lambda x: np.concatenate([np.stack([x[0], x[1]]), x]),
    "indexing": lambda x: x[:, [2, 0]] * x[1:, ::2] + x[..., :1],
    "written into zeros": lambda x: _filled(x),
    "cumsum and prod": lambda x: np.cumsum(x, axis=1) * np.prod(x, axis=1, keepdims=True),
    "tanh, log, exp": lambda x: np.tanh(x) + np.log(x * x + 1) + np.expm1(x / 4) + np.log1p(x * x),
    "argmax": lambda x: x[np.arange(2), x.argmax(1)],
    "a loop over time": lambda x: _recurrent(x),
    "sign and floats": lambda x: np.sign(x) * x * np.float64(2.0),
    "tile, repeat, pad": lambda x: np.pad(np.repeat(x, 2, axis=0), 1) * 2,
}


def _filled(x: Any) -> Any:
    out = np.zeros((3, 2))
    for i in range(3):
        out[i, :] += x[:, i] * x[0, i]
    return out


def _recurrent(x: Any) -> Any:
    h = np.zeros(3)
    for row in x:
        h = np.tanh(row + 0.5 * h)
    return h


@pytest.mark.parametrize("name", FORWARDS)
def test_numpy_functions_run_as_they_are(name: str) -> None:
    forward = FORWARDS[name]
    expected = np.asarray(forward(np.array(X)))
    program = trace(forward, {"x": np.array(X)})
    (part,) = program.outputs.values()
    assert part.shape == expected.shape and program.arrays
    assert [program.tape.values[i] for i in part.indices] == pytest.approx(list(expected.ravel()), rel=1e-14)


def test_numpy_is_itself_again() -> None:
    before = np.zeros
    trace(FORWARDS["written into zeros"], {"x": X})
    with pytest.raises(CannotTrace):
        trace(lambda x: np.linalg.inv(x), {"x": [[1.0, 2.0], [3.0, 4.0]]}, arrays=True)
    assert np.zeros is before and np.zeros(2).dtype == float


def test_what_is_returned_has_names() -> None:
    assert outputs(lambda x, y: {"sum": x + y, "product": x * y}, x=2.0, y=3.0) == {"sum": [5.0], "product": [6.0]}
    assert outputs(lambda x: (x + 1, x * 2), x=2.0) == {"0": [3.0], "1": [4.0]}
    assert outputs(lambda x: ([v * 2 for v in x], {"cache": x}), x=[1.0, 2.0]) == {"0": [2.0, 4.0]}


def test_whole_numbers_stay_whole() -> None:
    assert outputs(lambda x, i: x[i] * 2, x=[1.0, 4.0], i=1) == {"": [8.0]}
    program = trace(lambda x, i: x[i], {"x": np.array([1.0, 4.0]), "i": np.array([1, 1, 0])})
    assert list(program.inputs) == ["x"] and program.outputs[""].shape == (3,)


def test_lists_are_given_where_no_numpy_is_at_hand_and_arrays_where_lists_are_refused() -> None:
    space: dict[str, Any] = {}
    exec("def forward(x):\n    return (x * x).sum()", space)
    assert trace(space["forward"], {"x": [1.0, 2.0]}).arrays
    exec("def forward(x):\n    return sum(v * v for v in x)", space)
    assert not trace(space["forward"], {"x": [1.0, 2.0]}).arrays


@pytest.mark.parametrize(
    "forward, said",
    [
        (lambda x: np.linalg.inv(x[:, :2]), "np.linalg"),
        (lambda x: x.astype(np.float32), "purebp.programs.exp"),
        (lambda x: np.array(x, dtype=float) * 2, "purebp.programs.exp"),
        (lambda x: x.nothing, "AttributeError"),
        (lambda x: x @ np.ones(7), "ValueError"),
    ],
)
def test_what_cannot_be_traced_is_said_with_its_line(forward: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(CannotTrace, match=said) as error:
        trace(forward, {"x": np.array(X)}, arrays=True)
    assert "line" in str(error.value)


@pytest.mark.parametrize("value", [[[1.0], [1.0, 2.0]], [[1.0], 2.0], "abc", [[[1.0]], [[1.0, 2.0]]]])
def test_what_is_no_tensor(value: Any) -> None:
    with pytest.raises(PurebpError):
        entries(value)


def test_entries_and_back() -> None:
    value = [[[1.0, 2.0]], [[3.0, 4.0]]]
    flat, shape = entries(value)
    assert nested(flat, shape) == value and shape == (2, 1, 2)
    assert entries(np.array(2.5)) == ([2.5], ()) and entries([]) == ([], (0,))
    assert is_real([1.0, 2]) and not is_real([1, True])

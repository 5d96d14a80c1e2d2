"""A backward function, judged by its forward function: right arrangements are cleared, wrong ones caught and told."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from purebp.oracle import check_backward
from purebp.programs import dot, exp
from purebp.programs.drawing import fixed, integers, mask, one_hot, positive
from purebp.testing import assert_backward_correct
from purebp.textbook.arithmetic import PurebpError

np = pytest.importorskip("numpy")
from tests.oracle import operators  # noqa: E402  # made of NumPy

Function = Callable[..., Any]


@pytest.mark.parametrize("format", ["binary64", "binary32"])
@pytest.mark.parametrize("forward, backward, inputs", operators.RIGHT, ids=lambda x: getattr(x, "__name__", ""))
def test_right_arrangements_are_correct(forward: Function, backward: Function, inputs: str, format: str) -> None:
    if format == "binary32":
        right = backward

        def backward(*given: Any) -> Any:
            return right(*map(_single, given))

        if forward is operators.batchnorm:
            pytest.skip("its cache holds doubles")
        report = check_backward(backward, forward, inputs, format=format, arrays="numpy")
    else:
        report = check_backward(backward, forward, inputs)
    assert report.verdict == "correct", str(report)
    assert all(tensor.share <= 0.5 for tensor in report.tensors)


def _single(x: Any) -> Any:
    """Doubles in single precision."""
    if isinstance(x, tuple):
        return tuple(map(_single, x))
    return x.astype(np.float32) if getattr(x, "dtype", None) == np.dtype(float) else x


@pytest.mark.parametrize("name", operators.WRONG)
def test_wrong_ones_are_caught_and_named_by_their_line(name: str) -> None:
    forward, backward, inputs, said = operators.WRONG[name]
    report = check_backward(backward, forward, inputs)
    assert report.verdict == "wrong"
    if said:
        wanted = re.sub(r"\\\{(.*?)\\\}", r"\\d+, `\1.*?`", re.escape(said))
        assert report.explanations and re.search(wanted, report.explanations[0].sentence), str(report)


def test_an_arrangement_that_cancels_is_imprecise_and_not_wrong() -> None:
    report = check_backward(
        operators.layernorm_moments,
        operators.layernorm,
        operators.NORM,
        at={"x": [[1000.0, 1001.0, 1002.5, 999.0, 998.75]], "gamma": [1.0, 2.0, 0.5, 1.0, 1.5], "beta": [0.0] * 5},
    )
    assert report.verdict == "imprecise" and "arrangement that cancels" in report.notes[0]


def test_a_gradient_in_the_broadcast_shape_is_told() -> None:
    report = check_backward(operators.layernorm_unsummed, operators.layernorm, operators.NORM)
    (finding,) = report.findings
    assert finding.kind == "wrong shape" and "sum over the axes" in finding.sentence


def test_arguments_that_are_changed_are_told() -> None:
    report = check_backward(operators.layernorm_in_place, operators.layernorm, operators.NORM)
    assert any(finding.kind == "changes its arguments" for finding in report.findings)


def test_what_is_random_is_flaky() -> None:
    random = np.random.default_rng(0)
    report = check_backward(lambda up, x: up * (random.random(x.shape) < 0.5), operators.relu, "x: n 3")
    assert report.verdict in ("wrong", "flaky") and any(finding.kind == "flaky" for finding in report.findings)


# Plain lists, and what is asked.


def softmax(x: list[float]) -> list[float]:
    shares = [exp(v - max(x)) for v in x]
    return [s / sum(shares) for s in shares]


def softmax_backward(upstream: list[float], x: list[float]) -> list[float]:
    y = softmax(x)
    mean = dot(upstream, y)
    return [p * (u - mean) for p, u in zip(y, upstream)]


def test_plain_lists() -> None:
    assert_backward_correct(softmax_backward, softmax, {"x": "n"})
    with pytest.raises(AssertionError, match="wrong"):
        assert_backward_correct(lambda upstream, x: upstream, softmax, {"x": "n"})


def test_inputs_of_every_kind() -> None:
    def forward(x: Any, scale: float, labels: Any, kept: Any, hot: Any, variance: Any) -> Any:
        return [
            scale * v * keep / s + h + row[label]
            for v, keep, s, h, label, row in zip(x, kept, variance, hot, labels, [[1.0, 2.0]] * len(x))
        ]

    def backward(upstream: Any, x: Any, scale: float, labels: Any, kept: Any, hot: Any, variance: Any) -> Any:
        dx = [u * scale * k / s for u, k, s in zip(upstream, kept, variance)]
        return dx, [-u * scale * v * k / s**2 for u, v, k, s in zip(upstream, x, kept, variance)]

    inputs = {
        "x": ("n",),
        "scale": fixed(0.5),
        "labels": integers(2, "n"),
        "kept": mask("n"),
        "hot": one_hot("n"),
        "variance": positive("n"),
    }
    report = check_backward(backward, forward, inputs, wanted=["x", "variance"])
    assert report.verdict == "correct", str(report)
    assert {tensor.name for tensor in report.tensors} == {"∂/∂x", "∂/∂variance"}


def test_a_number_needs_no_upstream_and_names_may_be_others() -> None:
    assert check_backward(lambda a, b: (b, a), lambda x, y: x * y, {"x": (), "y": ()}).verdict == "correct"
    assert check_backward(lambda x: {"dx": 2 * x}, lambda x: x**2, {"x": ()}).verdict == "correct"


def test_what_is_missing_or_too_much_is_told() -> None:
    def product(x: float, y: float) -> float:
        return x * y

    missing = check_backward(lambda x, y: {"x": y}, product, {"x": (), "y": ()})
    assert missing.verdict != "correct" and "the gradient by y was not given" in str(missing)
    few = check_backward(lambda x, y: (y,), product, {"x": (), "y": ()})
    assert "it returns 1 gradient, and is asked for those by x, y" in few.findings[0].sentence
    unknown = check_backward(lambda x, y: {"z": y}, product, {"x": (), "y": ()})
    assert "'z'" in unknown.findings[0].sentence


@pytest.mark.parametrize(
    "options, said",
    [
        ({"wanted": ["z"]}, "no real input"),
        ({"arrays": "torch"}, '"numpy" or "lists"'),
        ({"format": "binary17"}, "binary17"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], said: str) -> None:
    with pytest.raises(PurebpError, match=said):
        check_backward(lambda x: x, lambda x: x * x, {"x": ()}, **options)


def test_numbers_of_ones_own() -> None:
    report = check_backward(lambda x: 2 * x, lambda x: x * x, {}, at={"x": 3.0})
    assert report.verdict == "correct" and report.cases[0].name == "as given"


def test_a_forward_function_that_cannot_be_traced_says_where() -> None:
    import math

    with pytest.raises(PurebpError, match=r"line \d+.*purebp.programs.exp"):
        check_backward(lambda x: x, lambda x: math.exp(x), {"x": ()})
    with pytest.raises(PurebpError, match="linalg"):
        check_backward(lambda up, x: x, lambda x: np.linalg.inv(x), {"x": (2, 2)}, arrays="numpy")
    with pytest.raises(PurebpError, match="returns nothing that is made of its real inputs"):
        check_backward(lambda x: x, lambda x: 1.0, {"x": ()})


def test_the_seed_decides_the_cases() -> None:
    def worst(seed: int) -> Any:
        return check_backward(lambda x: 3 * x, lambda x: x * x, {"x": ()}, seed=seed).worst

    assert worst(1) == worst(1) != worst(2)

"""The laws of backpropagation, as functions of any implementation of it and a case.

Each raises AssertionError where the implementation breaks the law. `test_laws.py` holds purebp to them,
`test_planted_bugs.py` shows that each of them rejects what it is meant to reject.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import Phase, given, settings
from hypothesis.strategies import SearchStrategy

from purebp import Batch, Gradients, Layer, Loss, Network, numerical_gradients, richardson, sgd_step, sse
from purebp.textbook.network import LayerGradients
from purebp.textbook.optimizers import shapes
from tests.strategies import REDUCTIONS, Exercise, cases

Backpropagation = Callable[[Network, Batch, Loss], Gradients]
Law = Callable[[Backpropagation, Exercise], None]
ROUNDING = 1e-12  # relative to the largest number at hand: some thousand units in the last place


def assert_close(
    actual: Sequence[float], expected: Sequence[float], tolerance: float = ROUNDING, scale: float = 1.0
) -> None:
    """No entry is further off than the tolerance times the largest magnitude, or the scale if that is larger."""
    bound = tolerance * max(scale, *map(abs, actual), *map(abs, expected))
    assert len(actual) == len(expected)
    assert all(abs(a - e) <= bound for a, e in zip(actual, expected)), (actual, expected)


def deltas(gradients: Gradients) -> list[float]:
    return [x for layer in gradients.layers for row in layer.deltas for x in row]


def scaled(factor: float, x: Sequence[float]) -> list[float]:
    return [factor * xi for xi in x]


def has_the_shapes_of_the_network(backpropagation: Backpropagation, case: Exercise) -> None:
    """∂W is n_out × n_in, ∂b is n_out (None where there are no biases), δ is samples × n_out."""
    found = backpropagation(*case)
    assert shapes(found) == shapes(case.network)
    for layer, gradients in zip(case.network.layers, found.layers, strict=True):
        assert (gradients.biases is None) == (layer.biases is None)
        assert [len(row) for row in gradients.deltas] == [len(layer.weights)] * len(case.batch.inputs)


def equals_the_complex_step(backpropagation: Backpropagation, case: Exercise) -> None:
    """The complex step subtracts nothing, so that only rounding is left."""
    found, expected = backpropagation(*case), numerical_gradients(*case, method="complex")
    assert_close(found.parameters(), expected.parameters())
    assert_close(deltas(found), deltas(expected))


def equals_central_differences(backpropagation: Backpropagation, case: Exercise) -> None:
    """Central differences are off by about ε L / h + h² L‴ / 6 where h = ε^⅓: by some 1e-10 (1 + L)."""
    found, expected = backpropagation(*case), numerical_gradients(*case, method="central")
    assert_close(found.parameters(), expected.parameters(), 1e-9, 1 + case.value())
    assert_close(deltas(found), deltas(expected), 1e-9, 1 + case.value())


def lies_within_the_error_of_richardson(backpropagation: Backpropagation, case: Exercise) -> None:
    """Richardson extrapolation says itself how far off it is, which is little.

    The steps are measured in units of 2⁻⁹, so that they stay within the margin of the corners.
    """
    unit, x = 2.0**-9, case.network.parameters()

    def along(y: Sequence[float]) -> float:
        return case.value(case.network.with_parameters(xi + unit * yi for xi, yi in zip(x, y)))

    for g, estimate in zip(backpropagation(*case).parameters(), richardson(along, [0.0] * len(x)), strict=True):
        assert abs(unit * g - estimate.value) <= 2 * estimate.error
        assert estimate.error <= unit * 1e-9 * (1 + case.value())


def sums_over_the_samples(backpropagation: Backpropagation, case: Exercise) -> None:
    """Of a summed loss, the gradient of a batch is the sum of the gradients of its samples."""
    network, batch, loss = case.network, case.batch, case.loss.reduced("sum")
    parts = [backpropagation(network, Batch([x], [y]), loss) for x, y in zip(batch.inputs, batch.targets)]
    total = [sum(entries) for entries in zip(*(part.parameters() for part in parts))]
    assert_close(backpropagation(network, batch, loss).parameters(), total)


def divides_by_what_the_reduction_says(backpropagation: Backpropagation, case: Exercise) -> None:
    """A mean over samples, outputs or entries is the sum divided by their number, and so is its gradient."""
    n, m = len(case.batch.targets), len(case.batch.targets[0])
    for reduction, count in zip(REDUCTIONS, (1, n, m, n * m), strict=True):
        reduced = backpropagation(case.network, case.batch, case.loss.reduced(reduction)).parameters()
        whole = backpropagation(case.network, case.batch, case.loss.reduced("sum")).parameters()
        assert_close(scaled(count, reduced), whole)


def is_linear_in_the_loss(backpropagation: Backpropagation, case: Exercise) -> None:
    """The gradient of 2 ℓ + sse is twice that of ℓ plus that of sse; the sum knows no fused form."""
    part = case.loss
    both = Loss(
        f"2 {part.base} + sse",
        "sum",
        lambda p, t, on: 2 * part.summand(p, t, on) + sse.summand(p, t, on),
        lambda p, t, on: 2 * part.slope(p, t, on) + sse.slope(p, t, on),
    )
    of_both, of_part, of_sse = (
        backpropagation(case.network, case.batch, loss).parameters() for loss in (both, part.reduced("sum"), sse)
    )
    assert_close(of_both, [2 * g + h for g, h in zip(of_part, of_sse)])


def ignores_the_order_of_the_samples(backpropagation: Backpropagation, case: Exercise) -> None:
    """Turning the batch around changes no gradient, and turns the deltas around."""
    turned = Batch(case.batch.inputs[::-1], case.batch.targets[::-1])
    found, expected = backpropagation(case.network, turned, case.loss), backpropagation(*case)
    assert_close(found.parameters(), expected.parameters())
    for layer, other in zip(found.layers, expected.layers):
        assert_close([x for row in layer.deltas[::-1] for x in row], [x for row in other.deltas for x in row])


def permutes_with_the_hidden_neurons(backpropagation: Backpropagation, case: Exercise) -> None:
    """Turning every hidden layer around turns its gradient around."""
    mirrored = Network(_mirrored(case.network.layers))
    found, expected = backpropagation(mirrored, case.batch, case.loss), backpropagation(*case)
    assert_close(found.parameters(), Network(_mirrored(expected.layers)).parameters())


def _mirrored(layers: Sequence[Layer | LayerGradients]) -> list[Layer]:
    """The layers with the order of the hidden neurons turned around; columns of one are rows of the one below."""
    result = []
    for l, layer in enumerate(layers):
        rows = slice(None) if l == len(layers) - 1 else slice(None, None, -1)
        columns = slice(None) if l == 0 else slice(None, None, -1)
        weights = [row[columns] for row in layer.weights[rows]]
        biases = None if layer.biases is None else layer.biases[rows]
        result.append(Layer(weights, biases, layer.activation if isinstance(layer, Layer) else "identity"))
    return result


def descends(backpropagation: Backpropagation, case: Exercise) -> None:
    """A small step against the gradient lowers the loss by about rate |g|², unless rounding hides that much."""
    gradients = backpropagation(*case)
    g = gradients.parameters()
    rate = 2.0**-16 / max(1.0, *map(abs, g))
    expected = rate * sum(x * x for x in g)
    if expected > ROUNDING * (1 + case.value()):
        assert case.value(sgd_step(case.network, gradients, rate)) < case.value() - expected / 2


LAWS: list[Law] = [
    has_the_shapes_of_the_network,
    equals_the_complex_step,
    equals_central_differences,
    lies_within_the_error_of_richardson,
    sums_over_the_samples,
    divides_by_what_the_reduction_says,
    is_linear_in_the_loss,
    ignores_the_order_of_the_samples,
    permutes_with_the_hidden_neurons,
    descends,
]


def hold(
    backpropagation: Backpropagation,
    law: Law,
    strategy: SearchStrategy[Exercise] | None = None,
    share: float = 1.0,
    shrink: bool = True,
) -> None:
    """The law holds for all cases that Hypothesis draws, a share of what its profile says.

    If it does not, Hypothesis looks for the smallest case that breaks it.
    """

    @settings(
        max_examples=int(share * settings().max_examples), phases=[Phase.generate, *([Phase.shrink] if shrink else [])]
    )
    @given(cases() if strategy is None else strategy)
    def run(case: Exercise) -> None:
        law(backpropagation, case)

    run()

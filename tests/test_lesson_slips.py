"""The three slips of the well-known lessons, each held against their own code and against purebp.

Their code, as it goes round the world, is this class with NumPy's `dot` and arrays. Here it is in plain lists. It
learns, because where a formula beside it is wrong, the code either does not follow it or is wrong twice:

1. it calls Σ (y − ŷ)² the *mean* squared error: it is the sum;
2. it writes ∂Loss/∂ŷ = 2 (y − ŷ), where the sign is the opposite, and then adds instead of subtracting;
3. it writes σ′ = z (1 − z) with z = W x + b, but gives the activation to the function that computes it.

docs/lesson.md explains them.
"""

from __future__ import annotations

from math import exp

import pytest

from purebp import (
    Batch,
    Layer,
    Network,
    backpropagation,
    evaluate,
    explain,
    forward,
    mse,
    numerical_gradients,
    sgd_step,
    sigmoid,
    sse,
    train,
    transpose,
)

Rows = list[list[float]]

X = [[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
Y = [[0.0], [1.0], [1.0], [0.0]]
START = Network.random([3, 4, 1], "sigmoid", seed=1, biases=False)


def product(a: Rows, b: Rows) -> Rows:
    """The matrix product, `np.dot` of the lessons."""
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def sigmoid_derivative(x: float) -> float:
    """The function of the lessons. It is given activations, for which it is right."""
    return x * (1 - x)


class Lesson:
    """The two-layer network of the lessons: layer1 = σ(input · W1), output = σ(layer1 · W2), no biases."""

    def __init__(self, x: Rows, y: Rows, weights1: Rows, weights2: Rows) -> None:
        self.input, self.y, self.weights1, self.weights2 = x, y, weights1, weights2

    def feedforward(self) -> None:
        self.layer1 = [[1 / (1 + exp(-z)) for z in row] for row in product(self.input, self.weights1)]
        self.output = [[1 / (1 + exp(-z)) for z in row] for row in product(self.layer1, self.weights2)]

    def backprop(self) -> None:
        self.delta2 = [
            [2 * (t - p) * sigmoid_derivative(p) for t, p in zip(*rows)] for rows in zip(self.y, self.output)
        ]
        self.error1 = product(self.delta2, transpose(self.weights2))
        self.delta1 = [[e * sigmoid_derivative(a) for e, a in zip(*rows)] for rows in zip(self.error1, self.layer1)]
        self.d_weights2 = product(transpose(self.layer1), self.delta2)
        self.d_weights1 = product(transpose(self.input), self.delta1)
        self.weights1 = [[w + d for w, d in zip(*rows)] for rows in zip(self.weights1, self.d_weights1)]
        self.weights2 = [[w + d for w, d in zip(*rows)] for rows in zip(self.weights2, self.d_weights2)]


def lesson_of(network: Network, x: Rows = X, y: Rows = Y) -> Lesson:
    """The lesson that starts from the same weights: its columns are our rows."""
    first, second = (transpose(layer.weights) for layer in network.layers)
    return Lesson(x, y, first, second)


def flat(weights1: Rows, weights2: Rows) -> list[float]:
    """The lesson's matrices in the order of `Network.parameters()`."""
    return [w for weights in (weights1, weights2) for row in transpose(weights) for w in row]


def after_one_step(network: Network, x: Rows = X, y: Rows = Y) -> Lesson:
    lesson = lesson_of(network, x, y)
    lesson.feedforward()
    lesson.backprop()
    return lesson


# 1. The sum that is called a mean.


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_lessons_descend_the_sum_of_squares_and_not_its_mean(outputs: int) -> None:
    network = Network.random([3, 4, outputs], "sigmoid", seed=2, biases=False)
    y = [row * outputs for row in Y]
    lesson, batch = after_one_step(network, X, y), Batch(X, y)
    change = [-d for d in flat(lesson.d_weights1, lesson.d_weights2)]
    entries = len(X) * outputs
    assert change == pytest.approx(numerical_gradients(network, batch, sse).parameters(), rel=1e-6, abs=1e-8)
    assert change == pytest.approx(backpropagation(network, batch, sse).parameters(), rel=1e-12)
    assert change == pytest.approx([entries * g for g in backpropagation(network, batch, mse).parameters()], rel=1e-12)
    assert change != pytest.approx(backpropagation(network, batch, mse).parameters(), rel=0.5)


def test_the_value_called_the_mean_is_the_sum() -> None:
    lesson = lesson_of(START)
    lesson.feedforward()
    total = sum((t - p) ** 2 for target, output in zip(Y, lesson.output) for t, p in zip(target, output))
    assert total == pytest.approx(sse(lesson.output, Y), rel=1e-14)
    assert total == pytest.approx(4 * mse(lesson.output, Y), rel=1e-14)


# 2. The two minuses.


def test_the_derivative_of_the_squared_error_has_the_opposite_sign() -> None:
    prediction, target, h = 0.75, 1.0, 2.0**-10
    nudged = ((target - (prediction + h)) ** 2 - (target - (prediction - h)) ** 2) / (2 * h)
    assert nudged == 2 * (prediction - target) == sse.derivative([[prediction]], [[target]])[0][0]
    assert nudged == -(2 * (target - prediction))


def test_the_two_minuses_of_the_lessons_cancel() -> None:
    lesson = after_one_step(START)
    step = sgd_step(START, backpropagation(START, Batch(X, Y), sse), learning_rate=1.0)
    assert flat(lesson.weights1, lesson.weights2) == pytest.approx(step.parameters(), rel=1e-12)


def test_with_only_one_of_the_two_minuses_repaired_the_lessons_climb() -> None:
    batch, lesson, rate = Batch(X, Y), after_one_step(START), 0.1
    added = flat(lesson.d_weights1, lesson.d_weights2)  # with 2 (y − ŷ), as in the lessons
    right = [-d for d in added]  # with 2 (ŷ − y), as it should be

    def loss_after(change: list[float]) -> float:
        return evaluate(START.with_parameters(w + rate * c for w, c in zip(START.parameters(), change)), batch, sse)

    now = evaluate(START, batch, sse)
    assert loss_after(added) < now  # wrong sign, and added: down
    assert loss_after([-d for d in right]) < now  # right sign, and subtracted: down
    assert loss_after(right) > now  # the derivative repaired, still added: up
    assert loss_after([-d for d in added]) > now  # subtracted, the derivative not repaired: up


# 3. z (1 − z).


@pytest.mark.parametrize("z", [-3.0, -0.5, 0.0, 0.5, 1.0, 2.0])
def test_the_derivative_of_the_sigmoid_is_a_times_one_minus_a(z: float) -> None:
    h = 1e-5
    nudged = (sigmoid(z + h) - sigmoid(z - h)) / (2 * h)
    assert sigmoid_derivative(sigmoid(z)) == pytest.approx(nudged, rel=1e-8)
    assert sigmoid_derivative(sigmoid(z)) == pytest.approx(sigmoid.derivative(z), rel=1e-14)


@pytest.mark.parametrize("z", [-3.0, -0.5, 0.0, 1.0, 2.0])
def test_z_times_one_minus_z_is_not_even_positive(z: float) -> None:
    assert sigmoid_derivative(z) <= 0 < sigmoid.derivative(z)


def test_the_code_of_the_lessons_gives_the_activation_to_the_derivative() -> None:
    lesson, found = after_one_step(START), explain(START, Batch(X, Y), sse)
    steps = {step.name: step.values for step in found.steps}
    for ours, theirs in [
        (steps["output delta (delta output sum)"], lesson.delta2),
        (steps["error passed to layer 1 (layer1 error)"], lesson.error1),
        (steps["hidden delta, layer 1"], lesson.delta1),
    ]:
        for row, other in zip(ours, theirs, strict=True):
            assert row == pytest.approx([-e for e in other], rel=1e-12)  # the lessons' 2 (y − ŷ) is −∂loss/∂ŷ


def test_with_the_pre_activation_instead_the_hidden_layer_can_stand_still() -> None:
    """The example of docs/lesson.md, where z¹ = (1, 0): z (1 − z) is 0 twice, the gradient is not."""
    network = Network([Layer([[1.0, -1.0], [-0.5, 1.0]], None, "sigmoid"), Layer([[2.0, -1.0]], None, "sigmoid")])
    batch = Batch([[2.0, 1.0]], [[0.0]])
    (z,), *_ = forward(network, batch.inputs).pre_activations
    steps = {step.name: step.values for step in explain(network, batch, sse).steps}
    (error,) = steps["error passed to layer 1 (layer1 error)"]
    assert [e * sigmoid_derivative(v) for e, v in zip(error, z)] == [0.0, 0.0]
    assert all(d != 0.0 for d in backpropagation(network, batch, sse).layers[0].deltas[0])


# And all together: the lessons' code and purebp learn the same.


def test_the_lessons_code_and_purebp_learn_the_same_network() -> None:
    lesson = lesson_of(START)
    for _ in range(200):
        lesson.feedforward()
        lesson.backprop()
    *_, last = train(START, Batch(X, Y), loss=sse, learning_rate=1.0, epochs=200)
    assert flat(lesson.weights1, lesson.weights2) == pytest.approx(last.network.parameters(), rel=1e-9)

"""Numbers that others have published, each with its source, to the digits that they give."""

from __future__ import annotations

from dataclasses import replace

import pytest

from purebp import (
    Batch,
    Gradients,
    Layer,
    Network,
    backpropagation,
    cross_entropy,
    evaluate,
    forward,
    half_sse,
    sgd_step,
    sse,
    train,
)
from tests.laws import Backpropagation
from tests.test_planted_bugs import Recurrence, moved


class TestMazur:
    """Matt Mazur, A Step by Step Backpropagation Example, 2015.

    https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/
    His biases stay what they are: he updates the weights alone.
    """

    NETWORK = Network(
        [
            Layer([[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], "sigmoid"),
            Layer([[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], "sigmoid"),
        ]
    )
    BATCH = Batch([[0.05, 0.10]], [[0.01, 0.99]])

    def step(self, network: Network, method: Backpropagation = backpropagation) -> Network:
        gradients = method(network, self.BATCH, half_sse)
        fixed = Gradients(tuple(replace(layer, biases=(0.0, 0.0)) for layer in gradients.layers))
        return sgd_step(network, fixed, learning_rate=0.5)

    def test_forward(self) -> None:
        trace = forward(self.NETWORK, self.BATCH.inputs)
        assert [round(z, 4) for z in trace.pre_activations[0][0]] == [0.3775, 0.3925]
        assert [round(a, 9) for a in trace.activations[0][0]] == [0.593269992, 0.596884378]
        assert [round(a, 9) for a in trace.outputs[0]] == [0.751365070, 0.772928465]
        assert round(evaluate(self.NETWORK, self.BATCH, half_sse), 9) == 0.298371109

    def test_gradients(self) -> None:
        hidden, output = backpropagation(self.NETWORK, self.BATCH, half_sse).layers
        assert round(output.deltas[0][0], 9) == 0.138498562
        assert round(output.weights[0][0], 9) == 0.082167041
        assert round(hidden.weights[0][0], 9) == 0.000438568

    def test_one_step(self) -> None:
        hidden, output = self.step(self.NETWORK).layers
        assert [[round(w, 8) for w in row] for row in hidden.weights] == [
            [0.14978072, 0.19956143],
            [0.24975114, 0.29950229],
        ]
        assert round(hidden.weights[0][0], 9) == 0.149780716
        assert [[round(w, 8) for w in row] for row in output.weights] == [
            [0.35891648, 0.40866619],
            [0.51130127, 0.56137012],
        ]
        assert [round(w, 9) for row in output.weights for w in row][1:] == [0.408666186, 0.511301270, 0.561370121]

    def test_what_the_post_goes_on_with_is_a_bug(self) -> None:
        """The weights above lead to an error of 0.291027774. The post says 0.291027924, and outputs after 10,000 steps.

        These come from passing the error down by the weights already updated, which the post says not to do.
        """
        assert round(evaluate(self.step(self.NETWORK), self.BATCH, half_sse), 9) == 0.291027774
        wrong = Recurrence(passing_weights=lambda weights, gradient: moved(weights, gradient, 0.5))
        assert round(evaluate(self.step(self.NETWORK, wrong), self.BATCH, half_sse), 9) == 0.291027924
        network = self.NETWORK
        for _ in range(10_000):
            network = self.step(network, wrong)
        assert [round(a, 9) for a in forward(network, self.BATCH.inputs).outputs[0]] == [0.015912196, 0.984065734]


def test_neuron_of_cs231n() -> None:
    """Stanford CS231n, Backpropagation, Intuitions, "Sigmoid example": f = σ(w₀ x₀ + w₁ x₁ + w₂).

    https://cs231n.github.io/optimization-2/
    The gradient is that of f itself: sse has the slope 1 there for a target of f − ½.
    """
    neuron = Network([Layer([[2.0, -3.0]], [-3.0], "sigmoid")])
    f = forward(neuron, [[-1.0, -2.0]]).outputs[0][0]
    assert f == pytest.approx(0.731058578630005, abs=5e-16)
    (found,) = backpropagation(neuron, Batch([[-1.0, -2.0]], [[f - 0.5]]), sse).layers
    assert found.weights[0] == pytest.approx([-0.19661193324148185, -0.3932238664829637], rel=1e-15)
    assert found.biases == pytest.approx([0.19661193324148185], rel=1e-15)


def test_compound_expression_of_cs231n() -> None:
    """The same notes, "Compound expressions": f = (x + y) z at −2, 5, −4 has the gradient −4, −4, 3.

    As a network: the sum of the inputs, times a weight z. The gradient by x and y is δ of the layer that adds.
    """
    network = Network([Layer([[1.0, 1.0]], None, "identity"), Layer([[-4.0]], None, "identity")])
    assert forward(network, [[-2.0, 5.0]]).outputs == ((-12.0,),)
    sums, product = backpropagation(network, Batch([[-2.0, 5.0]], [[-12.5]]), sse).layers
    assert (sums.deltas, product.weights) == (((-4.0,),), ((3.0,),))


def test_softmax_classifier_of_cs231n() -> None:
    """Stanford CS231n, Linear Classification, the figure that compares SVM and softmax losses.

    https://cs231n.github.io/linear-classify/
    Scores −2.85, 0.86, 0.28, probabilities 0.016, 0.631, 0.353; the loss for the third class is −log 0.353 = 1.04.
    """
    weights = [[0.01, -0.05, 0.1, 0.05], [0.7, 0.2, 0.05, 0.16], [0.0, -0.45, -0.2, 0.03]]
    classifier = Network([Layer(weights, [0.0, 0.2, -0.3], "softmax")])
    batch = Batch([[-15.0, 22.0, -44.0, 56.0]], [[0.0, 0.0, 1.0]])
    trace = forward(classifier, batch.inputs)
    assert [round(z, 2) for z in trace.pre_activations[0][0]] == [-2.85, 0.86, 0.28]
    assert trace.outputs[0] == pytest.approx([0.016, 0.631, 0.353], abs=6e-4)
    assert round(evaluate(classifier, batch, cross_entropy), 2) == 1.04
    assert backpropagation(classifier, batch, cross_entropy).layers[0].deltas[0] == pytest.approx(
        [0.016, 0.631, -0.647], abs=6e-4
    )


def test_xor_is_learnt_by_a_2_2_1_network() -> None:
    """Rumelhart, Hinton and Williams, Learning internal representations by error propagation, 1986: two hidden
    units are enough, though some beginnings end in a local minimum. This seed does not."""
    xor = Batch([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0.0], [1.0], [1.0], [0.0]])
    network = Network.random([2, 2, 1], "sigmoid", seed=0)
    *_, last = train(network, xor, loss=sse, learning_rate=1.0, epochs=3000, seed=0)
    outputs = [row[0] for row in forward(last.network, xor.inputs).outputs]
    assert [output > 0.5 for output in outputs] == [False, True, True, False]
    assert last.loss < 0.01

"""micrograd's MLP, with a sigmoid on its outputs: an operation of our own, as its author adds tanh in the lecture."""

from math import exp

from micrograd.engine import Value
from micrograd.nn import MLP

PUREBP = {"activations": ["relu", "sigmoid"]}


def sigmoid(z):
    out = Value(1 / (1 + exp(-z.data)), (z,), "sigmoid")

    def backward():
        z.grad += out.data * (1 - out.data) * out.grad

    out._backward = backward
    return out


def gradients(weights, biases, inputs, targets):
    model = MLP(len(inputs[0]), [len(b) for b in biases])
    for layer, rows, offsets in zip(model.layers, weights, biases):
        for neuron, row, offset in zip(layer.neurons, rows, offsets):
            neuron.b.data = offset
            for w, value in zip(neuron.w, row):
                w.data = value
    loss = Value(0)
    for x, y in zip(inputs, targets):
        hidden = model.layers[0](x)
        if not isinstance(hidden, list):  # a single neuron
            hidden = [hidden]
        outputs = [sigmoid(neuron(hidden)) for neuron in model.layers[1].neurons]
        loss = loss + sum((output - t) ** 2 for output, t in zip(outputs, y))
    loss.backward()
    return (
        [[[w.grad for w in neuron.w] for neuron in layer.neurons] for layer in model.layers],
        [[neuron.b.grad for neuron in layer.neurons] for layer in model.layers],
    )

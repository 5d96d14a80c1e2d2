"""A class that trains in place and shows no gradients: one step is judged by the weights that it leaves behind."""

from math import exp

PUREBP = {
    "activations": ["sigmoid", "sigmoid"],
    "loss": "half_sse",
    "returns": "step",
    "learning_rate": 0.25,
    "batch": 1,
}


class Perceptron:
    def __init__(self, layers):
        self.layers = layers  # of pairs: a row of weights per neuron, and the biases

    def train(self, x, y, rate):
        activations = [x]
        for weights, biases in self.layers:
            sums = (sum(w * a for w, a in zip(row, activations[-1])) + b for row, b in zip(weights, biases))
            activations.append([1 / (1 + exp(-z)) for z in sums])
        errors = [a - t for a, t in zip(activations[-1], y)]
        for (weights, biases), a_in, a_out in zip(self.layers[::-1], activations[-2::-1], activations[:0:-1]):
            deltas = [e * a * (1 - a) for e, a in zip(errors, a_out)]
            errors = [sum(d * row[i] for d, row in zip(deltas, weights)) for i in range(len(a_in))]
            for j, d in enumerate(deltas):
                biases[j] -= rate * d
                for i, a in enumerate(a_in):
                    weights[j][i] -= rate * d * a


def step(weights, biases, inputs, targets):
    network = Perceptron([([list(row) for row in w], list(b)) for w, b in zip(weights, biases)])
    network.train(inputs[0], targets[0], rate=0.25)
    return [w for w, _ in network.layers], [b for _, b in network.layers]

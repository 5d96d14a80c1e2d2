"""A neural network with one hidden layer, without NumPy. It learns XOR and AND at the same time."""

import math
import random


def sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z))


def sigmoid_derivative(a):
    # a has been through the sigmoid already
    return a * (1.0 - a)


class NeuralNetwork:
    def __init__(self, inputs, hidden, outputs):
        # weights1[i][j] goes from input i to hidden neuron j
        self.weights1 = [[random.uniform(-1, 1) for j in range(hidden)] for i in range(inputs)]
        self.weights2 = [[random.uniform(-1, 1) for k in range(outputs)] for j in range(hidden)]

    def feedforward(self, x):
        self.layer1 = []
        for j in range(len(self.weights1[0])):
            z = 0.0
            for i in range(len(x)):
                z += x[i] * self.weights1[i][j]
            self.layer1.append(sigmoid(z))
        self.output = []
        for k in range(len(self.weights2[0])):
            z = 0.0
            for j in range(len(self.layer1)):
                z += self.layer1[j] * self.weights2[j][k]
            self.output.append(sigmoid(z))
        return self.output

    def backpropagation(self, x, y):
        # the loss is the sum of (output - y)^2
        self.feedforward(x)
        delta2 = []
        for k in range(len(y)):
            delta2.append(2 * (self.output[k] - y[k]) * sigmoid_derivative(self.output[k]))
        delta1 = []
        for j in range(len(self.layer1)):
            error = 0.0
            for k in range(len(delta2)):
                error += delta2[k] * self.weights2[j][k]
            delta1.append(error)
        d_weights1 = [[v * d for d in delta1] for v in x]
        d_weights2 = [[a * d for d in delta2] for a in self.layer1]
        return d_weights1, d_weights2

    def train(self, x, y, learning_rate=0.5):
        d_weights1, d_weights2 = self.backpropagation(x, y)
        for i in range(len(self.weights1)):
            for j in range(len(self.weights1[i])):
                self.weights1[i][j] -= learning_rate * d_weights1[i][j]
        for j in range(len(self.weights2)):
            for k in range(len(self.weights2[j])):
                self.weights2[j][k] -= learning_rate * d_weights2[j][k]


if __name__ == "__main__":
    # the third input is always 1
    samples = [([0, 0, 1], [0, 0]), ([0, 1, 1], [1, 0]), ([1, 0, 1], [1, 0]), ([1, 1, 1], [0, 1])]
    network = NeuralNetwork(3, 3, 2)
    for step in range(20000):
        x, y = random.choice(samples)
        network.train(x, y)
    for x, y in samples:
        print(x, "should be", y, "is", [round(o, 2) for o in network.feedforward(x)])

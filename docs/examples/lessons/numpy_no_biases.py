"""My first neural network: two layers, no biases, only NumPy."""

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def sigmoid_derivative(x):
    return x * (1.0 - x)


class NeuralNetwork:
    def __init__(self, x, y):
        self.input = x
        self.y = y
        self.weights1 = np.random.rand(x.shape[1], 4)
        self.weights2 = np.random.rand(4, 1)
        self.output = np.zeros(y.shape)

    def feedforward(self):
        self.sum1 = np.dot(self.input, self.weights1)
        self.layer1 = sigmoid(self.sum1)
        self.sum2 = np.dot(self.layer1, self.weights2)
        self.output = sigmoid(self.sum2)
        return self.output

    def backprop(self):
        # chain rule for the loss, the sum of (y - output)^2
        delta2 = 2 * (self.y - self.output) * sigmoid_derivative(self.output)
        d_weights2 = np.dot(self.layer1.T, delta2)
        error1 = np.dot(delta2, self.weights2.T)
        delta1 = error1 * sigmoid_derivative(self.layer1)
        d_weights1 = np.dot(self.input.T, delta1)

        # go downhill
        self.weights1 += d_weights1
        self.weights2 += d_weights2

    def train(self):
        self.feedforward()
        self.backprop()


if __name__ == "__main__":
    X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    Y = np.array([[0], [1], [1], [0]])
    nn = NeuralNetwork(X, Y)
    for epoch in range(1500):
        if epoch % 100 == 0:
            print("epoch", epoch, "loss", np.sum((Y - nn.feedforward()) ** 2))
        nn.train()
    print(nn.feedforward())

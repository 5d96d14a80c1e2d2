"""A tiny library of graphs: every node computes forward, then hands its gradients backward."""

import numpy as np

class Node:
    def __init__(self, *inbound_nodes):
        self.inbound_nodes = inbound_nodes
        self.outbound_nodes = []
        self.value = None
        self.gradients = {}
        for node in inbound_nodes:
            node.outbound_nodes.append(self)

class Input(Node):
    def forward(self):
        pass  # the value comes from the feed_dict

    def backward(self):
        self.gradients = {self: 0.0}
        for node in self.outbound_nodes:
            self.gradients[self] += node.gradients[self]

class Linear(Node):  # Linear(X, W, b)
    def forward(self):
        X, W, b = self.inbound_nodes
        self.value = np.dot(X.value, W.value) + b.value

    def backward(self):
        X, W, b = self.inbound_nodes
        self.gradients = {X: 0.0, W: 0.0, b: 0.0}
        for node in self.outbound_nodes:
            cost = node.gradients[self]
            self.gradients[X] += np.dot(cost, W.value)
            self.gradients[W] += np.dot(X.value.T, cost)
            self.gradients[b] += np.sum(cost, axis=0)

class Sigmoid(Node):  # Sigmoid(x)
    def forward(self):
        self.value = 1.0 / (1.0 + np.exp(-self.inbound_nodes[0].value))

    def backward(self):
        x = self.inbound_nodes[0]
        self.gradients = {x: 0.0}
        for node in self.outbound_nodes:
            self.gradients[x] += node.gradients[self] * self.value * (1 - self.value)

class MSE(Node):  # MSE(y, a)
    def forward(self):
        y, a = self.inbound_nodes
        self.diff = y.value.reshape(a.value.shape) - a.value
        self.value = np.mean(self.diff ** 2)

    def backward(self):
        y, a = self.inbound_nodes
        self.gradients[y] = 2 / self.diff.size * self.diff.reshape(y.value.shape)
        self.gradients[a] = -2 / self.diff.size * self.diff

def topological_sort(feed_dict):
    graph, ready = [], list(feed_dict)
    while ready:
        node = ready.pop(0)
        if node in feed_dict:
            node.value = feed_dict[node]
        graph.append(node)
        for after in node.outbound_nodes:
            if after not in ready and all(before in graph for before in after.inbound_nodes):
                ready.append(after)
    return graph

def forward_and_backward(graph):
    for node in graph:
        node.forward()
    for node in graph[::-1]:
        node.backward()

def sgd_update(trainables, learning_rate=0.01):
    for node in trainables:
        node.value = node.value - learning_rate * node.gradients[node]

if __name__ == "__main__":
    X, y, W1, b1, W2, b2 = (Input() for _ in range(6))
    cost = MSE(y, Linear(Sigmoid(Linear(X, W1, b1)), W2, b2))
    data, start = np.random.rand(50, 3), np.random.randn(2, 3, 3)
    graph = topological_sort({X: data, y: data ** 2, W1: start[0], b1: np.zeros(3), W2: start[1], b2: np.zeros(3)})
    for epoch in range(2000):
        forward_and_backward(graph)
        sgd_update([W1, b1, W2, b2], learning_rate=0.5)
    print(cost.value)

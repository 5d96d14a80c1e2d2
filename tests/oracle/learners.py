"""Classes as learners write them: nodes, values and layers, right ones, and edits that make them wrong.

The sources are run as they stand, and are no style of this package.
"""

from __future__ import annotations

from typing import Any

FLOW = """
import numpy as np

class Node:
    def __init__(self, inbound_nodes=()):
        self.inbound_nodes = list(inbound_nodes)
        self.outbound_nodes = []
        self.value = None
        self.gradients = {}
        for node in self.inbound_nodes:
            node.outbound_nodes.append(self)

    def forward(self):
        raise NotImplementedError

    def backward(self):
        raise NotImplementedError

class Input(Node):
    def __init__(self):
        Node.__init__(self)

    def forward(self):
        pass

    def backward(self):
        self.gradients = {self: 0}
        for node in self.outbound_nodes:
            self.gradients[self] += node.gradients[self]

class Add(Node):
    def __init__(self, x, y):
        Node.__init__(self, [x, y])

    def forward(self):
        self.value = self.inbound_nodes[0].value + self.inbound_nodes[1].value

    def backward(self):
        self.gradients = {node: 0 for node in self.inbound_nodes}
        for out in self.outbound_nodes:
            for node in self.inbound_nodes:
                self.gradients[node] = self.gradients[node] + out.gradients[self]

class Linear(Node):
    def __init__(self, X, W, b):
        Node.__init__(self, [X, W, b])

    def forward(self):
        X, W, b = (node.value for node in self.inbound_nodes)
        self.value = np.dot(X, W) + b

    def backward(self):
        X, W, b = self.inbound_nodes
        self.gradients = {node: np.zeros_like(node.value) for node in self.inbound_nodes}
        for out in self.outbound_nodes:
            grad = out.gradients[self]
            self.gradients[X] += np.dot(grad, W.value.T)
            self.gradients[W] += np.dot(X.value.T, grad)
            self.gradients[b] += np.sum(grad, axis=0)

class Sigmoid(Node):
    def __init__(self, x):
        Node.__init__(self, [x])

    def forward(self):
        self.value = 1 / (1 + np.exp(-self.inbound_nodes[0].value))

    def backward(self):
        x = self.inbound_nodes[0]
        self.gradients = {x: np.zeros_like(x.value)}
        for out in self.outbound_nodes:
            self.gradients[x] += out.gradients[self] * self.value * (1 - self.value)

class MSE(Node):
    def __init__(self, y, a):
        Node.__init__(self, [y, a])

    def forward(self):
        y = self.inbound_nodes[0].value.reshape(-1, 1)
        a = self.inbound_nodes[1].value.reshape(-1, 1)
        self.m = y.shape[0]
        self.diff = y - a
        self.value = np.mean(self.diff ** 2)

    def backward(self):
        self.gradients[self.inbound_nodes[0]] = 2 / self.m * self.diff
        self.gradients[self.inbound_nodes[1]] = -2 / self.m * self.diff

def topological_sort(feed_dict):
    order, seen = [], set()

    def visit(node):
        if node in seen:
            return
        seen.add(node)
        for out in node.outbound_nodes:
            visit(out)
        order.append(node)

    for node in feed_dict:
        node.value = feed_dict[node]
        visit(node)
    return order[::-1]

def forward_and_backward(graph):
    for node in graph:
        node.forward()
    for node in reversed(graph):
        node.backward()

def sgd_update(trainables, learning_rate=0.01):
    for node in trainables:
        node.value -= learning_rate * node.gradients[node]
"""

PLAIN_FLOW = """
from math import exp

class Op:
    def __init__(self, parents=()):
        self.parents, self.children, self.out, self.grads = list(parents), [], None, {}
        for p in self.parents:
            p.children.append(self)

    def upstream(self):
        return sum(c.grads[self] for c in self.children)

class Variable(Op):
    def forward(self):
        pass

    def backward(self):
        self.grads = {self: self.upstream()}

class Sum(Op):
    def __init__(self, *parents):
        Op.__init__(self, parents)

    def forward(self):
        self.out = sum(p.out for p in self.parents)

    def backward(self):
        self.grads = {p: self.upstream() for p in self.parents}

class Product(Op):
    def __init__(self, a, b):
        Op.__init__(self, [a, b])

    def forward(self):
        self.out = self.parents[0].out * self.parents[1].out

    def backward(self):
        a, b = self.parents
        self.grads = {a: self.upstream() * b.out, b: self.upstream() * a.out}

class Squash(Op):
    def __init__(self, a):
        Op.__init__(self, [a])

    def forward(self):
        self.out = 1 / (1 + exp(-self.parents[0].out))

    def backward(self):
        self.grads = {self.parents[0]: self.upstream() * self.out * (1 - self.out)}

def sort(node):
    order = []
    def visit(n):
        if n not in order:
            for p in n.parents:
                visit(p)
            order.append(n)
    visit(node)
    return order
"""

PUSHED = """
import numpy as np

class Node:
    def __init__(self, *inputs):
        self.inputs, self.value, self.grad = inputs, None, 0

class Placeholder(Node):
    def forward(self):
        return self.value

    def backward(self):
        pass

class Affine(Node):
    def forward(self):
        x, w, b = self.inputs
        self.value = x.value @ w.value + b.value

    def backward(self):
        x, w, b = self.inputs
        x.grad = x.grad + self.grad @ w.value.T
        w.grad = w.grad + x.value.T @ self.grad
        b.grad = b.grad + self.grad.sum(axis=0)

class Tanh(Node):
    def forward(self):
        self.value = np.tanh(self.inputs[0].value)

    def backward(self):
        self.inputs[0].grad = self.inputs[0].grad + self.grad * (1 - self.value ** 2)

class MeanSquaredError(Node):
    def forward(self):
        y, a = self.inputs
        self.diff = a.value - y.value.reshape(a.value.shape)
        self.value = np.mean(self.diff ** 2)

    def backward(self):
        self.inputs[1].grad = self.inputs[1].grad + 2 * self.diff / self.diff.size
"""

VALUE = """
import math

class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self.local = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        def local():
            self.grad += out.grad
            other.grad += out.grad
        out.local = local
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def local():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.local = local
        return out

    def __pow__(self, k):
        out = Value(self.data ** k, (self,))
        def local():
            self.grad += k * self.data ** (k - 1) * out.grad
        out.local = local
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other ** -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return -self + other

    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,))
        def local():
            self.grad += (1 - t * t) * out.grad
        out.local = local
        return out

    def relu(self):
        out = Value(max(0.0, self.data), (self,))
        def local():
            self.grad += (out.data > 0) * out.grad
        out.local = local
        return out

    def exp(self):
        out = Value(math.exp(self.data), (self,))
        def local():
            self.grad += out.data * out.grad
        out.local = local
        return out

    def backward(self):
        order, seen = [], set()
        def visit(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    visit(child)
                order.append(v)
        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v.local()
"""

SLOTS = """
import numpy as np

class Scalar:
    __slots__ = ("v", "grad", "parents", "back")

    def __init__(self, v, parents=(), back=lambda g: ()):
        self.v, self.grad, self.parents, self.back = float(v), 0.0, parents, back

    def __add__(self, o):
        return Scalar(self.v + o.v, (self, o), lambda g: (g, g))

    def __mul__(self, o):
        return Scalar(self.v * o.v, (self, o), lambda g: (g * o.v, g * self.v))

    def __sub__(self, o):
        return Scalar(self.v - o.v, (self, o), lambda g: (g, -g))

    def sigmoid(self):
        s = 1 / (1 + np.exp(-self.v))
        return Scalar(s, (self,), lambda g: (g * s * (1 - s),))

    def log(self):
        return Scalar(np.log(self.v), (self,), lambda g: (g / self.v,))

    def zero_grad(self):
        self.grad = 0.0

    def backward(self, g=1.0):
        self.grad += g
        for p, part in zip(self.parents, self.back(g)):
            p.backward(part)
"""

LAYERS = """
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out) * 0.1
        self.bias = np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, grad, learning_rate):
        below = grad @ self.weights.T
        self.weights -= learning_rate * self.x.T @ grad
        self.bias -= learning_rate * grad.sum(axis=0, keepdims=True)
        return below

class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, grad, learning_rate):
        return grad * self.out * (1 - self.out)

class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, grad, learning_rate):
        return grad * (1 - self.out ** 2)

class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, grad, learning_rate):
        return grad * (self.x > 0)

def mse(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)

def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_true.size
"""

COLUMNS = """
import numpy as np

class Layer:
    def forward(self, x):
        pass

    def backward(self, grad, rate):
        pass

class Dense(Layer):
    def __init__(self, inputs, outputs):
        self.weights = np.random.randn(outputs, inputs)
        self.bias = np.random.randn(outputs, 1)

    def forward(self, x):
        self.x = x
        return self.weights @ x + self.bias

    def backward(self, grad, rate):
        below = self.weights.T @ grad
        self.weights -= rate * grad @ self.x.T
        self.bias -= rate * grad
        return below

class Activation(Layer):
    def __init__(self, f, f_prime):
        self.f, self.f_prime = f, f_prime

    def forward(self, x):
        self.x = x
        return self.f(x)

    def backward(self, grad, rate):
        return grad * self.f_prime(self.x)

class Tanh(Activation):
    def __init__(self):
        super().__init__(np.tanh, lambda x: 1 - np.tanh(x) ** 2)

class Softmax(Layer):
    def forward(self, x):
        e = np.exp(x)
        self.out = e / e.sum()
        return self.out

    def backward(self, grad, rate):
        return self.out * (grad - (grad * self.out).sum())

def cross_entropy(y_true, y_pred):
    return -np.sum(y_true * np.log(y_pred))

def cross_entropy_prime(y_true, y_pred):
    return -y_true / y_pred
"""

STORED = """
import numpy as np

class DenseLayer:
    def __init__(self, n_inputs, n_neurons):
        self.weights = np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases
        return self.output

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)

class SoftmaxLayer:
    def forward(self, inputs):
        e = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = e / np.sum(e, axis=1, keepdims=True)
        return self.output

    def backward(self, dvalues):
        inner = np.sum(dvalues * self.output, axis=1, keepdims=True)
        self.dinputs = self.output * (dvalues - inner)

class CrossEntropy:
    def forward(self, y_pred, y_true):
        return -np.mean(np.sum(y_true * np.log(y_pred), axis=1))

    def backward(self, y_pred, y_true):
        self.dinputs = -y_true / y_pred / len(y_pred)
"""

SHARED = """
import numpy as np

class Linear:
    def __init__(self, n_in, n_out):
        self.params = {"W": np.random.randn(n_in, n_out), "b": np.zeros(n_out)}
        self.grads = {}

    def forward(self, X):
        self.X = X
        return X.dot(self.params["W"]) + self.params["b"]

    def backward(self, dout):
        m = self.X.shape[0]
        self.grads["W"] = self.X.T.dot(dout) / m
        self.grads["b"] = dout.sum(axis=0) / m
        return dout.dot(self.params["W"].T)

class ReLU:
    def forward(self, X):
        self.mask = X > 0
        return X * self.mask

    def backward(self, dout):
        return dout * self.mask

class MSELoss:
    def forward(self, pred, target):
        self.d = pred - target
        return 0.5 * np.sum(self.d ** 2) / len(target)

    def backward(self):
        return self.d
"""

MINUS = """
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.w, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, error):
        self.error = error
        return error @ self.w.T

    def update(self, rate):
        self.w += rate * self.x.T @ self.error
        self.b += rate * self.error.sum(axis=0)

class Logistic:
    def forward(self, x):
        self.a = 1 / (1 + np.exp(-x))
        return self.a

    def backward(self, error):
        return error * self.a * (1 - self.a)

def sse(y, a):
    return 0.5 * np.sum((y - a) ** 2)

def sse_derivative(y, a):
    return y - a
"""

PLAIN_LAYERS = """
import random
from math import tanh

class Dense:
    def __init__(self, n_in, n_out):
        self.w = [[random.uniform(-1, 1) for _ in range(n_in)] for _ in range(n_out)]
        self.b = [0.0] * n_out

    def forward(self, x):
        self.x = x
        return [sum(w * xi for w, xi in zip(row, x)) + b for row, b in zip(self.w, self.b)]

    def backward(self, grad, lr):
        below = [sum(g * row[j] for g, row in zip(grad, self.w)) for j in range(len(self.x))]
        for i, g in enumerate(grad):
            for j, xj in enumerate(self.x):
                self.w[i][j] -= lr * g * xj
            self.b[i] -= lr * g
        return below

class Tanh:
    def forward(self, x):
        self.a = [tanh(v) for v in x]
        return self.a

    def backward(self, grad, lr):
        return [g * (1 - a * a) for g, a in zip(grad, self.a)]

def mse(y, p):
    return sum((a - b) ** 2 for a, b in zip(y, p)) / len(y)

def mse_grad(y, p):
    return [2 * (b - a) / len(y) for a, b in zip(y, p)]
"""

RIGHT = {
    "nodes": FLOW,
    "nodes of numbers": PLAIN_FLOW,
    "nodes that push": PUSHED,
    "values": VALUE,
    "values with slots": SLOTS,
    "layers": LAYERS,
    "layers of columns": COLUMNS,
    "layers that keep gradients": STORED,
    "layers that share a factor": SHARED,
    "layers with two signs turned": MINUS,
    "layers of lists": PLAIN_LAYERS,
}

Edit = tuple[str, str, str, str]  # what stands there, what takes its place, the method, and the mistake

FLOW_EDITS: list[Edit] = [
    (
        "self.gradients[self] += node.gradients[self]",
        "self.gradients[self] = node.gradients[self]",
        "Input.backward",
        "overwritten instead of accumulated",
    ),
    (
        "self.gradients[node] + out.gradients[self]",
        "out.gradients[self]",
        "Add.backward",
        "overwritten instead of accumulated",
    ),
    ("self.gradients[node] + out.gradients[self]", "self.gradients[node] + 1.0", "Add.backward", ""),
    ("np.dot(grad, W.value.T)", "np.dot(grad, W.value)", "Linear.backward", "weights transposed"),
    ("np.dot(X.value.T, grad)", "np.dot(grad.T, X.value)", "Linear.backward", "weight gradient transposed"),
    ("np.dot(X.value.T, grad)", "np.dot(X.value.T, grad) / len(grad)", "Linear.backward", "factor 1 / n"),
    ("np.sum(grad, axis=0)", "np.mean(grad, axis=0)", "Linear.backward", "bias gradient averaged"),
    ("np.sum(grad, axis=0)", "grad[-1]", "Linear.backward", "bias gradient of one sample"),
    (
        "self.gradients[W] += np.dot",
        "self.gradients[W] = np.dot",
        "Linear.backward",
        "overwritten instead of accumulated",
    ),
    ("np.dot(X, W) + b", "np.dot(X, W)", "Linear.forward", "forward is wrong"),
    ("* (1 - self.value)", "", "Sigmoid.backward", ""),
    (
        "* self.value * (1 - self.value)",
        "* (lambda s: s * (1 - s))(1 / (1 + np.exp(-self.value)))",
        "Sigmoid.backward",
        "squashed twice",
    ),
    (
        "out.gradients[self] * self.value * (1 - self.value)",
        "self.value * (1 - self.value)",
        "Sigmoid.backward",
        "what comes back is left out",
    ),
    (
        "* self.value * (1 - self.value)",
        "* x.value * (1 - x.value)",
        "Sigmoid.backward",
        "formula for the output given the input",
    ),
    (
        "self.gradients = {x: np.zeros_like(x.value)}",
        "self.gradients.setdefault(x, np.zeros_like(x.value))",
        "Sigmoid.backward",
        "not reset between calls",
    ),
    ("np.exp(-self", "np.exp(self", "Sigmoid.forward", "forward is wrong"),
    ("-2 / self.m * self.diff", "2 / self.m * self.diff", "MSE.backward", "sign turned"),
    ("-2 / self.m * self.diff", "-1 / self.m * self.diff", "MSE.backward", "factor ½"),
    ("-2 / self.m * self.diff", "-2 * self.diff", "MSE.backward", "factor n"),
    (
        "self.inbound_nodes[0].value.reshape(-1, 1)",
        "self.inbound_nodes[0].value",
        "MSE.",
        "(n,) minus (n, 1)",
    ),
    ("return order[::-1]", "return order", "topological_sort", "wrong order"),
    ("in reversed(graph)", "in graph", "forward_and_backward", "raises KeyError"),
    ("node.value -= ", "node.value += ", "sgd_update", "sign turned"),
    ("learning_rate * node", "2 * learning_rate * node", "sgd_update", "factor 2"),
]

VALUE_EDITS: list[Edit] = [
    (
        "self.grad += out.grad\n            other.grad += out.grad",
        "self.grad = out.grad\n            other.grad = out.grad",
        "Value.__add__",
        "overwritten instead of accumulated",
    ),
    (
        "self.grad += out.grad\n            other.grad += out.grad",
        "self.grad += 1.0\n            other.grad += 1.0",
        "Value.__add__",
        "what comes back is left out",
    ),
    ("other.grad += out.grad", "other.grad -= out.grad", "Value.__add__", "sign turned"),
    ("self.grad += other.data * out.grad", "self.grad += self.data * out.grad", "Value.__mul__", ""),
    (
        "self.grad += other.data * out.grad",
        "self.grad = other.data * out.grad",
        "Value.__mul__",
        "overwritten instead of accumulated",
    ),
    ("k * self.data ** (k - 1)", "self.data ** (k - 1)", "Value.__pow__", "factor ½"),
    ("self + (-other)", "other + (-self)", "Value.__sub__", "forward is wrong"),
    ("return -self + other", "return self + (-other)", "Value.__rsub__", "forward is wrong"),
    ("(1 - t * t) * out.grad", "(1 - t * t)", "Value.tanh", "what comes back is left out"),
    ("(1 - t * t) * out.grad", "out.grad", "Value.tanh", "activation derivative missing"),
    ("(1 - t * t) * out.grad", "(1 - self.data ** 2) * out.grad", "Value.tanh", "formula for the output"),
    ("self.grad += (1 - t * t)", "self.grad = (1 - t * t)", "Value.tanh", "overwritten instead of accumulated"),
    ("t = math.tanh(self.data)", "t = math.tanh(2 * self.data)", "Value.tanh", "forward is wrong"),
    ("(out.data > 0) * out.grad", "out.grad", "Value.relu", "activation derivative missing"),
    ("Value(math.exp(self.data), (self,))", "Value(math.exp(self.data))", "Value.exp", "the gradient of x, g is 0"),
    ("self.grad += out.data * out.grad", "self.grad += out.dat * out.grad", "Value.", "raises AttributeError"),
    ("        self.grad = 1.0\n", "", "Value.backward", "it has no gradient of 1"),
    ("in reversed(order)", "in order", "Value.backward", "wrong order"),
    (
        "for v in reversed(order):\n            v.local()",
        "def down(v):\n            v.local()\n            [down(c) for c in v.children]\n        down(self)",
        "Value.backward",
        "wrong order",
    ),
]

LAYER_EDITS: list[Edit] = [
    ("grad @ self.weights.T", "grad @ self.weights", "Dense.backward", "weights transposed"),
    (
        "below = grad @ self.weights.T\n        self.weights -= learning_rate * self.x.T @ grad",
        "self.weights -= learning_rate * self.x.T @ grad\n        below = grad @ self.weights.T",
        "Dense.backward",
        "updated weights used",
    ),
    ("self.weights -= ", "self.weights += ", "Dense.backward", "sign turned"),
    ("self.x.T @ grad", "self.x.T @ grad / len(grad)", "Dense.backward", "factor 1/n"),
    ("grad.sum(axis=0, keepdims=True)", "grad.mean(axis=0, keepdims=True)", "Dense.backward", "bias gradient averaged"),
    ("self.bias -= learning_rate * grad", "learning_rate * grad", "Dense.backward", "not changed"),
    (
        "self.bias -= learning_rate * grad.sum(axis=0, keepdims=True)",
        "self.bias = self.bias - learning_rate * grad",
        "Dense.backward",
        "wrong shape",
    ),
    ("x @ self.weights + self.bias", "x @ self.weights - self.bias", "Dense.forward", "forward is wrong"),
    ("self.out * (1 - self.out)", "(1 - self.out)", "Sigmoid.backward", ""),
    (
        "grad * self.out * (1 - self.out)",
        "self.out * (1 - self.out)",
        "Sigmoid.backward",
        "what comes back is left out",
    ),
    ("1 / (1 + np.exp(-x))", "1 / (1 + np.exp(x))", "Sigmoid.forward", "forward is wrong"),
    ("(1 - self.out ** 2)", "(1 - np.tanh(self.out) ** 2)", "Tanh.backward", "squashed twice"),
    ("grad * (self.x > 0)", "grad", "ReLU.backward", "activation derivative missing"),
    ("grad * (self.x > 0)", "gradient * (self.x > 0)", "ReLU.backward", "raises NameError"),
    ("2 * (y_pred - y_true)", "2 * (y_true - y_pred)", "mse_prime", "sign turned"),
    ("2 * (y_pred - y_true)", "(y_pred - y_true)", "mse_prime", "factor ½"),
]
STORED_EDITS: list[Edit] = [
    (
        "np.dot(self.inputs.T, dvalues)",
        "np.dot(dvalues.T, self.inputs)",
        "DenseLayer.backward",
        "weight gradient transposed",
    ),
    ("np.sum(dvalues, axis=0, keepdims=True)", "dvalues", "DenseLayer.backward", "wrong shape"),
    (
        "self.dweights = np",
        "self.dweights = getattr(self, 'dweights', 0) + np",
        "DenseLayer.backward",
        "not reset between calls",
    ),
    (
        "self.output * (dvalues - inner)",
        "self.output * (1 - self.output) * dvalues",
        "SoftmaxLayer.backward",
        "softmax Jacobian taken as diagonal",
    ),
    ("/ y_pred / len(y_pred)", "/ y_pred", "CrossEntropy.backward", "factor n"),
]
EDITS = {
    "nodes": FLOW_EDITS,
    "values": VALUE_EDITS,
    "layers": LAYER_EDITS,
    "layers that keep gradients": STORED_EDITS,
}


def namespace_of(source: str, old: str = "", new: str = "") -> dict[str, Any]:
    """What the source defines, with one place of it changed."""
    assert old in source
    names: dict[str, Any] = {"__name__": "learner"}
    exec(compile(source.replace(old, new, 1) if old else source, "learner.py", "exec"), names)
    return names

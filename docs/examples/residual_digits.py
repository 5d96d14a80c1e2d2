"""A residual network on handwritten digits: h + tanh(h Wᵀ + b) in each block, trained by plain gradient descent.

PYTHONPATH=. python3 docs/examples/residual_digits.py  (where purebp is installed, without PYTHONPATH)
"""

from random import Random

from purebp import Add, Input, Linear, Parameter, SoftmaxCrossEntropy, Tanh
from purebp import backward_graph, forward_graph, sgd_step, topological_order
from purebp.cli.training.datasets import load, scalings, split

WIDTH, BLOCKS, EPOCHS, SAMPLES, RATE, SEED = 32, 2, 3, 16, 0.1, 0


def block(h, number):
    """What goes in comes out again, with a correction: its gradient has two parts, which are added up."""
    weights, biases = Parameter(f"W{number}", (WIDTH, WIDTH)), Parameter(f"b{number}", (WIDTH,))
    return Add(h, Tanh(Linear(h, weights, biases)), name=f"h{number}")


def graph():
    x, y = Input("x", (None, 64)), Input("y", (None, 10))
    h = Tanh(Linear(x, Parameter("A", (WIDTH, 64)), Parameter("a", (WIDTH,))), name="h0")
    for number in range(1, BLOCKS + 1):
        h = block(h, number)
    logits = Linear(h, Parameter("V", (10, WIDTH)), Parameter("c", (10,)), name="logits")
    return SoftmaxCrossEntropy(y, logits, name="loss"), logits


def initial(node, random):
    """Values for all parameters of the graph: uniform in ±√(6/(n_in + n_out)), biases 0 (Glorot and Bengio 2010)."""
    parameters = {}
    for each in topological_order(node):
        if each.trained and len(each.shape) == 2:
            n_out, n_in = each.shape
            bound = (6 / (n_in + n_out)) ** 0.5
            parameters[each.name] = [[random.uniform(-bound, bound) for _ in range(n_in)] for _ in range(n_out)]
        elif each.trained:
            parameters[each.name] = [0.0] * each.shape[0]
    return parameters


def accuracy(logits, parameters, inputs, targets):
    rows = forward_graph(logits, parameters | {"x": inputs})[logits]
    return sum(row.index(max(row)) == list(y).index(1.0) for row, y in zip(rows, targets)) / len(rows)


def main():
    digits, random = load("digits"), Random(SEED)
    training, test = split(digits, 0.2, SEED)
    scaled, _ = scalings(digits, training)
    inputs, targets = scaled.apply(training.inputs), training.targets
    loss, logits = graph()
    parameters = initial(loss, random)
    order = list(range(len(inputs)))
    for epoch in range(1, EPOCHS + 1):
        random.shuffle(order)
        for start in range(0, len(order), SAMPLES):
            chosen = order[start : start + SAMPLES]
            batch = {"x": [inputs[i] for i in chosen], "y": [targets[i] for i in chosen]}
            parameters = sgd_step(parameters, backward_graph(loss, parameters | batch), RATE)
        if epoch % 3 == 0:
            print(f"epoch {epoch:2}: {accuracy(logits, parameters, inputs, targets):5.1%} of the training samples")
    right = accuracy(logits, parameters, scaled.apply(test.inputs), test.targets)
    print(f"{right:5.1%} of {len(test.inputs)} test samples, with {BLOCKS} residual blocks")
    return right


if __name__ == "__main__":
    main()

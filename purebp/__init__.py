"""purebp: backpropagation written down once, plainly, in pure Python.

>>> network = Network.random([2, 3, 1], "sigmoid", seed=1)
>>> batch = Batch([[0.0, 1.0], [1.0, 1.0]], [[1.0], [0.0]])
>>> gradients = backpropagation(network, batch, mse)
>>> better = sgd_step(network, gradients, learning_rate=0.5)
>>> evaluate(better, batch) < evaluate(network, batch)
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from purebp.textbook.activations import (
    Activation,
    activation,
    elu,
    gelu,
    identity,
    leaky_relu,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from purebp.textbook.arithmetic import FLOAT, Arithmetic, PurebpError
from purebp.textbook.backprop import Trace, backpropagation, evaluate, forward
from purebp.textbook.linalg import dot, hadamard, inner, transpose
from purebp.textbook.losses import (
    Loss,
    binary_cross_entropy,
    cross_entropy,
    half_mse,
    half_sse,
    huber,
    loss,
    mae,
    mse,
    sse,
)
from purebp.textbook.network import Batch, Gradients, Layer, LayerGradients, Network
from purebp.textbook.optimizers import adam_step, momentum_step, sgd_step

if TYPE_CHECKING:
    from purebp.graph import *  # noqa: F403  # nodes and operations, all of them
    from purebp.graphs.drawing import to_dot, to_svg
    from purebp.textbook.differences import central_differences, complex_step, numerical_gradients, richardson
    from purebp.textbook.explanation import Explanation, explain
    from purebp.textbook.serialization import from_json, to_json
    from purebp.textbook.training import Epoch, train

__version__ = "0.1.0"

# Loaded when first asked for, so that `import purebp` takes no longer than the recurrence needs (PEP 562).
_LATER = {
    "textbook.differences": ("central_differences", "complex_step", "numerical_gradients", "richardson"),
    "graphs.drawing": ("to_dot", "to_svg"),
    "textbook.explanation": ("Explanation", "explain"),
    "textbook.serialization": ("from_json", "to_json"),
    "textbook.training": ("Epoch", "train"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'purebp' has no attribute {name!r}")
    module = next((module for module, names in _LATER.items() if name in names), "graph")  # nodes and operations
    return getattr(import_module(f"purebp.{module}"), name)


__all__ = [
    "Activate",
    "Activation",
    "Add",
    "Arithmetic",
    "Batch",
    "BinaryCrossEntropy",
    "Concatenate",
    "Constant",
    "Cost",
    "CrossEntropy",
    "Divide",
    "ELU",
    "Epoch",
    "Exp",
    "Explanation",
    "FLOAT",
    "GELU",
    "Gradients",
    "GraphGradients",
    "HalfMSE",
    "HalfSSE",
    "Huber",
    "Identity",
    "Input",
    "Layer",
    "LayerGradients",
    "LeakyReLU",
    "Linear",
    "Log",
    "Loss",
    "MAE",
    "MSE",
    "MatMul",
    "Mean",
    "Multiply",
    "Negative",
    "Network",
    "Node",
    "Operation",
    "Parameter",
    "PurebpError",
    "ReLU",
    "Reshape",
    "SSE",
    "SiLU",
    "Sigmoid",
    "SigmoidBinaryCrossEntropy",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "Subtract",
    "Sum",
    "Tanh",
    "Trace",
    "Transpose",
    "Values",
    "activation",
    "adam_step",
    "backpropagation",
    "backward_graph",
    "binary_cross_entropy",
    "central_differences",
    "complex_step",
    "cross_entropy",
    "dot",
    "elu",
    "evaluate",
    "explain",
    "forward",
    "forward_graph",
    "from_json",
    "gelu",
    "hadamard",
    "half_mse",
    "half_sse",
    "huber",
    "identity",
    "inner",
    "leaky_relu",
    "loss",
    "mae",
    "momentum_step",
    "mse",
    "numerical_gradients",
    "relu",
    "richardson",
    "sgd_step",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "sse",
    "tanh",
    "to_dot",
    "to_feed",
    "to_graph",
    "to_json",
    "to_svg",
    "topological_order",
    "train",
    "transpose",
]

"""The lesson's steps by name: every quantity of the backward pass, in the order in which one computes it.

>>> from purebp.textbook.network import Layer
>>> network = Network([Layer([[0.5, 0.25]], None, "identity"), Layer([[2.0]], None, "identity")])
>>> print(explain(network, Batch([[1.0, 2.0]], [[1.0]]), "half_sse", 0.25))
half_sse of the 2-1-1 network on 1 sample: 0.5
<BLANKLINE>
inputs, a⁰
  1  2
pre-activations of layer 1, z¹ = a⁰ W¹ᵀ
  1
activations of layer 1, a¹ = identity(z¹)
  1
pre-activations of layer 2, z² = a¹ W²ᵀ
  2
activations of layer 2, a² = identity(z²)
  2
<BLANKLINE>
 1. output error: ŷ − y
      1
 2. output delta (delta output sum): δ² = ∂loss/∂ŷ ⊙ f′(z²)
      1
 3. error passed to layer 1 (layer1 error): e¹ = δ² W²
      2
 4. hidden delta, layer 1: δ¹ = e¹ ⊙ f′(z¹)
      2
 5. weight gradients, layer 2: ∂loss/∂W² = δ²ᵀ a¹
      1
 6. weight gradients, layer 1: ∂loss/∂W¹ = δ¹ᵀ a⁰
      2  4
 7. updated weights, layer 2: W² − 0.25 ∂loss/∂W²
      1.75
 8. updated weights, layer 1: W¹ − 0.25 ∂loss/∂W¹
      0  -0.75
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite

from purebp.textbook import losses
from purebp.textbook.activations import Elementwise
from purebp.textbook.arithmetic import Matrix
from purebp.textbook.backprop import Trace, backpropagation, error_below, evaluate, forward, frozen
from purebp.textbook.linalg import subtract
from purebp.textbook.losses import Loss, mse
from purebp.textbook.names import superscript as _sup
from purebp.textbook.network import Batch, Gradients, Network
from purebp.textbook.optimizers import sgd_step


@dataclass(frozen=True, slots=True)
class Step:
    """One quantity: its name, the formula, its values, and the layer as an index of `network.layers`, from 0 on."""

    name: str
    formula: str
    layer: int
    values: Matrix


@dataclass(frozen=True, slots=True)
class Explanation:
    """The forward pass, the steps of the backward pass, and what they lead to; `str()` is the text."""

    network: Network
    loss: str
    value: float
    trace: Trace
    steps: tuple[Step, ...]
    gradients: Gradients
    updated: Network

    def to_json(self) -> str:
        """The same quantities as one JSON object: loss, value (null if infinite), the forward pass, the steps in order."""
        steps = [{"name": s.name, "formula": s.formula, "layer": s.layer, "values": s.values} for s in self.steps]
        value = self.value if isfinite(self.value) else None
        forward_pass = {
            "inputs": self.trace.inputs,
            "pre_activations": self.trace.pre_activations,
            "activations": self.trace.activations,
            "outputs": self.trace.outputs,
        }
        quantities = {"loss": self.loss, "value": value, **forward_pass, "steps": steps}
        return json.dumps(quantities, ensure_ascii=False)

    def __str__(self) -> str:
        samples = len(self.trace.inputs)
        sizes = "-".join(map(str, self.network.sizes))
        plural = "" if samples == 1 else "s"
        lines = [f"{self.loss} of the {sizes} network on {samples} sample{plural}: {self.value:.9g}", ""]
        lines += ["inputs, a⁰", *_table(self.trace.inputs, 2)]
        passes = zip(self.network.layers, self.trace.pre_activations, self.trace.activations)
        for l, (layer, z, a) in enumerate(passes, start=1):
            formula = f"a{_sup(l - 1)} W{_sup(l)}ᵀ" + (f" + b{_sup(l)}" if layer.biases is not None else "")
            lines += [f"pre-activations of layer {l}, z{_sup(l)} = {formula}", *_table(z, 2)]
            lines += [f"activations of layer {l}, a{_sup(l)} = {layer.activation.name}(z{_sup(l)})", *_table(a, 2)]
        lines.append("")
        for number, step in enumerate(self.steps, start=1):
            lines += [f"{number:2}. {step.name}: {step.formula}", *_table(step.values, 6)]
        return "\n".join(lines)


def explain(network: Network, batch: Batch, loss: Loss | str = mse, learning_rate: float = 1.0) -> Explanation:
    """Every quantity of backpropagation by the name the lessons give it, and the weights after one `sgd_step`.

    The order is theirs: output error, output delta, then layer by layer the error passed down and the delta
    it gives; the gradients of each layer, last first; the updated weights and biases. Each step's values are a
    matrix: samples × n_out for errors and deltas, the shape of the parameters (biases as one row) otherwise.

    >>> from purebp.textbook.network import Layer
    >>> network = Network([Layer([[2.0]], None, "identity")])
    >>> [step.name for step in explain(network, Batch([[1.0]], [[5.0]])).steps]
    ['output error', 'output delta (delta output sum)', 'weight gradients, layer 1', 'updated weights, layer 1']
    """
    trace, gradients = forward(network, batch.inputs), backpropagation(network, batch, loss)
    updated = sgd_step(network, gradients, learning_rate)
    last = len(network.layers) - 1
    steps = [Step("output error", "ŷ − y", last, frozen(subtract(trace.outputs, batch.targets)))]
    for l in reversed(range(last + 1)):
        n, above, deltas = _sup(l + 1), _sup(l + 2), gradients.layers[l].deltas
        if l == last:
            fused = losses.loss(loss).fused_with(network.layers[l].activation)
            formula = f"∂loss/∂z{n}, from ŷ − y in one step" if fused else _through(network, l, "∂loss/∂ŷ")
            steps.append(Step("output delta (delta output sum)", f"δ{n} = {formula}", l, deltas))
            continue
        error = error_below(gradients.layers[l + 1].deltas, network.layers[l + 1].weights)
        name = f"error passed to layer {l + 1} (layer{l + 1} error)"
        steps.append(Step(name, f"e{n} = δ{above} W{above}", l, frozen(error)))
        steps.append(Step(f"hidden delta, layer {l + 1}", f"δ{n} = {_through(network, l, f'e{n}')}", l, deltas))
    for l in reversed(range(last + 1)):
        n, below, found = _sup(l + 1), _sup(l), gradients.layers[l]
        steps.append(Step(f"weight gradients, layer {l + 1}", f"∂loss/∂W{n} = δ{n}ᵀ a{below}", l, found.weights))
        if found.biases is not None:
            steps.append(Step(f"bias gradients, layer {l + 1}", f"∂loss/∂b{n} = Σ δ{n}", l, (found.biases,)))
    for l in reversed(range(last + 1)):
        n, rate, new = _sup(l + 1), f"{learning_rate:g}", updated.layers[l]
        steps.append(Step(f"updated weights, layer {l + 1}", f"W{n} − {rate} ∂loss/∂W{n}", l, new.weights))
        if new.biases is not None:
            steps.append(Step(f"updated biases, layer {l + 1}", f"b{n} − {rate} ∂loss/∂b{n}", l, (new.biases,)))
    value = evaluate(network, batch, loss)
    return Explanation(network, losses.loss(loss).name, value, trace, tuple(steps), gradients, updated)


def _through(network: Network, l: int, error: str) -> str:
    """How an error passes back through the activation of layer l: by one factor each, or by the Jacobian J, as of softmax."""
    z = f"z{_sup(l + 1)}"
    return f"{error} ⊙ f′({z})" if isinstance(network.layers[l].activation, Elementwise) else f"{error} J({z})"


def _table(rows: Matrix, indent: int, most: int = 10) -> list[str]:
    """Aligned columns, nine significant digits; beyond `most` rows or columns an ellipsis and the full number."""
    cells = [[f"{x:.9g}" for x in row[:most]] for row in rows[:most]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    more = f"  … {len(rows[0])} columns" if len(rows[0]) > most else ""
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)) + more for row in cells]
    if len(rows) > most:
        lines.append(f"… {len(rows)} rows")
    return [" " * indent + line for line in lines]

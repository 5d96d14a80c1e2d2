"""Training as an iterator: one frozen `Epoch` after the other, so that the caller decides what to keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, isfinite
from numbers import Integral
from random import Random

from purebp.textbook import losses
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.backprop import backpropagation, evaluate
from purebp.textbook.losses import Loss, mse
from purebp.textbook.network import Batch, Gradients, Network
from purebp.textbook.optimizers import State, adam_step, momentum_step, sgd_step

Optimizer = Callable[[Network, State | None, Gradients, float], tuple[Network, State | None]]
OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": lambda network, state, gradients, rate: (sgd_step(network, gradients, rate), None),
    "momentum": momentum_step,
    "adam": adam_step,
}


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the data: its number from 1, the network after it, and that network's losses."""

    epoch: int
    network: Network
    loss: float
    validation_loss: float | None
    state: State | None


def train(
    network: Network,
    data: Batch,
    *,
    loss: Loss | str = mse,
    optimizer: str | Optimizer = "sgd",
    learning_rate: float = 0.1,
    epochs: int = 100,
    batch_size: int | None = None,
    seed: int = 0,
    validation: Batch | None = None,
    target_loss: float | None = None,
    patience: int | None = None,
    state: State | None = None,
) -> Iterator[Epoch]:
    """Gradient descent on shuffled mini-batches; the same seed gives the same bits.

    batch_size None is the whole data at once, 1 is stochastic descent on single samples. The iterator ends
    after `epochs`, once the loss is at most `target_loss`, or when it has not improved for `patience` epochs;
    the loss watched is that of the validation data where there is any. `optimizer` is "sgd", "momentum",
    "adam", or a function (network, state, gradients, learning_rate) → (network, state).

    >>> from purebp import Layer
    >>> line = Batch([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])
    >>> *_, last = train(Network([Layer([[0.0]], [0.0], "identity")]), line, epochs=200)
    >>> [round(parameter, 3) for parameter in last.network.parameters()]
    [2.0, 1.0]
    """
    loss = losses.loss(loss)
    if getattr(optimizer, "__name__", "") == "sgd_step":
        optimizer = "sgd"  # it has no state to hand on
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZERS:
            raise PurebpError(f"unknown optimizer {optimizer!r}; known are {', '.join(OPTIMIZERS)}")
        optimizer = OPTIMIZERS[optimizer]
    counts = {"epochs": epochs, "batch_size": batch_size, "patience": patience}
    for name, number in counts.items():
        if (number is not None or name == "epochs") and not (isinstance(number, Integral) and number > 0):
            raise PurebpError(f"{name} is {number!r}: a whole number above 0 is wanted")
    step, random, size = optimizer, Random(seed), batch_size or len(data.inputs)

    def run() -> Iterator[Epoch]:
        current, memory, best, stale = network, state, inf, 0
        order = list(range(len(data.inputs)))
        for epoch in range(1, epochs + 1):
            if batch_size is not None:
                random.shuffle(order)
            for start in range(0, len(order), size):
                chosen = order[start : start + size]
                batch = Batch([data.inputs[i] for i in chosen], [data.targets[i] for i in chosen])
                current, memory = step(current, memory, backpropagation(current, batch, loss), learning_rate)
            value = evaluate(current, data, loss)
            validation_loss = None if validation is None else evaluate(current, validation, loss)
            if not isfinite(value):
                raise PurebpError(f"diverged: the loss after epoch {epoch} is {value}; lower the learning rate")
            yield Epoch(epoch, current, value, validation_loss, memory)
            watched = value if validation_loss is None else validation_loss
            best, stale = (watched, 0) if watched < best else (best, stale + 1)
            if (target_loss is not None and watched <= target_loss) or (patience is not None and stale >= patience):
                return

    return run()

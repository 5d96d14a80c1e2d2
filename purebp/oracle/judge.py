"""`judge`: a single answer held against its error budgets, with nothing called."""

from __future__ import annotations

from typing import Any

from purebp.number_systems.formats import Format, is_exact
from purebp.oracle.answer import Claim
from purebp.oracle.asking.candidate import ask
from purebp.oracle.asking.declared import Declared
from purebp.oracle.cases import Case
from purebp.oracle.layers import Layers
from purebp.oracle.pipeline import judged
from purebp.oracle.reports.report import Report
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.losses import Loss
from purebp.textbook.network import Batch, Gradients, Network


def judge(
    network: Network,
    batch: Batch,
    claimed: Gradients | Claim | tuple[Any, Any] | dict[str, Any],
    loss: Loss | str | None = "mse",
    format: str | Format = "binary64",
    *,
    returns: str | None = "gradients",
    learning_rate: float | None = None,
    stored: str | None = None,
    strict: bool = False,
    name: str = "answer",
) -> Report:
    """Judge one answer, without calling anything: `Gradients`, (weight gradients, bias gradients), or a dictionary.

    >>> from purebp import backpropagation
    >>> network, batch = Network.random([2, 3, 1]), Batch([[0.5, -1.0]], [[1.0]])
    >>> judge(network, batch, backpropagation(network, batch, "sse"), "sse").verdict
    'correct'
    """
    if not isinstance(network, Network):
        raise PurebpError(
            f"{network!r:.60} is no Network: judge takes one; of a graph, check_graph asks for the gradients, and of any other "
            "program check_backward"
        )
    declared = Declared(
        tuple(layer.activation for layer in network.layers),
        loss,
        biases=any(layer.biases is not None for layer in network.layers),
        returns=returns,
        learning_rate=learning_rate,
        format=format,
        stored=stored,
        strict=strict,
    )
    if (kept := declared.format.kept) is not None:
        rows = (network.parameters(), *batch.inputs, *batch.targets)
        if (other := next((x for row in rows for x in row if not is_exact(x, kept)), None)) is not None:
            raise PurebpError(
                f"{other!r} is no number of {kept.name}, and with results stored once all that is given must be: round it"
            )
    case = Case("the case", network, batch)
    return judged(Layers(declared), [case], [ask(lambda *given: claimed, case, declared)], name)

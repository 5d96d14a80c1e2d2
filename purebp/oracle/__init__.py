"""Judging other implementations: `check` a candidate, `judge` an answer, `diagnose` a mistake, certify a gradient.

>>> from purebp import Batch, Layer, Network
>>> network, batch = Network([Layer([[0.5]], None, "sigmoid")]), Batch([[1.0]], [[0.0]])
>>> certified_gradients(network, batch, "sse").layers[0].weights[0][0].value
0.29256050705391...
>>> judge(network, batch, ([[[0.2926]]], None), "sse").verdict
'wrong'
"""

from __future__ import annotations

from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, overload

from purebp.oracle import certify as _certify
from purebp.oracle import check as _check
from purebp.oracle.certify import (
    Certified,
    CertifiedGradients,
    CertifiedLayer,
    certified_loss,
    certified_outputs,
)
from purebp.oracle.explaining.diagnosis import Diagnosis, diagnose
from purebp.oracle.judge import judge
from purebp.oracle.reports.report import CaseReport, Report
from purebp.oracle.ways import check_anything
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.network import Batch, Network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purebp.graphs.engine import Feed, Values
    from purebp.graphs.nodes import Node
    from purebp.oracle.asking.candidate import Candidate
    from purebp.oracle.certify_graph import certified_graph
    from purebp.oracle.certify_program import certified_backward
    from purebp.oracle.check_backwards import check_backward
    from purebp.oracle.check_graphs import check_graph
    from purebp.textbook.losses import Loss

__all__ = [
    "CaseReport",
    "Certified",
    "CertifiedGradients",
    "CertifiedLayer",
    "Diagnosis",
    "Report",
    "certified_backward",
    "certified_gradients",
    "certified_graph",
    "certified_hessian_product",
    "certified_loss",
    "certified_outputs",
    "check",
    "check_backward",
    "check_graph",
    "diagnose",
    "judge",
]

_OTHERS = {  # loaded for who has one (PEP 562)
    "check_graph": "check_graphs",
    "certified_graph": "certify_graph",
    "check_backward": "check_backwards",
    "certified_backward": "certify_program",
}


def __getattr__(name: str) -> Any:
    if name not in _OTHERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_OTHERS[name]}"), name)


@wraps(_check.check)
def check(candidate: Candidate, *, graph: Node | None = None, **declared: Any) -> Report:
    if graph is None:
        return check_anything(candidate, **declared)
    of_graphs = {"returns", "learning_rate", "format", "stored", "strict", "seed", "name"}
    for option, given in declared.items():
        if given is not None and option in (_check.check.__kwdefaults__ or {}).keys() - of_graphs:
            raise PurebpError(f"{option}={given!r:.60} is for layers, and does not go with graph=…, which says it all")
    report: Report = __getattr__("check_graph")(candidate, graph, **declared)
    return report


@overload
def certified_gradients(network: Network, batch: Batch, *loss: Any, **options: Any) -> CertifiedGradients: ...
@overload
def certified_gradients(network: Node, batch: Feed, *, digits: int = 38) -> Values: ...
@wraps(_certify.certified_gradients)
def certified_gradients(network: Any, batch: Any, *loss: Any, **options: Any) -> Any:
    if isinstance(network, Network):
        return _certify.certified_gradients(network, batch, *loss, **options)
    if loss or options.keys() - {"digits"}:
        raise PurebpError("a graph has its own loss, and is computed in one: give it and its feed alone")
    return __getattr__("certified_graph")(network, batch, **options)


@overload
def certified_hessian_product(
    network: Network, batch: Batch, loss: Loss | str, vectors: Any, *, digits: int = 38
) -> tuple[tuple[Certified, ...], ...]: ...
@overload
def certified_hessian_product(
    network: Callable[..., Any], batch: Mapping[str, Any], loss: Mapping[str, Any], *, digits: int = 38
) -> dict[str, Any]: ...
@wraps(_certify.certified_hessian_product)
def certified_hessian_product(network: Any, *given: Any, **options: Any) -> Any:
    if isinstance(network, Network) or not callable(network):
        return _certify.certified_hessian_product(network, *given, **options)
    return import_module(f"{__name__}.certify_program").certified_product(network, *given, **options)

"""Judging other implementations: proven values first of all.

>>> from purebp import Batch, Layer, Network
>>> network = Network([Layer([[0.5]], None, "sigmoid")])
>>> certified_gradients(network, Batch([[1.0]], [[0.0]]), "sse").layers[0].weights[0][0].value
0.29256050705391...
"""

from purebp.oracle.certify import (
    Certified,
    CertifiedGradients,
    CertifiedLayer,
    certified_gradients,
    certified_loss,
    certified_outputs,
)

__all__ = [
    "Certified",
    "CertifiedGradients",
    "CertifiedLayer",
    "certified_gradients",
    "certified_loss",
    "certified_outputs",
]

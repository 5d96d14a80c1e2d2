"""Judging other implementations: `check` a candidate, `judge` an answer, `diagnose` a mistake, certify a gradient.

>>> from purebp import Batch, Layer, Network
>>> network, batch = Network([Layer([[0.5]], None, "sigmoid")]), Batch([[1.0]], [[0.0]])
>>> certified_gradients(network, batch, "sse").layers[0].weights[0][0].value
0.29256050705391...
>>> judge(network, batch, ([[[0.2926]]], None), "sse").verdict
'wrong'
"""

from purebp.oracle.certify import (
    Certified,
    CertifiedGradients,
    CertifiedLayer,
    certified_gradients,
    certified_loss,
    certified_outputs,
)
from purebp.oracle.check import check, judge
from purebp.oracle.explaining.diagnosis import Diagnosis, diagnose
from purebp.oracle.reports.report import CaseReport, Report

__all__ = [
    "CaseReport",
    "Certified",
    "CertifiedGradients",
    "CertifiedLayer",
    "Diagnosis",
    "Report",
    "certified_gradients",
    "certified_loss",
    "certified_outputs",
    "check",
    "diagnose",
    "judge",
]

"""Programs: functions that run on floats and on traced numbers alike, and the tape that they leave.

>>> program = trace(lambda x: exp(x) * x, {"x": 1.0})
>>> len(program.tape.steps)
3
"""

from purebp.programs.functions import (
    dot,
    erf,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    normal_cdf,
    sigmoid,
    sqrt,
    tanh,
    total,
    where,
)
from purebp.programs.tracing import Program, trace

__all__ = [
    "Program",
    "dot",
    "erf",
    "exp",
    "expm1",
    "log",
    "log1p",
    "maximum",
    "minimum",
    "normal_cdf",
    "sigmoid",
    "sqrt",
    "tanh",
    "total",
    "trace",
    "where",
]

"""Graphs, as one imports them: nodes, operations, the engine and its data, under one name.

>>> x = Input("x")
>>> backward_graph(Multiply(x, x), {x: 3.0})[x]
6.0
"""

from purebp.graphs.engine import *  # noqa: F403  # nodes and operations: this module is all that one imports
from purebp.graphs.engine import __all__ as __all__

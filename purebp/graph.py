"""Graphs, as one imports them: nodes, operations, the engine and its data, under one name.

>>> x = Input("x")
>>> backward_graph(Multiply(x, x), {x: 3.0})[x]
6.0
"""

from purebp.graphs import arrangement, costs, engine, functions, lowering, nodes, operations
from purebp.graphs.arrangement import *  # noqa: F403  # each module says what is public of it
from purebp.graphs.costs import *  # noqa: F403
from purebp.graphs.engine import *  # noqa: F403
from purebp.graphs.functions import *  # noqa: F403
from purebp.graphs.lowering import *  # noqa: F403
from purebp.graphs.nodes import *  # noqa: F403
from purebp.graphs.operations import *  # noqa: F403

__all__ = [
    *nodes.__all__,
    *operations.__all__,
    *arrangement.__all__,
    *functions.__all__,
    *costs.__all__,
    *engine.__all__,
    *lowering.__all__,
]

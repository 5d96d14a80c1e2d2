"""Backpropagation on any directed acyclic graph: operations as data, the engine, networks as graphs, drawings."""

from purebp.graphs import descent as descent  # whoever has gradients of a graph can take a step: it registers that

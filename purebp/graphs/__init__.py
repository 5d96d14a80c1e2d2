"""Backpropagation on any directed acyclic graph: operations as data, the engine, networks as graphs, drawings."""

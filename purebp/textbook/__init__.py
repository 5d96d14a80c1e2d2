"""Backpropagation as one reads it: networks, the recurrence, functions with their derivatives, and what trains them."""

"""Mutation testing (`make mutation`): the code with one sign, number or condition changed, and which tests notice."""

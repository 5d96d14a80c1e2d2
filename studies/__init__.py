"""Instruments that are no tests: what the oracle catches, what it costs, and a panel of right implementations."""

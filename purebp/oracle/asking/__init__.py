"""Asking a candidate: a function, a file in a process of its own, a program on a pipe; and guessing what it does not say."""

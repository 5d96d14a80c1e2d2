"""Assertions for tests of any framework: the gradients are right, or the message is the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purebp.oracle import Report
    from purebp.oracle.asking.candidate import Candidate


def assert_gradients_correct(candidate: Candidate, **declared: Any) -> Report:
    """Check the candidate, and raise AssertionError with the report if it does not conform, or if nothing was decided.

    What is declared is that of `purebp.oracle.check`: activations, loss, sizes, biases, batch, weights, samples,
    returns, learning_rate, format, arrays, explore. With explore=True, Hypothesis searches on, the same on every run.

    >>> def slope(weights, biases, inputs, targets):  # of half the squared error of y = w x, for a single sample
    ...     (((w,),),), ((x,),), ((y,),) = weights, inputs, targets
    ...     return [[[(w * x - y) * x]]]
    >>> declared = dict(activations=["identity"], sizes=[1, 1], biases=False, batch=1)
    >>> assert_gradients_correct(slope, loss="half_sse", **declared).verdict
    'correct'
    >>> assert_gradients_correct(slope, loss="sse", **declared)
    Traceback (most recent call last):
        ...
    AssertionError: slope: not as declared: factor ½...
    """
    __tracebackhide__ = True
    from purebp.oracle import check  # when it is asked for: pytest loads this module in every session

    if declared.get("explore"):
        from purebp.testing.explore import counterexample  # Hypothesis is optional

        declared["explore"] = counterexample
    else:
        declared.pop("explore", None)
    report = check(candidate, **declared)
    if not report.conforms:
        raise AssertionError(str(report))
    return report


def assert_backward_correct(
    backward: Callable[..., Any], forward: Callable[..., Any], inputs: Mapping[str, Any] | str, **options: Any
) -> Report:
    """Check a backward function by its forward function, and raise AssertionError with the report if it does not conform.

    The arguments are those of `purebp.oracle.check_backward`.

    >>> assert_backward_correct(lambda x: 2 * x, lambda x: x * x, "x:").verdict
    'correct'
    """
    __tracebackhide__ = True
    from purebp.oracle import check_backward  # when it is asked for

    report = check_backward(backward, forward, inputs, **options)
    if not report.conforms:
        raise AssertionError(str(report))
    return report

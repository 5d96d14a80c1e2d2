"""Beyond the ladder: search with Hypothesis for a case on which a candidate is wrong, and shrink it.

>>> from purebp.oracle.asking.declared import Declared
>>> def afraid(weights, biases, inputs, targets):  # of half the sum of squares, unless an input is below −3
...     (w,), (b,), errors = weights[0], biases[0], []
...     for x, (y,) in zip(inputs, targets):
...         errors.append(sum(map(float.__mul__, w, x)) + b - y if min(x) >= -3 else 5.0)
...     return [[[sum(map(float.__mul__, errors, column)) for column in zip(*inputs)]]], [[sum(errors)]]
>>> found = counterexample(afraid, Declared(("identity",), "half_sse", (2, 1), returns="gradients"))
>>> found.network.parameters(), found.batch
([0.0, 0.0, 0.0], Batch(inputs=((0.0, -4.0),), targets=((0.0,),)))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

from purebp.oracle.asking.candidate import Candidate, ask
from purebp.oracle.asking.declared import Declared
from purebp.oracle.cases import DEEPEST, Case, Wanted
from purebp.oracle.conventions import Convention, budgets, default_convention
from purebp.oracle.evidence import Evidence, inside
from purebp.oracle.layers import counts
from purebp.oracle.random_cases import another, kinds
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.network import Layer, Network

try:
    from hypothesis import HealthCheck, Phase, Verbosity, configuration, currently_in_test_context, find, settings
    from hypothesis.errors import Flaky, NoSuchExample
except ImportError:
    raise PurebpError("explore wants Hypothesis: pip install hypothesis") from None

from purebp.testing.strategies import cases

T = TypeVar("T")
EXAMPLES = 200  # of small cases, and half as many of the kinds of the ladder, which take longer
WIDEST = 40
QUIET = settings(  # every setting that could differ from profile to profile
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    derandomize=False,  # the seed is given below
    phases=[Phase.generate, Phase.shrink],
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet,
)


def counterexample(candidate: Candidate, declared: Declared, convention: Convention | None = None) -> Case | None:
    """The smallest case found on which the candidate leaves its budgets or gives no answer; None if none is found.

    First among small ones, then among those of the kinds of the ladder with widths and samples up to `WIDEST`.
    convention: what the answers follow, where that is not what was declared. The search is the same on every run.
    """
    chosen = convention or default_convention(declared)
    small = cases(
        declared.activations,
        loss=chosen.loss,
        sizes=declared.sizes,
        biases=declared.has_biases,
        batch=declared.batch,
        widest=8,
    )
    last: list[Case] = []

    def fails(case: Case) -> bool:
        failed = _fails(candidate, case, declared, chosen)
        if failed:
            last[:] = [case]
        return failed

    def search() -> Case | None:
        if not (declared.outputs or declared.inputs or declared.targets):  # of which the small ones know nothing
            try:
                return find(small, fails, settings=QUIET, random=Random(0))
            except Flaky:  # it failed once, and did not when it was asked again
                return last[0]
            except NoSuchExample:
                pass
        return _wide(fails, replace(declared, loss=chosen.loss).wanted, QUIET.max_examples // 2)

    with _no_directory():
        if not currently_in_test_context():
            found = search()
        else:  # Hypothesis does not nest, but a thread has a context of its own
            with ThreadPoolExecutor(1) as pool:
                found = pool.submit(search).result()
    if found is None:
        return None
    while declared.sizes is None and (narrower := next(filter(fails, _narrower(found)), None)):
        found = narrower
    return replace(found, name="found by exploring")


def _wide(fails: Callable[[Case], bool], chosen: Wanted, count: int) -> Case | None:
    """A case of the kinds of the ladder, with widths and samples up to `WIDEST`, that fails; as small as halves make it."""

    def case(sizes: Sequence[int]) -> Case:
        return another(chosen, n % kinds(chosen), sizes[1:], sizes[0], n)

    deepest = max(DEEPEST, len(chosen.names))
    for n in range(count):
        random = Random(n)
        sizes = [random.randint(1, random.choice((8, WIDEST))) for _ in range(deepest + 2)]
        if fails(case(sizes)):
            while smaller := next((each for each in _smaller(sizes) if fails(case(each))), None):
                sizes = smaller
            return case(sizes)
    return None


def _smaller(sizes: list[int]) -> Iterator[list[int]]:
    """With one of them 1, or half as large, or smaller by 1."""
    for i, size in enumerate(sizes):
        yield from ([*sizes[:i], less, *sizes[i + 1 :]] for less in sorted({1, size // 2, size - 1} - {0, size}))


def _fails(candidate: Candidate, case: Case, declared: Declared, convention: Convention) -> bool:
    answer = ask(candidate, case, declared)
    try:
        allowed = budgets(case, convention, declared.format, answer.claim)
    except PurebpError:  # such as the cross-entropy of a negative output
        return False
    if not counts(Evidence(case, answer, allowed, ())):
        return False
    if any(b.spread is None for rows in allowed.values() for row in rows for b in row):
        return False  # there is no derivative, or it has no bound: anything is allowed
    return any(finding.fatal for finding in answer.findings) or not inside(answer.claim, allowed)


def _narrower(case: Case) -> Iterator[Case]:
    """With one hidden neuron less: a row and a column go at once, which Hypothesis does not see."""
    layers = case.network.layers
    for l, (below, above) in enumerate(pairwise(layers)):
        for j in range(len(below.weights)) if len(below.weights) > 1 else ():
            fewer = Layer(_but(j, below.weights), below.biases and _but(j, below.biases), below.activation)
            rest = Layer([_but(j, row) for row in above.weights], above.biases, above.activation)
            yield replace(case, network=Network([*layers[:l], fewer, rest, *layers[l + 2 :]]))


def _but(j: int, items: Sequence[T]) -> list[T]:
    return [*items[:j], *items[j + 1 :]]


@contextmanager
def _no_directory() -> Iterator[None]:
    """What Hypothesis keeps in .hypothesis even without a database goes to a directory that is removed."""
    before = getattr(configuration, "__hypothesis_home_directory", None)
    with TemporaryDirectory() as directory:
        configuration.set_hypothesis_home_dir(directory)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)

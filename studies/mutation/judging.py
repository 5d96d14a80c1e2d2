"""Mutants judged: each is put into a copy of the repository, and tests run on it there until one fails."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from studies.mutation.mutants import ROOT, Mutant, change

LAWS = ("tests/test_laws.py", "tests/test_published.py")
FROZEN = "tests/test_rooms.py"  # in every room
WIDER = {  # what judges a mutant that the tests of its module let pass, by room
    "textbook": ("tests/textbook/test_*.py", *LAWS, "tests/test_error_budget.py"),
    "graphs": ("tests/graphs/test_*.py",),
    "number_systems": ("tests/number_systems/test_*.py", "tests/test_error_budget.py"),
    "oracle": ("tests/oracle/test_*.py",),
}
LARGEST = 8 << 30  # bytes of memory that a mutant may take
OPTIONS = ("-x", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")  # it is loaded already
Tests = tuple[str, ...]
PASSED = (0, 5)  # exit statuses of pytest: all of them, or there were none
PROCESSES = get_context("forkserver")  # a process for each mutant, that has pytest and Hypothesis loaded
PROCESSES.set_forkserver_preload(["hypothesis.strategies", "pytest", "_pytest.doctest", "studies.mutation.judging"])


@dataclass(frozen=True)
class Judged:
    """A mutant, the lines that it changes, and whether a test noticed."""

    module: str
    gone: str
    new: str
    killed: bool


def stages(module: str) -> list[Tests]:
    """The doctests and the test file of the module, then what is wider.

    >>> stages("purebp/textbook/linalg.py")[0]
    ('purebp/textbook/linalg.py', 'tests/textbook/test_linalg.py')
    """
    place = Path(module).relative_to("purebp")
    own = f"tests/{place.parent}/test_{place.name}"
    first = (module, own) if (ROOT / own).exists() else (module,)
    wider = (
        path.relative_to(ROOT).as_posix()
        for name in (FROZEN, *WIDER[place.parts[0]])
        for path in sorted(ROOT.glob(name))
    )
    return [first, tuple(wider)]  # the same for all of a room: its time is measured once


def judge(
    mutants: Sequence[Mutant], processes: int, judges: Callable[[str], Sequence[Tests]] = stages
) -> Iterator[Judged]:
    """Each mutant in turn, several of them at a time, by the tests for its module. RuntimeError if these fail without."""
    copies: SimpleQueue[Copy] = SimpleQueue()
    with TemporaryDirectory() as directory, ThreadPoolExecutor(processes) as pool:
        for i in range(processes):
            copies.put(Copy(Path(directory) / str(i)))
        wanted = list(dict.fromkeys(tests for mutant in mutants for tests in judges(mutant.module)))
        limits = dict(zip(wanted, pool.map(partial(_limit, copies), wanted)))
        yield from pool.map(partial(_judged, copies, limits, judges), mutants)


class Copy:
    """A copy of the repository, in which one module at a time is another."""

    def __init__(self, place: Path) -> None:
        self.place = place
        left_out = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "build", "dist", "*.egg-info")
        shutil.copytree(ROOT, place, ignore=left_out, symlinks=True)

    def passes(self, tests: Sequence[str], limit: float | None = None) -> bool:
        """Whether the tests pass within so many seconds, in a process of their own."""
        process = PROCESSES.Process(target=_run, args=(str(self.place), tests, limit is None))
        process.start()
        process.join(limit)
        process.kill()
        with suppress(ProcessLookupError):  # whatever it has started
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
        return process.exitcode in PASSED

    @contextmanager
    def holding(self, mutant: Mutant) -> Iterator[str]:
        """With the mutant in the place of its module, whose text this is."""
        path = self.place / mutant.module
        before = path.read_text("utf-8")
        path.write_text(mutant.text, "utf-8")
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
            compiled.unlink()  # it is told from its source by size and time alone
        try:
            yield before
        finally:
            path.write_text(before, "utf-8")


def _limit(copies: SimpleQueue[Copy], tests: Tests) -> float:
    """The seconds that mutants have for these tests, which pass without one."""
    with _one_of(copies) as copy:
        start = time.monotonic()
        if not copy.passes(tests):
            shown = Path(f"{copy.place}.log").read_text("utf-8", "replace")
            raise RuntimeError(f"no mutant is judged by tests that fail without one: {' '.join(tests)}\n{shown}")
    return 10 + 5 * (time.monotonic() - start)


def _judged(
    copies: SimpleQueue[Copy], limits: dict[Tests, float], judges: Callable[[str], Sequence[Tests]], mutant: Mutant
) -> Judged:
    with _one_of(copies) as copy, copy.holding(mutant) as before:
        killed = not all(copy.passes(tests, limits[tests]) for tests in judges(mutant.module))
    return Judged(mutant.module, *change(before, mutant.text), killed)


@contextmanager
def _one_of(copies: SimpleQueue[Copy]) -> Iterator[Copy]:
    copy = copies.get()
    try:
        yield copy
    finally:
        copies.put(copy)


def _run(place: str, tests: Sequence[str], writes_bytecode: bool) -> None:
    """In a process of its own: pytest on the tests of that place, which import purebp from there."""
    import resource

    import pytest

    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST, LARGEST))
    log = os.open(f"{place}.log", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for stream in (0, 1, 2):
        os.dup2(log, stream)
    for name in [name for name in sys.modules if name.split(".")[0] in ("purebp", "studies", "tests")]:
        del sys.modules[name]
    os.chdir(place)
    sys.path.insert(0, place)
    os.environ |= {"PYTHONPATH": place} | ({} if writes_bytecode else {"PYTHONDONTWRITEBYTECODE": "1"})
    sys.dont_write_bytecode = not writes_bytecode
    try:
        status = int(pytest.main([*OPTIONS, *tests]))
    except BaseException:  # a mutant may break whatever pytest asks of it
        status = 1
    os._exit(status)

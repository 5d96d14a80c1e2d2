"""A candidate's file: loaded and asked in a process of its own, which may crash, hang or print as it likes."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import wraps
from itertools import chain, repeat
from math import inf
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import monotonic
from types import ModuleType
from typing import Any, NoReturn

from purebp.oracle.answer import Finding
from purebp.oracle.asking.candidate import Candidate
from purebp.oracle.asking.declared import Declared, agreed
from purebp.oracle.asking.forms import forms
from purebp.oracle.asking.loading import (
    CannotLoad,
    attribute,
    attribute_of,
    declarations,
    find,
    hinted,
    in_order,
    load,
    scripted,
    unasked,
)
from purebp.oracle.asking.process import exit_of
from purebp.oracle.asking.task import Asked, Outcome, Task, Way
from purebp.textbook.arithmetic import PurebpError

LOADING = "the loading of the file"
FINDING = "finding out how it is asked"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if hasattr(signal, "pthread_sigmask") else ()
MANY = 6  # times as long as a call: until the next way of asking is found
GRACE = 1.0  # seconds after a time-out until the process ends itself: by then nobody is there who would end it


def ask_file(task: Task, watch: Callable[[str], None], work: Callable[..., Any]) -> Outcome:
    """Do the work with the candidate in a process of its own, and leave none behind; `watch` is told on which case it is.

    The work is done with what is asked; of a backward function, with the task, that and the forward function.
    """
    forks = hasattr(os, "fork") and sys.platform != "darwin" and threading.active_count() == 1
    context: Any = get_context("fork" if forks else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, task, work))
    try:
        with held():
            process.start()
        sender.close()
        return _outcome(task, process, receiver, watch)
    finally:
        if process.pid is not None:
            with suppress(OSError, AttributeError):
                os.killpg(process.pid, signal.SIGKILL)  # with what it started
            process.kill()
            process.join()
        receiver.close()


def _outcome(task: Task, process: Any, receiver: Connection, watch: Callable[[str], None]) -> Outcome:
    """What the process tells, until it has told all, or has ended, or is late."""
    doing, deadline = LOADING, inf
    while True:
        alive = process.is_alive()
        if not receiver.poll(0.1 if alive else 0):
            if not alive:
                return _ended(task, doing, exit_of(process.exitcode))
            if monotonic() > deadline:
                return _late(task, doing)
            continue
        try:
            message, content = receiver.recv()
        except (EOFError, OSError):
            process.join(1)
            return _ended(task, doing, exit_of(process.exitcode))
        if message == "asks":
            doing, deadline = content, monotonic() + task.timeout
            watch(doing)
        elif message == "finds":
            doing, deadline = content, monotonic() + MANY * task.timeout
            watch(doing)
        elif message == "answered":
            deadline = inf
        elif message == "found":
            task = replace(task, function=content)
        elif message == "left":
            return _ended(task, doing, content)
        elif message == "report":
            return Outcome(task, content)
        else:
            return Outcome(task, None, None, *content)


@contextmanager
def held() -> Iterator[None]:
    """Signals wait: what one raises while a process is being forked would be lost."""
    if not ENDING:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ended(task: Task, doing: str, how: str) -> Outcome:
    if doing == LOADING:
        return Outcome(task, status=4, problem=f"{task.told!r} cannot be loaded: {how}")
    return Outcome(task, broken=Finding("crash", how, doing))


def _late(task: Task, doing: str) -> Outcome:
    waited = MANY * task.timeout if doing == FINDING else task.timeout
    seconds = f"{waited:g} second{'' if waited == 1 else 's'}"
    if doing == LOADING:
        how = f'it takes more than {seconds}; put what it runs by itself under if __name__ == "__main__"'
        return _ended(task, doing, f"{how}, or give a longer --timeout")
    how = f"it has not answered after {seconds} and was stopped"
    sentence = f"{how}: a loop does not end, or it needs a longer --timeout"
    return Outcome(task, broken=Finding("timeout", sentence, doing))


def _child(sender: Connection, task: Task, work: Callable[..., Any]) -> NoReturn:
    """What the process does: load, do the work, and send what comes of it."""
    _apart()
    tell = Teller(sender, task.timeout)
    try:
        try:
            tell("report", work(task, *_pair(task, tell)) if task.of else work(_asked(task, tell)))
        except CannotLoad as error:
            tell("problem", (4, str(error)))
        except PurebpError as error:
            tell("problem", (2, f"{task.name}: {error}"))
        except OSError:
            raise
        except BaseException:
            tell("problem", (3, f"a defect of purebp, please report it:\n{traceback.format_exc()}"))
    except OSError:
        os._exit(1)  # nobody listens any more
    os._exit(0)


def _apart() -> None:
    """A process group of its own, without input and output; errors are shown on a terminal only."""
    if hasattr(os, "setsid"):
        os.setsid()
        for number in (*ENDING, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    quiet = sys.stderr is None or not sys.stderr.isatty()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2) if quiet else (0, 1):
        os.dup2(nowhere, stream)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # likewise
    if quiet:
        sys.stderr = sys.stdout
        faulthandler.disable()
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
    sys.dont_write_bytecode = True


class Teller:
    """Tells the parent what goes on; should the parent be no more, a call that takes too long ends this process."""

    def __init__(self, sender: Connection, timeout: float) -> None:
        self.sender, self.timeout = sender, timeout

    def __call__(self, message: str, content: Any = None) -> None:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, self.timeout + GRACE if message == "asks" else 0)
        self.sender.send((message, content))


class Watched:
    """A candidate that says on which case it is before it is called, and that does not end its process silently."""

    def __init__(self, function: Callable[..., Any], cases: Iterator[str], code: Any, tell: Teller) -> None:
        self.function, self.cases, self.tell = function, cases, tell
        self.__code__ = code  # tells which lines of a traceback are its own

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.tell("asks", next(self.cases))
        try:
            return self.function(*given, **named)
        except Exception:
            raise
        except BaseException as error:
            how = f"calls sys.exit({error.code!r:.60})" if isinstance(error, SystemExit) else f"raises {error!r:.60}"
            self.tell("left", f"it {how}")
            os._exit(1)
        finally:
            self.tell("answered")


def _asked(task: Task, tell: Teller) -> Asked:
    """The candidate in the file, loaded."""

    def loaded() -> ModuleType:
        tell("asks", LOADING)
        module = load(task.told, task.source)
        tell("answered")
        return module

    module = loaded()
    declared = agreed({**declarations(module, task.told), **task.declared})

    def fresh() -> None:  # what it may have kept of the guessing does not count
        nonlocal module
        module = loaded()

    def function(name: str) -> Way:
        def candidate(declared: Declared, cases: Iterator[str]) -> Candidate:
            return watched(attribute(module, name), cases)

        return Way(name, candidate, fresh)

    def watched(function: Candidate, cases: Iterator[str]) -> Watched:
        return Watched(function, cases, module.__code__, tell)

    def call(label: str, work: Callable[[], Any]) -> Any:
        return watched(work, repeat(label))()

    told = hinted(module, task.hints, task.function)

    def found() -> Iterator[Way]:
        tell("finds", FINDING)
        namespace = vars(module)
        for each in forms(namespace, told):
            tell("answered")
            yield each.way(watched)
            tell("finds", FINDING)
        tell("answered")

    try:
        if told.calls or told.weights or told.name != task.function:
            raise CannotLoad(f"{task.told!r} cannot be asked in the way that was declared: {told}")
        name = find(module, task.told, task.function)
    except CannotLoad as error:
        problem = scripted(task.told, task.source) or unasked(module, task.told) or error
        return Asked(task, declared, found(), problem, vars(module), call)
    tell("found", name)
    ways = chain([function(name)], found()) if in_order(attribute(module, name)) else chain(found(), [function(name)])
    return Asked(task, declared, ways, None, vars(module), call)


def _pair(task: Task, tell: Teller) -> list[Candidate]:
    """A backward function and the forward function that it is of, loaded."""
    assert task.of is not None and task.function is not None
    found, loaded = list[Candidate](), dict[str, ModuleType]()
    for file, source, name in ((task.told, task.source, task.function), task.of):
        tell("asks", LOADING)
        module = loaded.get(file) or load(file, source)
        loaded[file] = module
        tell("answered")
        function = attribute_of(module, file, name)
        found.append(wraps(function)(Watched(function, repeat("a case"), module.__code__, tell)))
    return found

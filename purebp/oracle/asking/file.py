"""A candidate's file: loaded, asked and judged in a process of its own, which may crash, hang or print as it likes."""

from __future__ import annotations

import faulthandler
import os
import shlex
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain, repeat
from math import inf
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import monotonic
from types import ModuleType
from typing import Any, NoReturn

from purebp.oracle.answer import Answer, Finding
from purebp.oracle.asking import guessing as guess
from purebp.oracle.asking.candidate import Candidate, Declared, ask
from purebp.oracle.asking.loading import CannotLoad, agreed, attribute, declarations, find, load, read, with_activations
from purebp.oracle.asking.process import exit_of
from purebp.oracle.asking.subject import TIMEOUT
from purebp.oracle.cases import Case, ladder
from purebp.oracle.check import check, replayed
from purebp.oracle.reports.report import Report
from purebp.textbook.arithmetic import PurebpError

SHAPE = ("loss", "sizes", "biases", "batch")
LOADING = "the loading of the file"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if hasattr(signal, "pthread_sigmask") else ()
GRACE = 1.0  # seconds after a time-out until the process ends itself: by then nobody is there who would end it


@dataclass(frozen=True, slots=True)
class Request:
    """What to check: a file, perhaps the function in it, and what was declared on the command line."""

    file: str
    function: str | None
    declared: dict[str, Any]
    explore: bool = False
    seed: int = 0
    timeout: float = 10.0  # seconds, for one call of the candidate
    alone: bool = True
    program: tuple[str, ...] = ()  # a command, in place of a file
    once: bool = False

    @property
    def shown(self) -> str:
        """The file in reports: its name, or where there are several the path."""
        return os.path.basename(self.file) if self.alone else self.file

    @property
    def name(self) -> str:
        if self.program:
            return shlex.join(self.program)
        return f"{self.shown}:{self.function}" if self.function else self.shown

    @property
    def usual_timeout(self) -> float:
        return TIMEOUT if self.program else 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report, or the exit status and the sentence that say why there is none."""

    name: str
    report: Report | None
    status: int = 0
    problem: str = ""


def examine(request: Request, watch: Callable[[str], None] = lambda doing: None) -> Outcome:
    """Check a candidate in a process of its own, and leave none behind; `watch` is told on which case it is."""
    forks = hasattr(os, "fork") and sys.platform != "darwin" and threading.active_count() == 1
    context: Any = get_context("fork" if forks else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, request))
    doing, deadline = LOADING, inf
    try:
        with held():
            process.start()
        sender.close()
        while True:
            alive = process.is_alive()
            if not receiver.poll(0.1 if alive else 0):
                if not alive:
                    return _ended(request, doing, exit_of(process.exitcode))
                if monotonic() > deadline:
                    return _late(request, doing)
                continue
            try:
                message, content = receiver.recv()
            except (EOFError, OSError):
                process.join(1)
                return _ended(request, doing, exit_of(process.exitcode))
            if message == "asks":
                doing, deadline = content, monotonic() + request.timeout
                watch(doing)
            elif message == "answered":
                deadline = inf
            elif message == "found":
                request = replace(request, function=content)
            elif message == "left":
                return _ended(request, doing, content)
            elif message == "report":
                return Outcome(request.name, content)
            else:
                return Outcome(request.name, None, *content)
    finally:
        if process.pid is not None:
            with suppress(OSError, AttributeError):
                os.killpg(process.pid, signal.SIGKILL)  # with what it started
            process.kill()
            process.join()
        receiver.close()


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


def _ended(request: Request, doing: str, how: str) -> Outcome:
    if doing == LOADING:
        return Outcome(request.name, None, 4, f"{request.file!r} cannot be loaded: {how}")
    return Outcome(request.name, without_answer(request, "crash", how, doing))


def _late(request: Request, doing: str) -> Outcome:
    seconds = f"{request.timeout:g} second{'' if request.timeout == 1 else 's'}"
    if doing == LOADING:
        how = f'it takes more than {seconds}; put what it runs by itself under if __name__ == "__main__"'
        return _ended(request, doing, f"{how}, or give a longer --timeout")
    how = f"it has not answered after {seconds} and was stopped"
    sentence = f"{how}: a loop does not end, or it needs a longer --timeout"
    return Outcome(request.name, without_answer(request, "timeout", sentence, doing))


def without_answer(request: Request, verdict: str, sentence: str, case: str = "") -> Report:
    """The report on a candidate that could not be judged."""
    findings = (Finding(verdict, sentence, case),)
    return Report(request.name, verdict, False, None, (), findings, (), (), None, (), replay=command(request, {}))


def _child(sender: Connection, request: Request) -> NoReturn:
    """What the process does: load, ask, judge, and send the report."""
    _apart()
    tell = Teller(sender, request.timeout)
    try:
        try:
            tell("report", _checked(request, tell))
        except CannotLoad as error:
            tell("problem", (4, str(error)))
        except PurebpError as error:
            tell("problem", (2, f"{request.name}: {error}"))
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

    def __init__(self, function: Callable[..., Any], code: Any, tell: Teller) -> None:
        self.function, self.tell = function, tell
        self.cases: Iterator[str] = repeat("")
        self.__code__ = code  # tells which lines of a traceback are its own

    def __call__(self, *given: Any) -> Any:
        self.tell("asks", next(self.cases))
        try:
            return self.function(*given)
        except Exception:
            raise
        except BaseException as error:
            how = f"calls sys.exit({error.code!r:.60})" if isinstance(error, SystemExit) else f"raises {error!r:.60}"
            self.tell("left", f"it {how}")
            os._exit(1)
        finally:
            self.tell("answered")


def _checked(request: Request, tell: Teller) -> Report:
    source = read(request.file)

    def loaded() -> ModuleType:
        tell("asks", LOADING)
        module = load(request.file, source)
        tell("answered")
        return module

    module = loaded()
    function = find(module, request.file, request.function)
    request = replace(request, function=function)
    tell("found", function)
    declared = agreed({**declarations(module, request.file), **request.declared})
    watched = Watched(attribute(module, function), module.__code__, tell)

    def tell_cases(cases: Iterator[str]) -> None:
        watched.cases = cases

    def fresh() -> None:  # what it may have kept of the guessing does not count
        watched.function = attribute(loaded(), function)

    return guided(request, declared, source, lambda declared, any_depth: watched, tell_cases, fresh)


def guided(
    request: Request,
    declared: dict[str, Any],
    source: str,
    candidate: Callable[[Declared, bool], Candidate],
    tell_cases: Callable[[Iterator[str]], None],
    fresh: Callable[[], None],
) -> Report:
    """Guess what is not declared, and check what then is.

    candidate: what to call, for a declaration, and whether that is of networks of any depth. tell_cases: is told the
    names of the cases that come next. fresh: is called between guessing and checking.
    """

    def asked(case: Case, declared: Declared) -> Answer:
        tell_cases(repeat(case.name))
        return ask(candidate(declared, False), case, declared)

    guessed = guess.guess(asked, declared, source)
    if guessed.asked:
        fresh()
    found = {**declared, **guessed.options}
    names = found["activations"]
    cases = ladder(names, **{key: found[key] for key in SHAPE if key in found}, seed=request.seed)
    tell_cases(chain((case.name for case in cases), repeat("one of them, asked again")))
    chosen = with_activations(found)
    counterexample: Any = None
    if request.explore:
        from purebp.testing import explore  # to be passed in

        counterexample = explore.counterexample
    asks = candidate(chosen, isinstance(names, str))
    report = check(asks, **found, explore=counterexample, seed=request.seed, name=request.name)
    if request.program and not report.conforms:
        fresh()
        report = replayed(asks, cases, chosen, report)
    notes = (*report.notes, *guessed.notes(report.conforms, bool(request.program)))
    return replace(report, notes=notes, replay=command(request, guessed.shown, _failing(report, cases)))


def _failing(report: Report, cases: Sequence[Case]) -> str:
    """The id of the first case of the ladder that failed, if any did."""
    failed = (case.id for case, found in zip(cases, report.cases) if not found.passed)
    return next(failed, "")


def command(request: Request, guessed: dict[str, Any], case: str = "") -> str:
    """The command that checks it again, or of a program its failing case alone."""
    words = ["purebp", "replay", case] if request.program and case else ["purebp", "check"]
    if not request.program:
        words.append(f"{request.file}:{request.function}" if request.function else request.file)
    declared = {**guessed, **request.declared}
    for key in Declared.__dataclass_fields__:
        words += guess.option(key, declared.get(key))
    for key in ("explore", "once"):
        if getattr(request, key) and not (key == "explore" and "replay" in words):
            words.append(f"--{key}")
    for key, value, default in (("seed", request.seed, 0), ("timeout", request.timeout, request.usual_timeout)):
        if value != default:
            words += guess.option(key, value)
    return shlex.join([*words, "--", *request.program] if request.program else words)

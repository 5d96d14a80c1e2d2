"""A candidate's file: loaded, asked and judged in a process of its own, which may crash, hang or print as it likes."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from inspect import signature
from itertools import chain, repeat
from math import inf
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import monotonic
from types import FunctionType, ModuleType
from typing import Any, NoReturn

from purebp.arithmetic import PurebpError
from purebp.cli import guess, options
from purebp.cli.files import read_text
from purebp.oracle.candidate import Answer, Declared, Finding, ask
from purebp.oracle.cases import Case, ladder
from purebp.oracle.check import check
from purebp.oracle.report import Report

USUAL_NAMES = (
    "backpropagation", "backprop", "back_propagation", "back_prop", "backward", "backward_pass", "backward_propagation",
    "gradients", "gradient", "compute_gradients", "compute_gradient", "get_gradients", "calculate_gradients", "grads",
    "grad", "train_step", "training_step", "gradient_step", "step", "update", "train", "candidate",
)  # fmt: skip
WANTED = "(weights, biases, inputs, targets)"
MODULE = "purebp_candidate"
MOST = 12  # functions that are listed
LOADING = "the loading of the file"
GRACE = 1.0  # seconds after a time-out until the process ends itself: by then nobody is there who would end it


class CannotLoad(PurebpError):
    """There is nothing to ask; the message says why."""


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

    @property
    def shown(self) -> str:
        """The file in reports: its name, or where there are several the path."""
        return os.path.basename(self.file) if self.alone else self.file

    @property
    def name(self) -> str:
        return f"{self.shown}:{self.function}" if self.function else self.shown


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
    process.start()
    sender.close()
    doing, deadline = LOADING, inf
    try:
        while True:
            alive = process.is_alive()
            if not receiver.poll(0.1 if alive else 0):
                if not alive:
                    return _ended(request, doing, _exit(process.exitcode))
                if monotonic() > deadline:
                    return _late(request, doing)
                continue
            try:
                message, content = receiver.recv()
            except (EOFError, OSError):
                process.join(1)
                return _ended(request, doing, _exit(process.exitcode))
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
        with suppress(OSError, AttributeError):
            os.killpg(process.pid, signal.SIGKILL)  # with what it started
        process.kill()
        process.join()
        receiver.close()


def _exit(code: int | None) -> str:
    if code is None:
        return "its process does not answer any more"
    if code >= 0:
        return f"its process ends, with exit status {code}"
    try:
        return f"its process is ended by the signal {signal.Signals(-code).name}"
    except ValueError:
        return f"its process is ended by the signal {-code}"


def _ended(request: Request, doing: str, how: str) -> Outcome:
    if doing == LOADING:
        return Outcome(request.name, None, 4, f"{request.file!r} cannot be loaded: {how}")
    return Outcome(request.name, without_answer(request, "crash", how, doing))


def _late(request: Request, doing: str) -> Outcome:
    seconds = f"{request.timeout:g} second{'' if request.timeout == 1 else 's'}"
    if doing == LOADING:
        return Outcome(request.name, None, 4, f"{request.file!r} cannot be loaded: it takes more than {seconds}; put what it "
                       'runs by itself under if __name__ == "__main__", or give a longer --timeout')  # fmt: skip
    sentence = (
        f"it has not answered after {seconds} and was stopped: a loop does not end, or it needs a longer --timeout"
    )
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
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
    quiet = sys.stderr is None or not sys.stderr.isatty()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2) if quiet else (0, 1):
        os.dup2(nowhere, stream)
    sys.stdin, sys.stdout = open(os.devnull, encoding="utf-8"), open(os.devnull, "w", encoding="utf-8")
    if quiet:
        sys.stderr = sys.stdout
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
            code = getattr(error, "code", None)
            how = (
                f"calls sys.exit({'' if code is None else repr(code)})"
                if isinstance(error, SystemExit)
                else f"raises {error!r}"
            )
            self.tell("left", f"it {how}")
            os._exit(1)
        finally:
            self.tell("answered")


def _checked(request: Request, tell: Teller) -> Report:
    source = _source(request.file)

    def loaded() -> ModuleType:
        tell("asks", LOADING)
        module = load(request.file, source)
        tell("answered")
        return module

    module = loaded()
    function = find(module, request.file, request.function)
    request = replace(request, function=function)
    tell("found", function)
    declared = complete({**declarations(module, request.file), **request.declared})
    watched = Watched(_attribute(module, function), module.__code__, tell)

    def asked(case: Case, declared: Declared) -> Answer:
        watched.cases = repeat(case.name)
        return ask(watched, case, declared)

    guessed = guess.guess(asked, declared, source)
    if guessed.asked:  # a fresh one: what it may have kept of those calls does not count
        watched = Watched(_attribute(loaded(), function), module.__code__, tell)
    found = {**declared, **guessed.options}
    shape = {key: found[key] for key in ("loss", "sizes", "biases", "batch") if key in found}
    names = [case.name for case in ladder(found["activations"], **shape, seed=request.seed)]
    watched.cases = chain(names, repeat("one of them, asked again"))
    report = check(watched, **found, explore=request.explore, seed=request.seed, name=request.name)
    notes = (*report.notes, *guessed.notes(report.conforms))
    return replace(report, notes=notes, replay=command(request, guessed.shown))


def _source(file: str) -> str:
    try:
        return read_text(file, "give a Python file, such as mine.py or mine.py:backpropagation")
    except PurebpError as error:
        raise CannotLoad(str(error)) from None


def load(file: str, source: str) -> ModuleType:
    """The module in a file, as if imported, with the modules beside it to import; it leaves no bytecode there."""
    path = os.path.abspath(file)
    module = ModuleType(MODULE)
    module.__file__ = path
    sys.modules[MODULE] = module
    sys.argv = [path]
    if os.path.dirname(path) not in sys.path:
        sys.path.insert(0, os.path.dirname(path))
    try:
        code = compile(source, path, "exec", dont_inherit=True)
        module.__code__ = code  # type: ignore[attr-defined]  # for tracebacks
        exec(code, vars(module))  # noqa: S102  # this is what was asked for
    except SyntaxError as error:
        if error.filename != path:
            raise CannotLoad(_at_import(file, path, error)) from None
        line = f": {error.text.strip():.60}" if error.text else ""
        raise CannotLoad(f"{file!r} is not Python: {error.msg}, line {error.lineno}{line}") from None
    except (Exception, SystemExit) as error:
        raise CannotLoad(_at_import(file, path, error)) from None
    return module


def _at_import(file: str, path: str, error: BaseException) -> str:
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    where = f"line {lines[-1].lineno}: {lines[-1].line}: " if lines else ""
    advice = (
        '; put what it runs by itself under if __name__ == "__main__"'
        if isinstance(error, (SystemExit, EOFError))
        else ""
    )
    return f"{file!r} cannot be loaded: {where}{type(error).__name__}: {error}{advice}"


def find(module: ModuleType, file: str, wanted: str | None) -> str:
    """The name of the candidate: the one wanted, one of the usual names, or the only function that fits."""
    own = [
        name for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == MODULE and not name.startswith("_")
    ]  # fmt: skip
    there = (
        f"it has {', '.join(name + _parameters(vars(module)[name]) for name in own[:MOST])}"
        if own
        else "it has no functions"
    )
    if wanted is not None:
        try:
            function = _attribute(module, wanted)
        except AttributeError:
            raise CannotLoad(f"{file!r} has no function {wanted!r}: {there}") from None
        if not callable(function):
            raise CannotLoad(f"{wanted!r} in {file!r} is no function: {there}")
        if not _fits(function):
            raise CannotLoad(f"{wanted!r} in {file!r} takes {_parameters(function)}: it is called with {WANTED}")
        return wanted
    usual = [name for name in USUAL_NAMES if callable(vars(module).get(name))]
    fitting = [name for name in usual if _fits(vars(module)[name])][:1] or [
        name for name in own if _fits(vars(module)[name])
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise CannotLoad(f"which function of {file!r} is meant? Say {file}:{fitting[0]} or another: {there}")
    raise CannotLoad(f"{file!r} has no function that can be called with {WANTED}: {there}")


def _attribute(module: ModuleType, dotted: str) -> Any:
    return reduce(getattr, dotted.split("."), module)


def _fits(function: Any) -> bool:
    """Whether it can be called with four arguments."""
    try:
        signature(function).bind(None, None, None, None)
    except TypeError:
        return False
    except ValueError:  # there is no telling
        return True
    return True


def _parameters(function: Any) -> str:
    try:
        return f"({', '.join(signature(function).parameters)})"
    except ValueError:
        return "(...)"


def activations(text: str) -> tuple[str, ...] | str:
    """One per layer; a name followed by dots is for networks of any depth.

    >>> activations("tanh, leaky_relu(0.01)"), activations("relu,...")
    (('tanh', 'leaky_relu(0.01)'), 'relu')
    """
    names = [name.strip() for name in text.split(",")]
    known = [options.activation(name) for name in names if name != "..."]
    return (
        known[0]
        if names[1:] == ["..."] and known
        else tuple(known if len(known) == len(names) else map(options.activation, names))
    )


def sizes(text: str) -> tuple[int, ...]:
    """Widths, inputs first.

    >>> sizes("2,3,1")
    (2, 3, 1)
    """
    return tuple(options.count(width) for width in text.split(","))


def loss(text: str) -> str:
    """The name of a known loss."""
    return options.loss(text).name


READ: dict[str, Callable[[str], Any]] = {
    "activations": activations,
    "sizes": sizes,
    "loss": loss,
    "learning_rate": options.positive,
}


def declarations(module: ModuleType, file: str) -> dict[str, Any]:
    """What the file declares itself, in a dictionary `PUREBP`; text is read as on the command line."""
    given = getattr(module, "PUREBP", {})
    known = tuple(Declared.__dataclass_fields__)
    try:
        if not isinstance(given, dict):
            raise ValueError(f"it is {given!r:.40}: a dictionary is wanted")
        if unknown := [key for key in given if key not in known]:
            raise ValueError(f"{unknown[0]!r} is no declaration; known are {', '.join(known)}")
        found = {
            key: READ[key](x) if isinstance(x, str) and key in READ else x for key, x in given.items() if x is not None
        }
        if not isinstance(found.get("activations", ""), str):
            found["activations"] = tuple(map(options.activation, found["activations"]))
        if "sizes" in found:
            found["sizes"] = sizes(",".join(map(str, found["sizes"])))
        complete(found)
    except Exception as error:
        raise CannotLoad(f"PUREBP in {file!r} cannot be used: {error}") from None
    return found


def complete(declared: dict[str, Any]) -> dict[str, Any]:
    """The declarations, if they agree; a vector is a single sample."""
    if declared.get("samples") == "vector":
        declared = {"batch": 1, **declared}
    names = declared.get("activations", ("sigmoid",))
    Declared(**{**declared, "activations": (names,) if isinstance(names, str) else names})
    return declared


def command(request: Request, guessed: dict[str, Any]) -> str:
    """The command that checks it again."""
    words = ["purebp", "check", f"{request.file}:{request.function}" if request.function else request.file]
    declared = {**guessed, **request.declared}
    for key in Declared.__dataclass_fields__:
        words += guess.option(key, declared.get(key))
    if request.explore:
        words.append("--explore")
    for key, value, default in (("seed", request.seed, 0), ("timeout", request.timeout, 10.0)):
        if value != default:
            words += guess.option(key, value)
    return shlex.join(words)

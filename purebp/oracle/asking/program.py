"""A program on a pipe: started, said hello to, asked and judged."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from purebp.oracle.answer import Answer
from purebp.oracle.asking.candidate import Candidate, ask
from purebp.oracle.asking.declared import Declared, agreed, declaration
from purebp.oracle.asking.loading import CannotLoad
from purebp.oracle.asking.process import exit_of
from purebp.oracle.asking.subject import Subject
from purebp.oracle.asking.task import Asked, Outcome, Task, Way, Work
from purebp.oracle.cases import Case
from purebp.textbook.arithmetic import PurebpError
from purebp.textbook.names import printable

SHOWN = 600  # characters of a line
HEARD = 20_000  # characters of standard error


def ask_program(task: Task, watch: Callable[[str], None], work: Work) -> Outcome:
    """Do the work with a program; `watch` is told on which case it is."""
    try:
        with talking(task) as talk:
            report = work(_asked(talk, task, watch))
            if (how := talk.subject.close()) != exit_of(0):
                note = f"At the end of its input {how}: exit status 0 is wanted."
                report = replace(report, notes=(*report.notes, note))
            return Outcome(task, report)
    except CannotLoad as error:
        return Outcome(task, status=4, problem=str(error))
    except PurebpError as error:
        return Outcome(task, status=2 if task.declared else 4, problem=f"{task.name}: {error}")
    except Exception:
        return Outcome(task, status=3, problem=f"a defect of purebp, please report it:\n{traceback.format_exc()}")


@dataclass(frozen=True, slots=True)
class Talk:
    """A program after its hello, and what is declared: in its hello, and on the command line, which wins."""

    subject: Subject
    declared: dict[str, Any]

    def ladder(self, seed: int) -> tuple[Case, ...]:
        """The cases for what is declared, two layers of sigmoid where nothing is, or as many as there are widths for."""
        usual = "sigmoid" if self.declared.get("sizes") else ("sigmoid", "sigmoid")
        return Declared(**{"activations": usual, **self.declared}).ladder(seed)

    def ask(self, case: Case, **declared: Any) -> tuple[Answer, Declared]:
        """The answer to a case, and what was declared for it."""
        functions = tuple(layer.activation for layer in case.network.layers)
        whole = Declared(**{**self.declared, **declared, "activations": functions})
        return ask(self.subject.candidate(whole), case, whole), whole

    def shown(self) -> str:
        """The last lines that were exchanged, long ones cut on a terminal."""
        lines = self.subject.transcript
        if not sys.stdout.isatty():
            return "\n".join(lines)
        return "\n".join(x if len(x) <= SHOWN else f"{x[:SHOWN]}... ({len(x)} characters)" for x in lines)


@contextmanager
def talking(task: Task) -> Iterator[Talk]:
    """A program that has said hello."""
    if not task.program:
        raise PurebpError("a program is wanted, behind --, such as -- ./mine")
    try:
        subject = Subject(task.program, once=task.once, timeout=task.timeout, hear=_hearing())
    except PurebpError as error:
        raise CannotLoad(str(error)) from None
    with subject:
        said = {key: _said(subject, key, value) for key, value in subject.hello.declares.items()}
        try:
            declared = agreed({**said, **task.declared})
        except PurebpError as error:
            raise error if task.declared else CannotLoad(f"the hello of {subject.hello.name!r}: {error}") from None
        yield Talk(subject, declared)


def _said(subject: Subject, key: str, value: Any) -> Any:
    try:
        return declaration(key, value)
    except PurebpError as error:
        raise CannotLoad(f"the hello of {subject.hello.name!r} cannot be used: {key}: {error}") from None


def _hearing() -> Callable[[str], None]:
    """What a program writes to its standard error is shown, up to some length, without what steers a terminal."""
    left = HEARD

    def hear(text: str) -> None:
        nonlocal left
        if sys.stderr is not None and left > 0:
            shown = printable(text[:left], also="\n\t")
            left -= len(text)
            end = "\n(what else it writes to its standard error is not shown)\n" if left <= 0 else ""
            with suppress(OSError, ValueError):
                print(shown, end=end, file=sys.stderr, flush=True)

    return hear


def _asked(talk: Talk, task: Task, watch: Callable[[str], None]) -> Asked:
    """The program, which is told every case before."""

    def candidate(declared: Declared, cases: Iterator[str]) -> Candidate:
        asked = talk.subject.candidate(declared)

        def called(*given: Any) -> Any:
            watch(next(cases))
            return asked(*given)

        return called

    return Asked(task, talk.declared, (Way(None, candidate, talk.subject.renew),))

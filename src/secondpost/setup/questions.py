"""What `secondpost init` asks, and what it needs to know meanwhile.

An interview yields these values, and is sent what each says; a terminal, the command line or a dict
in a test answers them.
"""

import posixpath
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from secondpost.config.faults import ConfigFaults, Fault, Wrong
from secondpost.config.key import Form
from secondpost.config.reading import parse_config
from secondpost.mail.address import Endpoint
from secondpost.mail.dns_questions import Ptr, PtrAnswer
from secondpost.mail.questions import Finding, NameAnswer, NameQuestion
from secondpost.setup.answers import Answers
from secondpost.setup.config_file import config_text
from secondpost.setup.surroundings import Surroundings

Result = TypeVar("Result")
Texts = tuple[str, ...]
Sought = NameQuestion | Ptr
LookedUp = NameAnswer | PtrAnswer

SILENT_DNS = "No DNS server answers: what depends on the DNS could not be looked at."
NONE = "none"  # typed for an answer that is to be left empty


class Separator(StrEnum):
    """What stands between the parts of an answer, as a regular expression."""

    ONE = r"$^"  # the whole line is one answer
    WORDS = r"[\s,]+"
    BLANKS = r",?\s+"  # a comma may be part of a URL or of a file's name


@dataclass(frozen=True, slots=True)
class OwnerQuestion:
    """Asks the owner. Answered by Texts, which `faults` has found right."""

    flag: str  # of the command line, which answers it too
    text: str
    faults: Callable[[Texts], tuple[Fault, ...]]
    example: str
    suggestion: Texts | None = None  # None: there is none; (): it may be left empty
    about: str = ""  # a sentence shown before it
    separator: Separator = Separator.ONE
    is_asked: bool = True  # False: on a terminal too, only its flag changes the suggestion

    def ask(self) -> Generator["OwnerQuestion", Texts, Texts]:
        """Use with `yield from`, which gives the answer its type."""
        return (yield self)

    @property
    def can_be_empty(self) -> bool:
        return len(self.faults(())) == 0

    def parts(self, typed: str) -> Texts:
        """The parts of a typed answer; `none` stands for nothing."""
        text = typed.strip()
        if text == NONE and self.can_be_empty:
            return ()
        return tuple(part for part in re.split(self.separator, text) if len(part) > 0)


@dataclass(frozen=True, slots=True)
class LookUp:
    """Asks the DNS, all at once. Answered by an answer for each."""

    questions: tuple[Sought, ...]

    def ask(self) -> Generator["LookUp", tuple[LookedUp, ...], tuple[LookedUp, ...]]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Reach:
    """Asks whether connections to these IP addresses succeed. Answered by those that did."""

    endpoints: tuple[Endpoint, ...]

    def ask(self) -> Generator["Reach", frozenset[Endpoint], frozenset[Endpoint]]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Note:
    """Says what was found. Answered by ()."""

    text: str
    is_warning: bool = False

    def ask(self) -> Generator["Note", Texts, Texts]:
        return (yield self)


InterviewStep = OwnerQuestion | LookUp | Reach | Note
InterviewAnswer = Texts | tuple[LookedUp, ...] | frozenset[Endpoint]
Interview = Generator[InterviewStep, InterviewAnswer, Result]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an interview takes place."""

    surroundings: Surroundings
    path: str  # of the file to be written
    folder: str  # where the command was typed: relative paths in answers begin there
    store: str  # proposed
    earlier: Answers | None = None  # those of the file that is there already

    def place(self, path: str, earlier: Sequence[str | None]) -> str:
        """A path that was answered, as the file names it: one that stands there already stays as it is."""
        return path if path in earlier else posixpath.join(self.folder, path)


def faults_of(answers: Answers, path: str) -> tuple[Fault, ...]:
    """What `check config` would say of the file with these answers."""
    try:
        parse_config(config_text(answers).encode(), path)
    except ConfigFaults as faults:
        return faults.faults
    except UnicodeEncodeError:
        return (Fault("", 0, "it is not UTF-8 text"),)
    return ()


def checked(
    scene: Scene, answers_with: Callable[[Texts], Answers], needed: str = ""
) -> Callable[[Texts], tuple[Fault, ...]]:
    """A check of an answer by the file that it leads to; `needed` says why it cannot be empty."""

    def faults(texts: Texts) -> tuple[Fault, ...]:
        if len(texts) == 0 and len(needed) > 0:
            return (Fault("", 0, needed),)
        return faults_of(answers_with(texts), scene.path)

    return faults


def formed(form: Form[object]) -> Callable[[Texts], tuple[Fault, ...]]:
    """A check of one text by its form alone, for a key that the file may not have without another."""

    def faults(texts: Texts) -> tuple[Fault, ...]:
        try:
            for text in texts:
                form(text)
        except Wrong as wrong:
            return (Fault("", 0, wrong.reason, wrong.hint),)
        return ()

    return faults


@dataclass(slots=True)
class Names:
    """The DNS during an interview. Once no question was answered, none is asked any more."""

    is_silent: bool = False

    def look_up(self, questions: Sequence[Sought]) -> Interview[tuple[LookedUp, ...] | None]:
        """An answer for each; None if the DNS is silent."""
        if self.is_silent or len(questions) == 0:
            return None
        answers = yield from LookUp(tuple(questions)).ask()
        if all(answer.finding is Finding.FAILED for answer in answers):
            self.is_silent = True
            yield from Note(SILENT_DNS, is_warning=True).ask()
            return None
        return answers

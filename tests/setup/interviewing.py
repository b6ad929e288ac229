"""An interview with answers from dicts: flags for what is asked, a world of names, hosts that answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from secondpost.mail.dns_questions import Ptr, PtrAnswer
from secondpost.mail.questions import (
    AddressAnswer,
    Addresses,
    Finding,
    Mx,
    MxAnswer,
    TxtAnswer,
)
from secondpost.setup.answers import Answers
from secondpost.setup.interview import interview
from secondpost.setup.questions import (
    InterviewStep,
    LookedUp,
    LookUp,
    Note,
    OwnerQuestion,
    Reach,
    Scene,
    Sought,
    Texts,
)
from secondpost.setup.surroundings import Surroundings

Names = Mapping[Sought, LookedUp]

SERVER = Surroundings("mx2.example.net", frozenset({"127.0.0.1", "5.9.8.7"}), low_port=0)
HOME = Surroundings("attic", frozenset({"127.0.0.1", "192.168.1.5"}), low_port=0)


@dataclass
class Interviewed:
    """What an interview led to: its answers, or the flags that were missing, and all it said."""

    answers: Answers
    asked: list[str] = field(default_factory=list)  # the flags of questions put on a terminal
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    suggestions: dict[str, Texts | None] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    looked_up: int = 0  # how often the DNS was asked


def interviewed(
    given: Mapping[str, Texts] | None = None,
    *,
    here: Surroundings = SERVER,
    names: Names | None = None,
    answering: frozenset[str] = frozenset(),
    earlier: Answers | None = None,
    folder: str = "/here",
) -> Interviewed:
    """Hold an interview; a question without an answer takes its suggestion, or its example.

    `names`: None is a silent DNS; a name that is not in it does not exist. `answering`: the IP
    addresses whose port 25 can be reached.
    """
    flags = {} if given is None else given
    held = Interviewed(Answers("", "", ()))
    going = interview(Scene(here, f"{folder}/secondpost.toml", folder, "/var/lib/secondpost", earlier))
    step: InterviewStep = next(going)
    try:
        while True:
            match step:
                case OwnerQuestion():
                    step = going.send(_answered(step, flags, held))
                case LookUp(questions):
                    held.looked_up += 1
                    step = going.send(tuple(_named(one, names) for one in questions))
                case Reach(endpoints):
                    step = going.send(frozenset(one for one in endpoints if one.host in answering))
                case Note(text, is_warning):
                    (held.warnings if is_warning else held.notes).append(text)
                    step = going.send(())
    except StopIteration as stop:
        held.answers = stop.value
        return held


def _answered(question: OwnerQuestion, flags: Mapping[str, Texts], held: Interviewed) -> Texts:
    held.suggestions[question.flag] = question.suggestion
    if question.is_asked:
        held.asked.append(question.flag)
    texts = flags.get(question.flag, question.suggestion)
    if texts is None:
        held.missing.append(question.flag)
        texts = (question.example,)
    faults = question.faults(texts)
    held.faults += [f"{question.flag}: {one.reason}" for one in faults]
    return texts if len(faults) == 0 else (question.example,)


def _named(question: Sought, names: Names | None) -> LookedUp:
    finding = Finding.FAILED if names is None else Finding.NO_NAME
    answer = None if names is None else names.get(question)
    if answer is not None:
        return answer
    match question:
        case Mx():
            return MxAnswer(finding)
        case Addresses():
            return AddressAnswer(finding)
        case Ptr():
            return PtrAnswer(finding)
        case _:
            return TxtAnswer(finding)

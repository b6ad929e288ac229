"""The possible decisions about an issue, each with its sentence for the owner.

A digest cannot be below its minimum here either: only Ready leads to one, and its DigestDraft
refuses fewer articles.
"""

from collections.abc import Callable
from dataclasses import dataclass

from secondpost.mail.calendar import SlotTime
from secondpost.mail.issue import DigestDraft, Issue, IssueState

When = Callable[[int], str]  # formats a time, in the newsletter's zone


@dataclass(frozen=True, slots=True)
class Ready:
    draft: DigestDraft
    is_forced: bool = False
    answered: SlotTime | None = None  # the slot that a forced issue answers

    def sentence(self, when: When) -> str:
        return f"{counted(len(self.draft.articles))}: the issue can go out."


@dataclass(frozen=True, slots=True)
class TooFew:
    articles: int
    minimum: int
    next_ms: int | None  # None: as soon as there are enough
    spent: SlotTime | None = None  # the slot that ends with this outcome
    waits_for_approval: bool = False  # even once there are enough

    def sentence(self, when: When) -> str:
        goes = "waits for your approval" if self.waits_for_approval else "goes out"
        ready = f"as soon as there are enough, the issue {goes}"
        later = ready if self.next_ms is None else _next(self, when)
        return f"{self.articles} of {counted(self.minimum)}; {later}."


@dataclass(frozen=True, slots=True)
class NotDue:
    articles: int
    minimum: int
    next_ms: int

    def sentence(self, when: When) -> str:
        if self.articles < self.minimum:
            return f"{self.articles} of {counted(self.minimum)}; {_next(self, when)}."
        enough = "1 is" if self.minimum == 1 else f"{self.minimum} are"
        return f"{counted(self.articles)}, and {enough} enough; {_next(self, when)}."


@dataclass(frozen=True, slots=True)
class Settling:
    """Enough articles, but some are too new or dated in the future."""

    articles: int
    minimum: int
    until_ms: int

    def sentence(self, when: When) -> str:
        ready = "is ready" if 1 in (self.articles, self.minimum) else "are ready"
        return f"{self.articles} of {counted(self.minimum)} {ready}, the next one {when(self.until_ms)}."


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A feed could not be read or believed, and there is not enough without its articles."""

    articles: int
    url: str
    finding: str
    last_ms: int | None = None  # when the slot ends without an issue; None: no fixed time

    def sentence(self, when: When) -> str:
        last = "" if self.last_ms is None else f", but no later than {when(self.last_ms)}"
        waits = f"the issue waits until it is solved{last}"
        return f"There is a problem with the feed {self.url}, and {waits}: {self.finding}"


@dataclass(frozen=True, slots=True)
class SlotKeptBack:
    """A slot that has come while another issue is not finished."""

    at_ms: int
    last_ms: int  # until when it makes an issue, if the other one is done by then
    is_over: bool  # that is past: it makes none

    def sentence(self, when: When) -> str:
        """Follows what is said of the unfinished issue."""
        which = f"The issue of {when(self.at_ms)}"
        if self.is_over:
            return f"{which} is left out, since it would be too late; its articles wait for the next one."
        return f"{which} waits until it is done, but no later than {when(self.last_ms)}."


@dataclass(frozen=True, slots=True)
class Unfinished:
    issue: Issue
    due: SlotKeptBack | None = None

    @property
    def keeps_due(self) -> bool:
        """Whether a slot has come that still makes an issue once this one, which has readers, is done."""
        return self.due is not None and not self.due.is_over and self.issue.state is not IssueState.OPEN

    def sentence(self, when: When) -> str:
        number, stop = self.issue.number, f"secondpost issue stop {self.issue.newsletter} {self.issue.number}"
        match self.issue.state:
            case IssueState.OPEN:
                stands = f"it could not be sent yet, and is tried again every hour. To stop it: {stop}"
            case IssueState.FROZEN if self.issue.start_ms is not None:
                stands = f"its first mail goes out {when(self.issue.start_ms)}. To stop it before: {stop}"
            case IssueState.HELD:
                number_of = f"{self.issue.newsletter} {number}"
                stands = f"it is held ({self.issue.reason}); to go on: secondpost issue resume {number_of}"
            case IssueState.SENDING:
                stands = f"it is being sent; to stop the mails that still wait: {stop}"
            case _:
                stands = "it is being prepared"
        waits = "The next issue waits until it is done." if self.due is None else self.due.sentence(when)
        return f"Issue {number} is not finished: {stands}. {waits}"


@dataclass(frozen=True, slots=True)
class ToApprove:
    """An issue that could go out, and waits for the owner's approval."""

    newsletter: str
    articles: int
    draft: DigestDraft
    last_ms: int | None = None  # when the slot ends without an issue; None: no fixed time

    def sentence(self, when: When) -> str:
        wait = "1 article waits" if self.articles == 1 else f"{self.articles} articles wait"
        last = "" if self.last_ms is None else f" until {when(self.last_ms)}"
        return f"{wait} for your approval{last}. To approve: secondpost issue approve {self.newsletter}."


@dataclass(frozen=True, slots=True)
class Unproven:
    """DNS does not prove that this server sends for the domain in From, or the link to unsubscribe fails."""

    articles: int
    why: str  # with what mends it, such as records to publish
    last_ms: int | None = None  # when the slot ends without an issue; None: no fixed time

    def sentence(self, when: When) -> str:
        last = "" if self.last_ms is None else f", but no later than {when(self.last_ms)}"
        wait = "waits" if self.articles == 1 else "wait"
        until = f"until DNS and the link to unsubscribe are in order{last}"
        return f"{counted(self.articles)} {wait} {until}: {self.why}"


@dataclass(frozen=True, slots=True)
class NotProven:
    """The slot ended before DNS and the link to unsubscribe were in order."""

    newsletter: str
    slot: SlotTime
    next_ms: int | None

    def sentence(self, when: When) -> str:
        return (
            f"The issue of {when(self.slot.at_ms)} did not go out: DNS or the link to unsubscribe was not "
            f"in order within 12 hours; {_next(self, when)}. To see what is missing: secondpost check dns."
        )


@dataclass(frozen=True, slots=True)
class NotApproved:
    """The slot ended without the owner's approval."""

    newsletter: str
    slot: SlotTime
    next_ms: int | None

    def sentence(self, when: When) -> str:
        return (
            f"The issue of {when(self.slot.at_ms)} was not approved within 12 hours; {_next(self, when)}. "
            f"To send it now: secondpost issue send {self.newsletter}."
        )


@dataclass(frozen=True, slots=True)
class NoReaders:
    """There are no readers; an issue to none would use up its articles."""

    newsletter: str
    articles: int
    next_ms: int | None
    spent: SlotTime | None = None  # the slot that ends with this outcome
    waits_for_approval: bool = False  # even once there is a reader

    def sentence(self, when: When) -> str:
        goes = "waits for your approval" if self.waits_for_approval else "goes out"
        later = f"the issue {goes} once it has one" if self.next_ms is None else _next(self, when)
        add = f"secondpost subscribers add {self.newsletter} ADDRESS"
        return f"{counted(self.articles)}, but the newsletter has no readers yet; {later}. To add one: {add}."


@dataclass(frozen=True, slots=True)
class GivenBack:
    """All waiting articles were in an issue that the owner stopped; the same issue must not be made
    again by itself.
    """

    newsletter: str
    articles: int

    def sentence(self, when: When) -> str:
        were = "1 article was" if self.articles == 1 else f"{self.articles} articles were"
        return (
            f"{were} in an issue that you stopped, and nothing new has come since: the issue waits for a new "
            f"article. To send it anyway: secondpost issue send {self.newsletter}."
        )


@dataclass(frozen=True, slots=True)
class Missed:
    slot: SlotTime
    next_ms: int | None

    def sentence(self, when: When) -> str:
        late = "was not sent, because the service was more than 12 hours late"
        return f"The issue of {when(self.slot.at_ms)} {late}; {_next(self, when)}."


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The slot ended while the issue before it was still being sent."""

    slot: SlotTime
    number: int  # of the issue before it
    done_ms: int
    next_ms: int | None

    def sentence(self, when: When) -> str:
        return (
            f"The issue of {when(self.slot.at_ms)} was left out, because issue {self.number} was not "
            f"finished before {when(self.done_ms)}, and its articles wait; {_next(self, when)}."
        )


@dataclass(frozen=True, slots=True)
class ClockSetBack:
    recorded_ms: int

    def sentence(self, when: When) -> str:
        return (
            f"The clock shows a time before {when(self.recorded_ms)}, when the last issue was decided. "
            "Nothing is sent until then: check the machine's clock."
        )


IssueDecision = (
    Ready
    | TooFew
    | NotDue
    | Settling
    | InDoubt
    | Unfinished
    | ToApprove
    | Unproven
    | NotProven
    | NotApproved
    | NoReaders
    | GivenBack
    | Missed
    | Overtaken
    | ClockSetBack
)


def counted(articles: int) -> str:
    return "1 article" if articles == 1 else f"{articles} articles"


def _next(
    decision: TooFew | NotDue | NotProven | NotApproved | NoReaders | Missed | Overtaken, when: When
) -> str:
    no_other = "no further time is planned"
    return no_other if decision.next_ms is None else f"next time: {when(decision.next_ms)}"

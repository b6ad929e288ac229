"""What stands between a newsletter and its next issue, and what to do about each. Pure.

`issue next` shows it before the time comes: an owner reads on Tuesday what would stop the issue of Friday.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from secondpost.compose.alarm_mail import remedy
from secondpost.config.records import Newsletter, Send
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import age_text
from secondpost.mail.issue import IssueState
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.mail.provider import provider_of_key
from secondpost.mail.witness import CopyHold
from secondpost.newsletter.decisions import (
    ClockSetBack,
    InDoubt,
    IssueDecision,
    NoReaders,
    NotDue,
    ToApprove,
    TooFew,
    Unfinished,
    Unproven,
    When,
)
from secondpost.newsletter.outlook import Outlook
from secondpost.owner.figures import counted
from secondpost.store.provider_ports import PauseCause, ProviderPause
from secondpost.subscribers.weighing import UndecidedBounces

NAMED_MAX = 5  # of one kind
ROLES = ("publish", "deliver", "fetch")  # those without which no issue goes out
CHECK_DNS = "secondpost check dns"


class Effect(StrEnum):
    """What an obstacle does to the next issue."""

    STOPS = "stops"  # it does not go out
    PART = "part"  # some of its readers wait, or do not get it
    NOTE = "note"  # it goes out, and the owner should know


class ObstacleKind(StrEnum):
    ALARM = "alarm"  # of the service: its disk, its store, a role
    APPROVAL = "approval"
    ARTICLES = "articles"  # there are not enough
    BOUNCES = "bounces"  # too many at once, not decided yet
    CLOCK = "clock"
    COPY = "copy"  # the store is a copy that was not accepted
    FEED = "feed"
    ISSUE = "issue"  # another one is not finished
    ONLY_TO = "only_to"
    OVERTAKEN = "overtaken"  # it may still be sent when the one after it is due
    PROOF = "proof"  # a duty of senders is not fulfilled: DNS, or the link to unsubscribe
    PROVIDER = "provider"  # one is paused
    READERS = "readers"  # there are none
    SERVICE = "service"  # it does not run
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Obstacle:
    kind: ObstacleKind
    effect: Effect
    text: str  # a sentence
    remedy: str  # a command, or what else to do


@dataclass(frozen=True, slots=True)
class AroundIssue:
    """What is known around the next issue, besides the decision about it."""

    if_due: IssueDecision  # what would be decided if its time were now
    unproven: str | None  # which duty of its sender is not fulfilled; None: none
    readers: int
    is_served: bool
    copy: CopyHold | None
    pauses: Sequence[ProviderPause]
    undecided: Sequence["UndecidedOfIssue"]
    alarms: Sequence[AlarmRecord]  # those that stand
    overtaken: str  # what happens to the issue after it; "" if it is done in time


@dataclass(frozen=True, slots=True)
class UndecidedOfIssue:
    """Bounces of an issue at one provider that wait for the owner."""

    newsletter: str
    number: int
    bounces: UndecidedBounces


# Alarms that keep issues from being made or sent. Others have an obstacle of their own, or concern other
# mail.
_ALARMS = {
    AlarmKind.CANNOT_START: Effect.STOPS,
    AlarmKind.CLAIM_WAITS: Effect.STOPS,
    AlarmKind.DISK_FAILED: Effect.STOPS,
    AlarmKind.FILLING_UP: Effect.NOTE,
    AlarmKind.LEASE_WAITS: Effect.STOPS,
    AlarmKind.LOGIN_REFUSED: Effect.PART,
    AlarmKind.NO_ROOM: Effect.NOTE,
    AlarmKind.PUBLISH_WAITS: Effect.STOPS,
    AlarmKind.ROLE_DIED: Effect.NOTE,
    AlarmKind.ROLE_FAILED: Effect.STOPS,
    AlarmKind.STORE_WAITS: Effect.STOPS,
}


def obstacles(
    newsletter: Newsletter, send: Send, outlook: Outlook, around: AroundIssue, when: When, now_ms: int
) -> tuple[Obstacle, ...]:
    """What stops the issue comes first, then what keeps a part of it back, then what is only to be known."""
    found = [
        *_of_service(around, now_ms),
        *_of_decision(newsletter, outlook, around, when),
        *_of_proof(send, around),
        *_of_bounces(around.undecided),
        *_of_providers(around.pauses, around.undecided, now_ms),
        *_of_settings(newsletter, send, outlook),
    ]
    if len(around.overtaken) > 0:
        found.append(Obstacle(ObstacleKind.OVERTAKEN, Effect.NOTE, around.overtaken, ""))
    return tuple(sorted(found, key=lambda each: tuple(Effect).index(each.effect)))


def said_in(decision: IssueDecision) -> ObstacleKind | None:
    """The obstacle that the decision's own sentence names, so that a screen does not say it twice."""
    match decision:
        case Unfinished():
            return ObstacleKind.ISSUE
        case ClockSetBack():
            return ObstacleKind.CLOCK
        case TooFew():
            return ObstacleKind.ARTICLES
        case NotDue(articles, minimum) if articles < minimum:
            return ObstacleKind.ARTICLES
        case NoReaders():
            return ObstacleKind.READERS
        case InDoubt():
            return ObstacleKind.FEED
        case ToApprove():
            return ObstacleKind.APPROVAL
        case Unproven():
            return ObstacleKind.PROOF
        case _:
            return None


def _of_service(around: AroundIssue, now_ms: int) -> Iterator[Obstacle]:
    if around.copy is not None:
        text = f"This store is a copy, and nothing of it goes out: {around.copy.why}."
        yield Obstacle(ObstacleKind.COPY, Effect.STOPS, text, "secondpost snapshot accept")
    if not around.is_served:
        text = "The service is NOT RUNNING: nothing is sent until it runs."
        yield Obstacle(ObstacleKind.SERVICE, Effect.STOPS, text, "secondpost serve")
    for alarm in around.alarms:
        effect = _ALARMS.get(alarm.kind)
        concerns = alarm.kind is not AlarmKind.CANNOT_START or alarm.subject in ROLES
        if effect is not None and concerns:
            since = age_text(max(now_ms - alarm.since_ms, 0))
            about = " ".join(word for word in (alarm.subject, alarm.detail) if len(word) > 0)
            text = f"Alarm for {since}: {alarm.kind.word} {about}".rstrip()
            yield Obstacle(ObstacleKind.ALARM, effect, text, remedy(alarm.kind))


def _of_decision(
    newsletter: Newsletter, outlook: Outlook, around: AroundIssue, when: When
) -> Iterator[Obstacle]:
    name, decision = newsletter.name, around.if_due
    match decision:
        case Unfinished(issue):
            stop = f"secondpost issue stop {name} {issue.number}"
            text = decision.sentence(when)
            yield Obstacle(ObstacleKind.ISSUE, Effect.STOPS, text, _resume(decision) or stop)
        case ClockSetBack():
            text = decision.sentence(when)
            yield Obstacle(ObstacleKind.CLOCK, Effect.STOPS, text, "Check the machine's clock (NTP).")
        case InDoubt():
            text, look = decision.sentence(when), f"Open it yourself: {decision.url}"
            yield Obstacle(ObstacleKind.FEED, Effect.STOPS, text, look)
        case _:
            pass
    missing = outlook.minimum - outlook.articles - outlook.settling
    if missing > 0:
        text = f"{outlook.articles} of {counted(outlook.minimum, 'article', 'articles')}."
        take = f"secondpost issue take {name} ARTICLE"
        yield Obstacle(ObstacleKind.ARTICLES, Effect.STOPS, text, f"Publish {missing} more, or {take}")
    elif outlook.articles < outlook.minimum:
        at_ms = sorted(each.until_ms for each in outlook.unripe)[outlook.minimum - outlook.articles - 1]
        text = f"There are enough articles {when(at_ms)}: some are too new, or dated in the future."
        yield Obstacle(ObstacleKind.ARTICLES, Effect.NOTE, text, f"secondpost issue take {name} ARTICLE")
    if around.readers == 0:
        text = "The newsletter has no readers yet."
        add = f"secondpost subscribers add {name} ADDRESS"
        yield Obstacle(ObstacleKind.READERS, Effect.STOPS, text, add)


def _resume(decision: Unfinished) -> str | None:
    issue = decision.issue
    if issue.state is not IssueState.HELD:
        return None
    return f"secondpost issue resume {issue.newsletter} {issue.number}"


def _of_proof(send: Send, around: AroundIssue) -> Iterator[Obstacle]:
    if around.unproven is not None:
        text = f"DNS or the link to unsubscribe is not in order: {around.unproven}"
        yield Obstacle(ObstacleKind.PROOF, Effect.STOPS, text, CHECK_DNS)
    if send.unverified:
        text = "`unverified = true` under [send]: it goes out even if DNS does not prove who sends."
        yield Obstacle(ObstacleKind.UNVERIFIED, Effect.NOTE, text, f"Remove the line; {CHECK_DNS}")


def _of_bounces(undecided: Sequence[UndecidedOfIssue]) -> Iterator[Obstacle]:
    for each in undecided[:NAMED_MAX]:
        bounces, readers = each.bounces, counted(each.bounces.readers, "reader", "readers")
        text = (
            f"Mail to {bounces.name} is paused until you decide about {readers} there, whose mail of issue "
            f"{each.number} of {each.newsletter} came back: {bounces.text}"
        )
        command = f"secondpost subscribers bounces {each.newsletter}"
        yield Obstacle(ObstacleKind.BOUNCES, Effect.PART, text, command)
    more = len(undecided) - NAMED_MAX
    if more > 0:
        text = f"At {counted(more, 'more provider', 'more providers')} you have to decide about bounces."
        yield Obstacle(ObstacleKind.BOUNCES, Effect.PART, text, "secondpost subscribers bounces")


_CAUSES = {
    PauseCause.BREAKER: "it refuses this server",
    PauseCause.BOUNCES: "too many of its mails came back",
    PauseCause.OWNER: "you paused it",
}


def _of_providers(
    pauses: Sequence[ProviderPause], undecided: Sequence[UndecidedOfIssue], now_ms: int
) -> Iterator[Obstacle]:
    decides = {each.bounces.provider for each in undecided}
    others = [
        pause for pause in pauses if pause.cause is not PauseCause.BOUNCES or pause.provider not in decides
    ]
    for pause in others[:NAMED_MAX]:
        age, name = age_text(max(now_ms - pause.since_ms, 0)), provider_of_key(pause.provider).name
        text = f"Mail to {name} has been paused for {age} ({_CAUSES[pause.cause]}): {pause.detail}"
        trial = ""
        if pause.trial_ms is not None:
            trial = f"; it goes on by itself if a trial mail succeeds, in {_in(pause.trial_ms, now_ms)}"
        command = f"secondpost providers resume {pause.provider}"
        yield Obstacle(ObstacleKind.PROVIDER, Effect.PART, text, f"{command}{trial}")
    more = len(others) - NAMED_MAX
    if more > 0:
        text = f"Mail to {counted(more, 'more provider', 'more providers')} is paused."
        yield Obstacle(ObstacleKind.PROVIDER, Effect.PART, text, "secondpost providers list")


def _in(at_ms: int, now_ms: int) -> str:
    return age_text(max(at_ms - now_ms, 0))


def _of_settings(newsletter: Newsletter, send: Send, outlook: Outlook) -> Iterator[Obstacle]:
    approve = f"secondpost issue approve {newsletter.name}"
    if isinstance(outlook.decision, ToApprove):
        yield Obstacle(ObstacleKind.APPROVAL, Effect.STOPS, "It waits for your approval.", approve)
    elif newsletter.approve and isinstance(outlook.decision, NotDue | TooFew):
        text = "When its time comes, it waits for your approval (`approve = true`)."
        yield Obstacle(ObstacleKind.APPROVAL, Effect.NOTE, text, approve)
    if len(send.only_to) > 0:
        text = f"Only these readers get it: {', '.join(send.only_to)} (`only_to` under [send])."
        yield Obstacle(ObstacleKind.ONLY_TO, Effect.PART, text, "Remove `only_to` to mail everyone.")

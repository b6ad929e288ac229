"""What the owner is sent about alarms: by which channel, and what of each alarm."""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.alarm import AlarmKind, Severity
from secondpost.mail.duration import HOUR_MS, MINUTE_MS

AHEAD_MS = MINUTE_MS  # what was written further ahead of now was written before the clock was set back
POST_AGAIN_MS_MAX = HOUR_MS  # between two attempts of a post to the webhook


def past_ms(at_ms: int, now_ms: int) -> int:
    """A time that was written down, in the past: one ahead of now counts as long ago, since nothing
    may wait until a clock that was wrong is right.
    """
    return at_ms if at_ms <= now_ms + AHEAD_MS else 0


class NoticeChannel(StrEnum):
    """How a notice reaches the owner. Each is kept up on its own: one may be closed."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Batch(StrEnum):
    """Alarms that share a notice; none of one waits for the other."""

    OWN = "own"
    STRANGERS = "strangers"  # alarms that people other than the owner can cause (by_strangers)


class ReportKind(StrEnum):
    """Mails at fixed times."""

    DIGEST = "digest"
    ALL_IS_WELL = "all-is-well"


class News(StrEnum):
    """What a notice says of an alarm."""

    BEGAN = "began"
    WORSE = "worse"  # a condition that gets worse in steps has come to the next
    LASTS = "lasts"  # a reminder
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class NoticeMarks:
    """When the owner was sent each, by one channel; None: not yet."""

    began_ms: int | None = None
    lasts_ms: int | None = None  # the last reminder, or that it got worse
    step: int | None = None  # the last one that the owner was sent
    ended_ms: int | None = None

    @property
    def times(self) -> tuple[int, ...]:
        return tuple(at for at in (self.began_ms, self.lasts_ms, self.ended_ms) if at is not None)


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """An alarm as the store keeps it. One that begins again after its end is another record."""

    kind: AlarmKind
    subject: str
    role: str  # whose process stated it
    noted_ms: int  # when it was first written
    detail: str
    since_ms: int
    last_ms: int  # when it last occurred
    seen_ms: int  # when it was last stated, give or take some minutes
    step: int = 0  # of a condition that gets worse in steps, how far it has come
    ended_ms: int | None = None
    how: str = ""  # what the owner may want to know of its end
    mail: NoticeMarks = NoticeMarks()
    webhook: NoticeMarks = NoticeMarks()

    @property
    def severity(self) -> Severity:
        return self.kind.severity_at(self.step)

    def marks(self, channel: NoticeChannel) -> NoticeMarks:
        return self.mail if channel is NoticeChannel.MAIL else self.webhook


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news about one alarm."""

    news: News
    alarm: AlarmRecord


@dataclass(frozen=True, slots=True)
class SentNotice:
    """A notice that was sent lately. `is_waiting`: not one recipient's server has taken the mail, and
    one may still take it; or posts wait.
    """

    channel: NoticeChannel
    batch: Batch
    at_ms: int
    roles: frozenset[str]  # whose alarms caused it
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class OwnerPost:
    """The body of a post to the webhook, JSON; `made_ms` and `number` are its identity."""

    made_ms: int
    number: int
    body: str
    due_ms: int
    attempts: int = 0

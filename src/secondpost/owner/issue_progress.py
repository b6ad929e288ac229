"""How an issue stands with each provider of readers' mailboxes: counts, speed, pauses, last answer."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from secondpost.mail.delivery import State
from secondpost.mail.duration import HOUR_MS, MINUTE_MS
from secondpost.mail.issue import IssueId
from secondpost.mail.provider import counted_name, provider_of_key, provider_of_place
from secondpost.mail.subscriber import SubscriberId
from secondpost.store.provider_ports import ProviderPause
from secondpost.store.statistics_ports import DomainMail, LastAnswer

if TYPE_CHECKING:
    from secondpost.store.newsletter_store_ports import NewsletterDesk

MAILS_PER_READ = 50_000  # some 80 ms
MINUTES_MS = 5 * MINUTE_MS
KINDS = ("accepted", "waiting", "deferred", "failed", "expired", "unknown", "unsent")
ENDED_UNSENT = (State.SUPPRESSED, State.STOPPED, State.DROPPED)


@dataclass(frozen=True, slots=True)
class ProviderProgress:
    """An issue's mails to one provider. They add up to its readers there."""

    key: str  # OTHERS for all without a profile together
    name: str
    accepted: int
    waiting: int  # not tried yet, or being sent
    deferred: int  # wait after a failed attempt
    failed: int  # refused for good
    expired: int
    unknown: int
    unsent: int  # left before their turn, or stopped
    minutes: int  # accepted within MINUTES_MS
    hour: int  # accepted within an hour
    last: LastAnswer | None
    pauses: tuple[ProviderPause, ...]


@dataclass(frozen=True, slots=True)
class LatestAnswer:
    """Where the newest answer of a provider is to be found."""

    at_ms: int
    after: SubscriberId
    upto: SubscriberId
    domain: int


@dataclass(slots=True)
class ProgressCounts:
    """Sums pages of an issue's mails by provider."""

    latest: dict[str, LatestAnswer] = field(default_factory=dict)
    _providers: dict[int, str] = field(default_factory=dict)  # by domain
    _mails: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _accepted: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # lately

    def add(self, page: Sequence[DomainMail], after: SubscriberId, upto: SubscriberId) -> None:
        for mail in page:
            provider = self._provider_of(mail)
            self._mails[provider][kind_of(mail)] += mail.mails
            lately = self._accepted[provider]
            lately["minutes"] += mail.minutes
            lately["hour"] += mail.hour
            if mail.answered_ms is not None:
                newest = self.latest.get(provider)
                if newest is None or mail.answered_ms > newest.at_ms:
                    self.latest[provider] = LatestAnswer(mail.answered_ms, after, upto, mail.domain)

    def _provider_of(self, mail: DomainMail) -> str:
        """Looked up once for each domain: it stands in every page."""
        found = self._providers.get(mail.domain)
        if found is None:
            found = provider_of_place(mail.name, mail.site).counted_as
            self._providers[mail.domain] = found
        return found

    def progress(
        self, answers: Mapping[str, LastAnswer], pauses: Sequence[ProviderPause]
    ) -> list[ProviderProgress]:
        """By number of mails, the most first."""
        by_size = sorted(self._mails, key=lambda key: (-self._mails[key].total(), key))
        return [
            ProviderProgress(
                key,
                counted_name(key),
                **{kind: self._mails[key][kind] for kind in KINDS},
                **self._accepted[key],
                last=answers.get(key),
                pauses=tuple(pause for pause in pauses if provider_of_key(pause.provider).counted_as == key),
            )
            for key in by_size
        ]


def kind_of(mail: DomainMail) -> str:
    """The count of ProviderProgress that mails in a state belong to."""
    match mail.state:
        case State.DELIVERED:
            return "accepted"
        case State.FAILED | State.EXPIRED | State.UNKNOWN:
            return mail.state.value
        case state if state in ENDED_UNSENT:
            return "unsent"
        case _:
            return "deferred" if mail.was_put_off else "waiting"


async def read_progress(store: "NewsletterDesk", issue: IssueId, now_ms: int) -> list[ProviderProgress]:
    """Read all mails of an issue, page by page; none are left a year after its end."""
    counts = ProgressCounts()
    after = SubscriberId(0)
    while True:
        upto, page = await store.mails_by_domain(
            issue, after, MAILS_PER_READ, now_ms - MINUTES_MS, now_ms - HOUR_MS
        )
        if upto is None:
            break
        counts.add(page, after, upto)
        after = upto
    answers = {}
    for key, at in counts.latest.items():
        answer = await store.answer(issue, at.after, at.upto, at.domain, at.at_ms)
        if answer is not None:
            answers[key] = answer
    return counts.progress(answers, await store.provider_pauses())

"""One look at the whole service, for a screen that is renewed every few seconds: only cheap reads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from secondpost.config.records import Config
from secondpost.mail.daily import DailyCount
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Issue, Reckoning
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.owner.alarms import standing_alarms
from secondpost.owner.primaries import PrimaryStands, counted_all_days, primaries_of
from secondpost.owner.status import standing_of_count
from secondpost.spool.desk import OwnersDesk, Standing
from secondpost.store.newsletter_store_ports import NewsletterDesk


@dataclass(slots=True)
class LaneQueue:
    """What of a lane is not ended."""

    deliveries: Counter[str] = field(default_factory=Counter)  # by the words of QUEUE_COLUMNS
    octets: int = 0
    oldest_ms: int | None = None


WAITING, HELD_PRIMARY, HELD_OWNER, KEPT = "waiting", "held (primary)", "held (owner)", "kept"
QUEUE_COLUMNS = (WAITING, HELD_PRIMARY, HELD_OWNER, KEPT)
_COLUMN_OF = {
    Standing.WAITING: WAITING,
    Standing.CLAIMED: WAITING,
    Standing.HELD_PRIMARY: HELD_PRIMARY,
    Standing.HELD_OWNER: HELD_OWNER,
}


@dataclass(frozen=True, slots=True)
class IssueProgress:
    issue: Issue
    reckoning: Reckoning
    deferred: int


@dataclass(frozen=True, slots=True)
class LiveLook:
    at_ms: int
    served_by: frozenset[str]  # roles; empty while the service is down
    lanes: Mapping[Lane, LaneQueue]
    primaries: Sequence[PrimaryStands]
    alarms: Sequence[AlarmRecord]
    issues: Sequence[IssueProgress]  # that are under way
    reader_mails: int | None  # that wait; None without a newsletter
    passed_on: int  # deliveries to primaries in the last days

    @property
    def issue_mails(self) -> int:
        """Mails of the issues under way that came to an end."""
        return sum(one.reckoning.accounted for one in self.issues)


async def live_look(desk: OwnersDesk, newsletter: NewsletterDesk | None, config: Config) -> LiveLook:
    primaries = await primaries_of(desk, config)
    served_by = await desk.desk.served_by()
    issues: list[IssueProgress] = []
    reader_mails: int | None = None
    if newsletter is not None:
        served_by |= await newsletter.served_by()
        mail = await newsletter.mail_to_readers()
        reader_mails = mail.waiting
        for issue in await newsletter.issues_under_way():
            reckoning = await newsletter.reckoning(issue.id)
            issues.append(IssueProgress(issue, reckoning, mail.deferred.get(issue.id, 0)))
    return LiveLook(
        at_ms=desk.clock.now_ms(),
        served_by=served_by,
        lanes=await _lanes(desk),
        primaries=primaries,
        alarms=standing_alarms(await desk.desk.alarms()),
        issues=issues,
        reader_mails=reader_mails,
        passed_on=sum(counted_all_days(one, DailyCount.PASSED_ON) for one in primaries),
    )


async def _lanes(desk: OwnersDesk) -> dict[Lane, LaneQueue]:
    lanes = {Lane.RELAY: LaneQueue()}
    for count in await desk.desk.counts():
        queue = lanes.setdefault(count.lane, LaneQueue())
        queue.deliveries[_COLUMN_OF.get(standing_of_count(count), KEPT)] += count.deliveries
        queue.octets += count.octets
        if count.deliveries > 0:
            queue.oldest_ms = min(count.oldest_ms, queue.oldest_ms or count.oldest_ms)
    return lanes

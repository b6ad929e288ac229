"""Weigh bounces: suspend the readers whose mail keeps coming back, unless they are too many at once.

Done in rounds by the one publish role that leads, and only with bounces that are an hour old: by
then most of an issue's bounces are there, and a mass is seen before it is acted upon.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.issue import Issue, IssueId, IssueState
from secondpost.mail.provider import provider_of_site
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.subscriber import SubscriberId
from secondpost.maillog import MailLog
from secondpost.store.newsletter_ports import Issues
from secondpost.store.provider_ports import PauseCause, ProviderPause, ProviderPauses
from secondpost.store.weighing_ports import BouncedReader, SiteReaders, Suspension, Weighing
from secondpost.subscribers.suspending import (
    AT_PROVIDER,
    ISSUES_LOOKED_AT,
    Audience,
    BounceOfIssue,
    TooMany,
    too_many,
    why_suspended,
)
from secondpost.world.ports import Clock

QUIET_MS = HOUR_MS  # a bounce is weighed this long after it came
PAGE = 200  # bounces read at once
AT_ONCE = 50  # bounces written in one transaction
EVER_MS = (1 << 53) - 1  # after every time
AUDIENCE_AT_ONCE = 10_000  # readers counted by one query

SUSPENDING = (Weighed.SUSPENDED, Weighed.HELD, Weighed.ACCEPTED)


class BounceStore(Weighing, ProviderPauses, Issues, Protocol):
    """What weighing needs of the store."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A reader who would be suspended."""

    bounce: BouncedReader
    audience: Audience
    why: str


class BounceWeighing:
    def __init__(self, store: BounceStore, clock: Clock, log: MailLog, alarms: StandingAlarms) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._alarms = alarms
        self._undecided: frozenset[str] = frozenset()  # subjects of the alarm

    async def look(self) -> None:
        """Weigh the bounces that are old enough."""
        before_ms = self._clock.now_ms() - QUIET_MS
        for id in await self._store.bounced_issues(before_ms):
            if id is None:
                await self._weigh_confirmations(before_ms)
                continue
            issue = await self._store.issue(id)
            if issue is not None:
                await self._weigh(issue, before_ms)
        await self._ring()

    async def _weigh_confirmations(self, before_ms: int) -> None:
        """A sign-up whose confirmation says that there is no such mailbox is over."""
        async for page in self._pages(None, before_ms):
            await self._write(
                [
                    Suspension(
                        bounce.number, bounce.subscriber, Weighed.SUSPENDED, "the confirmation came back"
                    )
                    if bounce.kind is BounceKind.DEAD
                    else Suspension(bounce.number, bounce.subscriber, Weighed.COUNTED)
                    for bounce in page
                ]
            )

    async def _weigh(self, issue: Issue, before_ms: int) -> None:
        since_ms = await self._mailed_before_ms(issue)
        candidates = await self._candidates(issue, before_ms, since_ms)
        if len(candidates) == 0:
            return
        decided = await self._store.weighed_counts(issue.id, since_ms)
        readers = Counter(dict(_by_audience([one for state, one in decided if state in SUSPENDING])))
        readers.update(candidate.audience for candidate in candidates)
        crowd = TooMany(frozenset(), frozenset())
        if readers.total() >= AT_PROVIDER.readers:
            crowd = too_many(readers, await self._audience(issue.id, since_ms))
        owner = {_audience_of(one): state for state, one in decided if state not in SUSPENDING[:2]}
        chosen = [_suspension(each, crowd, owner) for each in candidates]
        suspended = await self._write(chosen)
        held = sum(one.weighed is Weighed.HELD for one in chosen)
        self._log.bounces_weighed(issue, suspended, held)
        if held > 0:
            await self._halt(issue, crowd, readers)

    async def _candidates(self, issue: Issue, before_ms: int, since_ms: int) -> list[_Candidate]:
        """The readers whom the new bounces would suspend; the other bounces are counted."""
        found: dict[SubscriberId, _Candidate] = {}
        async for page in self._pages(issue.id, before_ms):
            among = await self._store.bounces_among(
                issue.id, [bounce.subscriber for bounce in page], ISSUES_LOOKED_AT
            )
            counted = []
            for bounce in page:
                of_reader = [BounceOfIssue(n, kind) for id, n, kind in among if id == bounce.subscriber]
                # The issue before this one left before the reader came back.
                is_probe = bounce.back_ms is not None and bounce.back_ms > since_ms
                why = why_suspended(issue.number, of_reader, is_probe=is_probe) if bounce.is_active else ""
                if why == "" or bounce.subscriber in found:
                    counted.append(Suspension(bounce.number, bounce.subscriber, Weighed.COUNTED))
                else:
                    audience = Audience(provider_of_site(bounce.site).key, bounce.created_ms > since_ms)
                    found[bounce.subscriber] = _Candidate(bounce, audience, why)
            await self._write(counted)
        return list(found.values())

    async def _pages(self, issue: IssueId | None, before_ms: int) -> AsyncIterator[list[BouncedReader]]:
        behind = 0
        while True:
            page = await self._store.bounced_readers(issue, Weighed.NEW, before_ms, behind, PAGE)
            if len(page) == 0:
                return
            behind = page[-1].number
            yield page

    async def _mailed_before_ms(self, issue: Issue) -> int:
        """When the issue before this one left; readers added later were never mailed before."""
        number: int | None = issue.number
        while number is not None:
            earlier = await self._store.issues(issue.newsletter, number, ISSUES_LOOKED_AT)
            for each in earlier:
                if each.start_ms is not None and each.planned > 0:
                    return each.start_ms
            number = earlier[-1].number if len(earlier) > 0 else None
        return 0

    async def _audience(self, issue: IssueId, since_ms: int) -> Mapping[Audience, int]:
        readers: Counter[Audience] = Counter()
        behind: SubscriberId | None = SubscriberId(0)
        while behind is not None:
            behind, sites = await self._store.audience(issue, since_ms, behind, AUDIENCE_AT_ONCE)
            readers.update(dict(_by_audience(sites)))
        return readers

    async def _write(self, chosen: Sequence[Suspension]) -> int:
        suspended = 0
        for start in range(0, len(chosen), AT_ONCE):
            suspended += await self._store.weigh(chosen[start : start + AT_ONCE], self._clock.now_ms())
        return suspended

    async def _halt(self, issue: Issue, crowd: TooMany, suspended: Mapping[Audience, int]) -> None:
        """Pause the providers, and hold the issue if the bounces are too many in all."""
        now_ms = self._clock.now_ms()
        for provider in sorted({audience.provider for audience in crowd.providers}):
            many = sum(each for audience, each in suspended.items() if audience.provider == provider)
            detail = f"issue {issue.number} of {issue.newsletter}: {many} mailboxes are refused at once"
            await self._store.pause_provider(ProviderPause(provider, PauseCause.BOUNCES, now_ms, detail))
        if len(crowd.of_issue) > 0 and issue.state in (IssueState.FROZEN, IssueState.SENDING):
            await self._store.hold(issue.id, "too many of its mails come back")

    async def _ring(self) -> None:
        """The alarm of each issue whose bounces wait for the owner."""
        undecided = set()
        for id, many in await self._store.undecided():
            issue = await self._store.issue(id)
            if issue is None:
                continue
            subject = f"{issue.newsletter} {issue.number}"
            undecided.add(subject)
            detail = (
                f"{many} mailboxes are refused at once; until you decide, none of their readers is "
                "suspended, and their provider gets no issue"
            )
            self._alarms.begin(AlarmKind.MANY_BOUNCES, subject, detail)
        for subject in self._undecided - undecided:
            self._alarms.end(AlarmKind.MANY_BOUNCES, subject)
        self._undecided = frozenset(undecided)


def _suspension(each: _Candidate, crowd: TooMany, owner: Mapping[Audience, Weighed]) -> Suspension:
    """What becomes of a candidate: what the owner decided of the others counts for this one too."""
    said = owner.get(each.audience)
    if said is None:
        said = Weighed.HELD if crowd.holds(each.audience) else Weighed.SUSPENDED
    return Suspension(each.bounce.number, each.bounce.subscriber, said, each.why)


def _audience_of(one: SiteReaders) -> Audience:
    return Audience(provider_of_site(one.site).key, one.is_new)


def _by_audience(sites: Sequence[SiteReaders]) -> list[tuple[Audience, int]]:
    readers: Counter[Audience] = Counter()
    for one in sites:
        readers[_audience_of(one)] += one.readers
    return list(readers.items())


@dataclass(frozen=True, slots=True)
class UndecidedBounces:
    """Bounces of an issue at one provider that wait for the owner."""

    provider: str  # key
    name: str
    readers: int
    text: str  # what its servers said of one of them


async def undecided_bounces(store: Weighing, issue: IssueId) -> list[UndecidedBounces]:
    """By number of readers, the most first."""
    readers: dict[str, set[SubscriberId]] = {}
    texts: dict[str, str] = {}
    names: dict[str, str] = {}
    async for bounce in _held(store, issue):
        key = provider_of_site(bounce.site).key
        readers.setdefault(key, set()).add(bounce.subscriber)
        texts.setdefault(key, bounce.text)
        names[key] = provider_of_site(bounce.site).name
    found = [UndecidedBounces(key, names[key], len(ids), texts[key]) for key, ids in readers.items()]
    return sorted(found, key=lambda one: (-one.readers, one.provider))


async def decide(
    store: BounceStore, issue: Issue, provider: str | None, decision: Weighed, now_ms: int
) -> int:
    """Let the bounces that wait suspend their readers (ACCEPTED), or forgive them (FORGIVEN); of one
    provider, or all. Returns how many readers that concerned, and ends the pauses of the providers.
    """
    readers: set[SubscriberId] = set()
    keys: set[str] = set()
    chosen = []
    async for bounce in _held(store, issue.id):
        key = provider_of_site(bounce.site).key
        if provider in (None, key):
            why = f"issue {issue.number}: you let it be suspended with others"
            chosen.append(Suspension(bounce.number, bounce.subscriber, decision, why))
            readers.add(bounce.subscriber)
            keys.add(key)
    for start in range(0, len(chosen), AT_ONCE):
        await store.weigh(chosen[start : start + AT_ONCE], now_ms)
    for key in sorted(keys):
        await store.resume_provider(key, PauseCause.BOUNCES)
    return len(readers)


async def _held(store: Weighing, issue: IssueId) -> AsyncIterator[BouncedReader]:
    behind = 0
    while len(page := await store.bounced_readers(issue, Weighed.HELD, EVER_MS, behind, PAGE)) > 0:
        for bounce in page:
            yield bounce
        behind = page[-1].number

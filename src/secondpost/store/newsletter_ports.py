"""What the stations may expect of the store of the newsletter (newsletter.db), one small port per user; the
keeper of people has a file of its own, store/subscriber_ports, and there the whole is put together.

What store/ports says of awaitables, reads, times and errors holds here too. What is asked for by many
(import, freeze, send, stop, sweep) is done in batches: each is one short transaction, whatever there is.

A newsletter is known by its name. Verbs that must be led by one process take its Lease: of a lease that
fell they write nothing, and raise LeadershipLost.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from secondpost.mail.article import Article
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.issue import ArticleId, DigestDraft, Issue, IssueId, LetterDraft, Reckoning
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import SubscriberId
from secondpost.store.owner_ports import DeliveryEvent
from secondpost.store.ports import Claims, Lease


class LeadershipLost(Exception):
    """Another process leads now. Nothing was written."""


class IssueRefused(Exception):
    """The issue is not in a state in which this may be done. The text is for the owner."""


class Leading(Protocol):
    """One process at a time does what must never be done twice at once: the publish role, or a command
    that plays it while none is running.
    """

    def lead(self, what: str) -> Awaitable[Lease | None]:
        """None when another living process leads it. It falls with the process, or by give_back."""
        ...

    def give_back(self, lease: Lease) -> Awaitable[None]: ...


# ---------------------------------------------------------------- the ledger of articles


class ArticleState(StrEnum):
    SEEN = "seen"  # was there at the first sight of the feed, or counts as old: not for an issue
    WAITING = "waiting"  # for an issue
    HELD = "held"  # needs the owner, or vanished from its feed
    SKIPPED = "skipped"  # by a rule or by the owner
    TAKEN = "taken"  # stands in an issue


GIVEN_BACK = "it was in an issue that was stopped"  # the reason of an article that waits again
TAKEN_BY_HAND = "you took it"  # of one that the owner led to WAITING: no look at a feed leads it away
SKIPPED_BY_HAND = "you skipped it"


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known of one feed of a newsletter; all empty before its first fetch."""

    newsletter: str
    url: str  # as configured
    etag: str = ""  # of the last good answer, quotes included; sent back as it is
    last_modified: str = ""
    identity: str = ""  # the feed's own id or self link, pinned when it was first read
    title: str = ""
    last_fetch_ms: int | None = None
    last_good_ms: int | None = None
    last_read_ms: int | None = None  # of the last document that was believed; a 304 is none
    finding: str = ""  # of the last fetch in words; "" when it was good
    baseline_done: bool = False  # what stood in it at first sight is in the ledger
    distrusted_guids: frozenset[str] = frozenset()  # once given to two articles: never to be believed again
    left_out: str = ""  # of the last good answer: which of its entries are no articles, and why


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One article that was ever seen. It is never deleted."""

    id: ArticleId
    newsletter: str
    feed: str  # its url
    article: Article  # as it was last read, until it was taken by an issue
    canonical_link: str
    first_seen_ms: int
    last_seen_ms: int
    good_fetches: int  # in which it stood, the first included
    state: ArticleState
    issue: IssueId | None  # if and only if TAKEN
    reason: str  # in words for the owner: why it is held, skipped or seen; GIVEN_BACK; TAKEN_BY_HAND


@dataclass(frozen=True, slots=True)
class NewArticle:
    article: Article
    canonical_link: str
    state: ArticleState  # not TAKEN
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """A known article stood in the feed again: it now says this, unless it is taken. Taken or not, it is
    known by its newest guid and link from now on.
    """

    id: ArticleId
    article: Article
    canonical_link: str = ""  # "": as it was


@dataclass(frozen=True, slots=True)
class ArticleMove:
    """Leads an article that is not taken to another state, which is not TAKEN."""

    id: ArticleId
    state: ArticleState
    reason: str


@dataclass(frozen=True, slots=True)
class FetchRecord:
    """All that one look at a feed brings. `feed` replaces what was known of it; an unreadable answer and a
    304 bring no articles.
    """

    feed: Feed
    at_ms: int
    new: tuple[NewArticle, ...] = ()  # in the order in which they are to stand, oldest first
    again: tuple[SeenAgain, ...] = ()
    moves: tuple[ArticleMove, ...] = ()


class Ledger(Protocol):
    """The publish role's view of feeds and articles."""

    async def feed(self, newsletter: str, url: str) -> Feed: ...

    def record_fetch(self, record: FetchRecord) -> Awaitable[None]:
        """One transaction. An article that is there already by its guid in this feed, or without one by its
        link and words, is not added again: another process may have looked at the same moment.
        """
        ...

    def move_articles(self, newsletter: str, moves: Sequence[ArticleMove]) -> Awaitable[int]:
        """The owner's take and skip: all of them in one transaction, or none when one of them is in an issue
        or not of this newsletter; how many went.
        """
        ...

    async def standing(self, newsletter: str, url: str, since_ms: int, limit: int) -> list[LedgerEntry]:
        """Articles of this feed that were seen in it at `since_ms` or later, in the order first seen; the
        latest `limit` of them.
        """
        ...

    async def count(self, newsletter: str, state: ArticleState) -> int: ...

    async def causes_held(self, newsletter: str) -> frozenset[str]:
        """Why articles are held: each reason once."""
        ...

    async def causes_alarmed(self, newsletter: str) -> frozenset[str]:
        """Those of which an alarm has spoken."""
        ...

    def set_causes_alarmed(self, newsletter: str, causes: frozenset[str]) -> Awaitable[None]: ...

    async def entries_by_guid(self, newsletter: str, url: str, guids: Sequence[str]) -> list[LedgerEntry]:
        """Of this feed: a guid means nothing outside of its feed."""
        ...

    async def entries_by_link(self, newsletter: str, canonical_links: Sequence[str]) -> list[LedgerEntry]:
        """Of all feeds of the newsletter, oldest first."""
        ...

    async def entries_by_fingerprint(self, newsletter: str, fingerprints: Sequence[str]) -> list[LedgerEntry]:
        """Of all feeds of the newsletter, oldest first."""
        ...

    async def entries(self, newsletter: str, state: ArticleState, limit: int) -> list[LedgerEntry]:
        """In the order first seen; the latest `limit` of them when they are not waiting."""
        ...

    async def entries_of_issue(self, issue: IssueId) -> list[LedgerEntry]:
        """In the order in which the issue tells them."""
        ...

    async def entry(self, id: ArticleId) -> LedgerEntry | None: ...


# ---------------------------------------------------------------- issues


class SlotOutcome(StrEnum):
    """What came of a time at which an issue was to go out; recorded once."""

    ISSUED = "issued"
    SKIPPED = "skipped"  # too few articles: they wait for the next
    HELD = "held"  # the owner did not approve in time, or sent an issue by command
    MISSED = "missed"  # nobody was there at the time


@dataclass(frozen=True, slots=True)
class SlotRecord:
    newsletter: str
    key: str
    outcome: SlotOutcome
    at_ms: int
    reason: str
    issue: IssueId | None = None  # if and only if ISSUED


@dataclass(frozen=True, slots=True)
class CalendarSince:
    """The calendar by which a newsletter goes, and since when."""

    newsletter: str
    every: str  # as configured; "" in a store from before this was written down
    timezone: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class FrozenSome:
    """What one batch of a freeze did."""

    rows: int  # written
    is_last: bool


@dataclass(frozen=True, slots=True)
class ReaderDelivery:
    """One reader's row of an issue, as a list shows it; or a confirmation, which has no issue."""

    id: DeliveryId
    issue: IssueId | None
    subscriber: SubscriberId
    recipient: str
    state: State
    attempts: int
    last_ms: int | None
    cause: str
    host: str
    reply: str
    was_retried: bool  # the one retry of what is unknown was made
    due_ms: int  # when it is tried next, while it waits and its site is not down
    site: str  # as hinted; "unsorted" before the first attempt
    site_down: bool


class Issues(Protocol):
    """The publish role's view, and the owner's."""

    # ---- slots and making

    async def calendar(self, newsletter: str) -> CalendarSince | None:
        """None for a newsletter that was never looked at."""
        ...

    def set_calendar(self, calendar: CalendarSince) -> Awaitable[None]:
        """Replaces what was written down before."""
        ...

    async def slot(self, newsletter: str, key: str) -> SlotRecord | None: ...

    async def last_slot(self, newsletter: str) -> SlotRecord | None:
        """The one recorded last."""
        ...

    def record_slot(self, record: SlotRecord) -> Awaitable[SlotRecord]:
        """The outcome of a slot that brings no issue. What was recorded first stands, and is returned."""
        ...

    def set_note(self, newsletter: str, text: str) -> Awaitable[None]:
        """The foreword of the next digest; "" takes it back."""
        ...

    async def note(self, newsletter: str) -> str: ...

    def create_digest(self, draft: DigestDraft, message: QueueId, at_ms: int) -> Awaitable[Issue]:
        """Issue, its articles taken, its slot recorded, the note used up: one transaction. Raises
        IssueRefused when one of the articles does not wait any more, or the slot has an outcome already.
        `message` is the name of the message that it will be.
        """
        ...

    def create_letter(self, draft: LetterDraft, message: QueueId, at_ms: int) -> Awaitable[Issue]: ...

    def write_content(self, issue: IssueId, subject: str, content: bytes) -> Awaitable[None]:
        """Once for all readers: the caller's own bytes, with holes for what is personal. While the issue
        is open it may be written again. Raises IssueRefused; ValueError when it is empty.
        """
        ...

    # ---- freezing

    def begin_freeze(self, issue: IssueId, leader: Lease) -> Awaitable[Issue]:
        """The audience is fixed: readers active at this moment, `planned` of them. Raises IssueRefused when
        there is no content, or another issue of the newsletter is under way.
        """
        ...

    def freeze_batch(self, issue: IssueId, leader: Lease, readers_max: int) -> Awaitable[FrozenSome]:
        """Rows for the next readers, until `is_last`. Who comes and goes meanwhile changes nothing."""
        ...

    def freeze_done(self, issue: IssueId, leader: Lease, start_ms: int) -> Awaitable[Issue]:
        """Frozen, if there is a row for every reader of the audience; its first mail leaves at `start_ms`.
        Raises IssueRefused, and the issue must be swept.
        """
        ...

    def sweep_freezing(self) -> Awaitable[int]:
        """Issues whose freezing process leads no more: their rows go, in batches, and they are open again
        with their articles and content; how many. Stops that were cut short go on to their end.
        """
        ...

    # ---- sending

    def start(self, issue: IssueId, now_ms: int) -> Awaitable[bool]:
        """A frozen issue whose start has come is sending; False: not yet, or not frozen."""
        ...

    def send_batch(self, issue: IssueId, now_ms: int, rows_max: int) -> Awaitable[int]:
        """More rows of a sending issue can be claimed from now on; 0 when all can."""
        ...

    def stop(self, issue: IssueId, now_ms: int, reason: str) -> Awaitable[Issue]:
        """Nothing of it is claimed or committed any more; rows under way end as their outcome says. When
        nothing was sent yet, its articles wait again, marked GIVEN_BACK. In batches. Raises IssueRefused.
        """
        ...

    def finish(self, issue: IssueId, now_ms: int) -> Awaitable[bool]:
        """Done, if it is sending, nothing is under way and the reckoning adds up."""
        ...

    def retry_unknown(self, issue: IssueId, subscriber: SubscriberId | None, now_ms: int) -> Awaitable[int]:
        """The owner allows those that are unknown (or one of them) one more try, due now: how many that had
        none before. An issue that was done is sending again.
        """
        ...

    def forget_rows(self, finished_before_ms: int) -> Awaitable[int]:
        """Of issues that finished before then each reader's row goes, and what was told of it; one batch, how
        many. Counts, articles and content stay.
        """
        ...

    # ---- looking

    async def issue(self, id: IssueId) -> Issue | None: ...

    async def issue_by_number(self, newsletter: str, number: int) -> Issue | None: ...

    async def issues(self, newsletter: str, before_number: int | None, limit: int) -> list[Issue]:
        """A page, newest first; `before_number` is the last one of the page before."""
        ...

    async def issues_under_way(self) -> list[Issue]:
        """Of all newsletters: open, freezing, frozen and sending, oldest first."""
        ...

    async def reckoning(self, id: IssueId) -> Reckoning: ...

    async def active_readers(self, newsletter: str) -> int:
        """Who would get an issue now."""
        ...

    async def issue_content(self, id: IssueId) -> bytes:
        """What was sent, for ever. Raises LookupError before write_content."""
        ...

    async def issue_of_message(self, message: QueueId) -> Issue | None: ...

    async def delivery(self, id: DeliveryId) -> ReaderDelivery | None:
        """One reader's row; None when it is not there, or no mail to a reader."""
        ...

    async def told_of_delivery(self, id: DeliveryId) -> list[DeliveryEvent]:
        """What happened to it besides the plain way, in order."""
        ...

    async def deliveries(
        self, id: IssueId, states: Sequence[State], after: SubscriberId | None, limit: int
    ) -> list[ReaderDelivery]:
        """A page in order of subscriber; no states means all."""
        ...


# ---------------------------------------------------------------- deliver


class ReaderClaims(Claims, Protocol):
    """The deliver role's view: Claims over newsletter.db. What it says more:

    `claim` gives out only rows of issues that are sending, and confirmations. It reads the reader's state and
    suppression in its own transaction: rows of those who may not get it become SUPPRESSED, rows of a stopped
    issue STOPPED. `sweep` leads what a dead worker had claimed of an issue back to waiting, and what was
    committing to UNKNOWN. `settle` takes UNKNOWN for a committing row; failed and expired are the end of a
    reader's mail: nobody is told. `expire` counts an issue's row from its first attempt; where
    it was never tried because its site is down, from when that was.
    """

    def commit_marks(self, lease: Lease, ids: Sequence[DeliveryId]) -> Awaitable[frozenset[DeliveryId]]:
        """Before the final dot: claimed rows of issues are durably `committing`. Only for the returned ones
        may the dot be sent: for the others the fence fell, the issue was stopped or the reader left, and
        they are settled already.
        """
        ...

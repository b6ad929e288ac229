"""Ports of the newsletter's store (newsletter.db), one small port per user.

Readers have a file of their own, store/subscriber_ports, which also puts the whole store together.
What store/ports says of awaitables, reads, times and errors holds here too. Operations on many rows
(import, freeze, send, stop, sweep) run in batches, each one short transaction.

A newsletter is identified by its name. Operations that only one process may do at a time take its
Lease; under a lease that was lost they write nothing and raise LeadershipLost.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from secondpost.mail.article import Article
from secondpost.mail.article_states import ArticleState
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.issue import ArticleId, DigestDraft, Issue, IssueId, LetterDraft, Reckoning
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import SubscriberId
from secondpost.store.copy_ports import CopyNotice
from secondpost.store.feed_ports import Feed, Feeds
from secondpost.store.owner_ports import DeliveryEvent
from secondpost.store.ports import Claims, Lease


class LeadershipLost(Exception):
    """Another process has the lead. Nothing was written."""


class IssueRefused(Exception):
    """The issue's state does not permit this. The text is for the owner."""


class Leading(CopyNotice, Protocol):
    """Lets one process at a time do what must not run twice at once: the publish role, or a command
    that acts as it while none is running.
    """

    def lead(self, what: str) -> Awaitable[Lease | None]:
        """Take the lead; None if another living process has it. It ends with the process, or by
        give_back.
        """
        ...

    def give_back(self, lease: Lease) -> Awaitable[None]: ...


# ---------------------------------------------------------------- the ledger of articles

GIVEN_BACK = "it was in an issue that was stopped"  # reason of an article that waits again
# Reason of an article that the owner took; reading a feed does not move it.
TAKEN_BY_HAND = "you took it"
SKIPPED_BY_HAND = "you skipped it"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An article that was ever seen. Entries are never deleted."""

    id: ArticleId
    newsletter: str
    feed: str  # its URL
    article: Article  # as last read, until an issue took it
    canonical_link: str
    first_seen_ms: int
    last_seen_ms: int
    good_fetches: int  # number of good fetches that showed it, including the first
    state: ArticleState
    issue: IssueId | None  # only if TAKEN, and then always
    reason: str  # why it is held, skipped or seen, for the owner; or GIVEN_BACK, TAKEN_BY_HAND


@dataclass(frozen=True, slots=True)
class NewArticle:
    article: Article
    canonical_link: str
    state: ArticleState  # not TAKEN
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """A known article that was in the feed again, with its present content.

    The content is stored unless the article is taken; guid and link are always updated, to
    recognise it by.
    """

    id: ArticleId
    article: Article
    canonical_link: str = ""  # "": unchanged


@dataclass(frozen=True, slots=True)
class ArticleMove:
    """Moves an article that is not taken to another state except TAKEN."""

    id: ArticleId
    state: ArticleState
    reason: str


@dataclass(frozen=True, slots=True)
class FetchRecord:
    """The result of one look at a feed. `feed` replaces the stored one; an unreadable response and
    a 304 bring no articles.
    """

    feed: Feed
    at_ms: int
    new: tuple[NewArticle, ...] = ()  # oldest first, as they are to be stored
    again: tuple[SeenAgain, ...] = ()
    moves: tuple[ArticleMove, ...] = ()


class Ledger(Feeds, Protocol):
    """The publish role's view of feeds and articles."""

    def record_fetch(self, record: FetchRecord) -> Awaitable[None]:
        """Store a look at a feed in one transaction.

        A new article is not added if the feed already has its guid, or, without a guid, its link
        and words: another process may have recorded it meanwhile.
        """
        ...

    def move_articles(self, newsletter: str, moves: Sequence[ArticleMove]) -> Awaitable[int]:
        """Store the owner's take or skip in one transaction; returns the number of articles moved.

        All are moved, or none if one is in an issue or belongs to another newsletter.
        """
        ...

    async def standing(self, newsletter: str, url: str, since_ms: int, limit: int) -> list[LedgerEntry]:
        """The latest `limit` articles seen in this feed at or after `since_ms`, in the order first
        seen.
        """
        ...

    async def count(self, newsletter: str, state: ArticleState) -> int: ...

    async def causes_held(self, newsletter: str) -> frozenset[str]:
        """The reasons of held articles, without repeats."""
        ...

    async def entries_by_guid(self, newsletter: str, url: str, guids: Sequence[str]) -> list[LedgerEntry]:
        """Entries of this feed; a guid means nothing outside its feed."""
        ...

    async def entries_by_link(self, newsletter: str, canonical_links: Sequence[str]) -> list[LedgerEntry]:
        """Entries of all the newsletter's feeds, oldest first."""
        ...

    async def entries_by_fingerprint(self, newsletter: str, fingerprints: Sequence[str]) -> list[LedgerEntry]:
        """Entries of all the newsletter's feeds, oldest first."""
        ...

    async def entries(self, newsletter: str, state: ArticleState, limit: int) -> list[LedgerEntry]:
        """Articles in a state, in the order first seen: the first `limit` if WAITING, else the
        latest.
        """
        ...

    async def entries_of_issue(self, issue: IssueId) -> list[LedgerEntry]:
        """The articles of an issue, in its order."""
        ...

    async def entry(self, id: ArticleId) -> LedgerEntry | None: ...


# ---------------------------------------------------------------- issues


class SlotOutcome(StrEnum):
    """The result of a slot, a time at which an issue was due; recorded once."""

    ISSUED = "issued"
    SKIPPED = "skipped"  # too few articles: they wait for the next slot
    HELD = "held"  # not approved in time, or answered by an issue sent by command
    MISSED = "missed"  # the service was not running at the time, or the issue before it was being sent


@dataclass(frozen=True, slots=True)
class SlotRecord:
    newsletter: str
    key: str
    outcome: SlotOutcome
    at_ms: int
    reason: str
    issue: IssueId | None = None  # only if ISSUED, and then always


@dataclass(frozen=True, slots=True)
class CalendarSince:
    """The calendar of a newsletter, and when it was adopted."""

    newsletter: str
    every: str  # as configured; "" in a store older than this record
    timezone: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class FrozenSome:
    """The result of one batch of a freeze."""

    rows: int  # rows written
    is_last: bool


@dataclass(frozen=True, slots=True)
class ReaderDelivery:
    """A mail to a reader as lists show it; confirmations and test copies have no issue."""

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
    was_retried: bool  # its one retry after UNKNOWN is used up
    due_ms: int  # time of the next attempt, while it waits and its site is up
    site: str  # as last hinted; "unsorted" before the first attempt
    site_down: bool


class IssueLookup(Protocol):
    """What is recorded about issues and the mails to their readers."""

    async def issue(self, id: IssueId) -> Issue | None: ...

    async def issue_by_number(self, newsletter: str, number: int) -> Issue | None: ...

    async def last_digest(self, newsletter: str) -> int:
        """The number of the newest digest, 0 before the first."""
        ...

    async def issues(self, newsletter: str, before_number: int | None, limit: int) -> list[Issue]:
        """A page of issues, newest first; `before_number` is the last number of the previous page."""
        ...

    async def issues_under_way(self) -> list[Issue]:
        """Open, freezing, frozen and sending issues of all newsletters, oldest first."""
        ...

    async def reckoning(self, id: IssueId) -> Reckoning: ...

    async def unknown_to_retry(self, issue: IssueId, subscriber: SubscriberId | None) -> int:
        """How many unknown mails of an issue, or of one reader, may be attempted once more.

        Raises IssueRefused with the reason if none may be now.
        """
        ...

    async def active_readers(self, newsletter: str) -> int:
        """The number of readers who would get an issue now."""
        ...

    async def readers_by_provider(self, newsletter: str) -> Mapping[str, int]:
        """Those readers by provider, as counted by day (mail/provider.counted_as). Reads all of them."""
        ...

    async def issue_content(self, id: IssueId) -> bytes:
        """The content as sent, kept for ever. Raises LookupError before write_content."""
        ...

    async def issue_of_message(self, message: QueueId) -> Issue | None: ...

    async def delivery(self, id: DeliveryId) -> ReaderDelivery | None:
        """A reader's mail; None if there is none of this id."""
        ...

    async def events_of_delivery(self, id: DeliveryId) -> list[DeliveryEvent]:
        """Events of a mail other than plain changes of state, in order."""
        ...

    async def deliveries(
        self, id: IssueId, states: Sequence[State], after: SubscriberId | None, limit: int
    ) -> list[ReaderDelivery]:
        """A page of an issue's mails by subscriber; empty `states` means all."""
        ...


# ---------------------------------------------------------------- deliver


class Issues(IssueLookup, Protocol):
    """The publish role's view of issues, and the owner's."""

    # ---- slots and making

    async def calendar(self, newsletter: str) -> CalendarSince | None:
        """None if the newsletter's feeds were never looked at."""
        ...

    def set_calendar(self, calendar: CalendarSince) -> Awaitable[None]:
        """Replace the recorded calendar."""
        ...

    async def slot(self, newsletter: str, key: str) -> SlotRecord | None: ...

    async def last_slot(self, newsletter: str) -> SlotRecord | None:
        """The slot recorded last."""
        ...

    def record_slot(self, record: SlotRecord) -> Awaitable[SlotRecord]:
        """Record a slot that makes no issue. If one is recorded already, it stands and is returned."""
        ...

    def set_note(self, newsletter: str, text: str) -> Awaitable[None]:
        """Set the foreword of the next digest; "" removes it."""
        ...

    async def note(self, newsletter: str) -> str: ...

    def create_digest(self, draft: DigestDraft, message: QueueId, at_ms: int) -> Awaitable[Issue]:
        """Create an issue: take its articles, record its slot and use up the note, in one
        transaction.

        Raises IssueRefused if an article no longer waits or the slot has an outcome. `message`
        becomes the id of its message.
        """
        ...

    def create_letter(self, draft: LetterDraft, message: QueueId, at_ms: int) -> Awaitable[Issue]: ...

    def write_content(self, issue: IssueId, subject: str, content: bytes) -> Awaitable[None]:
        """Store the content shared by all readers, with holes for personal parts; while the issue
        is open it may be replaced.

        Raises IssueRefused, and ValueError if it is empty.
        """
        ...

    # ---- freezing

    def begin_freeze(self, issue: IssueId, leader: Lease) -> Awaitable[Issue]:
        """Fix the audience: the `planned` readers active now.

        Raises IssueRefused if there is no content or another issue of the newsletter is under way.
        """
        ...

    def freeze_batch(self, issue: IssueId, leader: Lease, readers_max: int) -> Awaitable[FrozenSome]:
        """Write rows for the next readers, until `is_last`. Readers who join or leave meanwhile
        make no difference.
        """
        ...

    def freeze_done(self, issue: IssueId, leader: Lease, start_ms: int) -> Awaitable[Issue]:
        """Mark the issue as frozen if every reader of the audience has a row; its first mail leaves
        at `start_ms`.

        Otherwise raises IssueRefused, and the issue must be swept.
        """
        ...

    def sweep_freezing(self) -> Awaitable[int]:
        """Reopen issues whose freezing process lost the lead; returns their number.

        Their rows are deleted in batches; articles and content are kept. Also completes interrupted
        stops.
        """
        ...

    # ---- sending

    def start(self, issue: IssueId, now_ms: int) -> Awaitable[bool]:
        """Begin sending a frozen issue whose start has come; False if it has not, or the issue is
        not frozen.
        """
        ...

    def send_batch(self, issue: IssueId, now_ms: int, rows_max: int) -> Awaitable[int]:
        """Release more rows of a sending issue for claiming; 0 once all are released."""
        ...

    def hold(self, issue: IssueId, reason: str) -> Awaitable[Issue]:
        """Halt an issue: from here on none of its rows is claimed or committed, and rows under way
        end by their outcome. Held again, it keeps its reason. Raises IssueRefused.
        """
        ...

    def resume(self, issue: IssueId, now_ms: int) -> Awaitable[Issue]:
        """Go on with a held issue. Raises IssueRefused."""
        ...

    def release_batch(self, issue: IssueId, now_ms: int, rows_max: int) -> Awaitable[int]:
        """Release rows that were held with an issue that goes on; returns their number, 0 at the end."""
        ...

    def stop(self, issue: IssueId, now_ms: int, reason: str) -> Awaitable[Issue]:
        """Stop an issue in batches: no more of it is claimed or committed, and rows under way end
        by their outcome.

        If nothing was sent yet, its articles wait again, marked GIVEN_BACK. Raises IssueRefused.
        """
        ...

    def finish(self, issue: IssueId, now_ms: int) -> Awaitable[bool]:
        """Mark a sending issue as done if nothing is under way and its reckoning adds up; whether
        it did.
        """
        ...

    def retry_unknown(self, issue: IssueId, subscriber: SubscriberId | None, now_ms: int) -> Awaitable[int]:
        """Permit the unknown mails of an issue, or of one reader, one more attempt, due now.

        Returns how many had none before. An issue that was done is sending again.
        """
        ...


class ReaderClaims(Claims, Protocol):
    """The deliver role's view: Claims on newsletter.db. In addition:

    `claim` returns only confirmations and rows of sending issues. It checks the reader in its own
    transaction: rows of readers who left or are suppressed become SUPPRESSED, rows of a stopped
    issue STOPPED. `sweep` returns an issue's claimed rows of a dead worker to waiting, and its
    committing rows to UNKNOWN. `settle` accepts UNKNOWN for a committing row; failed and expired
    end a reader's mail without a report. `expire` counts from the first attempt of an issue's mail,
    or, if its site was down before any, from when that was.
    """

    def commit_marks(self, lease: Lease, ids: Sequence[DeliveryId]) -> Awaitable[frozenset[DeliveryId]]:
        """Mark claimed rows of issues durably as `committing`, before their final dot.

        The dot may be sent only for the ids returned: the others are settled, because the lease was
        lost, the issue stopped or the reader left.
        """
        ...

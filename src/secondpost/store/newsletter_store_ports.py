"""The newsletter's store as its users see it: what can be looked up, what is kept, and the whole.

The ports of newsletter_ports, subscriber_ports, standing_ports and naming_ports, put together.
"""

from collections.abc import Awaitable
from typing import Protocol

from secondpost.mail.issue import ArticleId
from secondpost.store.approval_ports import ApprovalMails, Approvals, ApprovalsAsked, NextOrder
from secondpost.store.copy_ports import NewsletterCopyDesk
from secondpost.store.duty_ports import DutyProofs
from secondpost.store.feed_ports import FeedPushes, Feeds
from secondpost.store.naming_ports import Naming, NewsletterNames
from secondpost.store.newsletter_ports import (
    IssueLookup,
    Issues,
    Leading,
    Ledger,
    LedgerEntry,
    ReaderClaims,
)
from secondpost.store.owner_ports import Desk
from secondpost.store.ports import Keeping
from secondpost.store.provider_ports import ProviderComplaints, ProviderDays, ProviderPauses, Providers
from secondpost.store.standing_ports import MailStanding
from secondpost.store.statistics_ports import Statistics
from secondpost.store.subscriber_ports import ReaderLookup, Subscribers
from secondpost.store.weighing_ports import Weighing


class NewsletterLookup(ReaderLookup, IssueLookup, Protocol):
    """What is recorded about readers and issues."""


class PagesLookup(NewsletterLookup, NewsletterNames, Feeds, Protocol):
    """What the public pages show."""


class PagesStore(PagesLookup, Approvals, FeedPushes, Protocol):
    """What the public pages show, the owner's approval, which comes by a link, and the calls of hubs."""

    async def entry(self, id: ArticleId) -> LedgerEntry | None: ...


class NewsletterDesk(
    NewsletterLookup,
    NewsletterNames,
    MailStanding,
    Statistics,
    ProviderPauses,
    ProviderDays,
    ProviderComplaints,
    Desk,
    Protocol,
):
    """The owner's view: readers, issues and all mail to readers."""


class NewsletterKeeping(ProviderDays, Keeping, Protocol):
    """Housekeeping of the newsletter's store."""

    def forget_pending(self, since_before_ms: int) -> Awaitable[int]:
        """End sign-ups not confirmed since then, in one batch; returns the number.

        Their readers are deleted, or have left if they were readers before. Outcomes of earlier
        sign-ups are deleted too.
        """
        ...

    def forget_rows(self, finished_before_ms: int) -> Awaitable[int]:
        """Delete the readers' rows of issues finished before then, and their events; one batch,
        returns the number.

        Counts, articles and content stay.
        """
        ...


class IssuesMade(Issues, ApprovalsAsked, NextOrder, Protocol):
    """What the publish role makes issues with."""


class NewsletterStore(
    Leading,
    Ledger,
    FeedPushes,
    Subscribers,
    ReaderClaims,
    Naming,
    Providers,
    DutyProofs,
    NewsletterDesk,
    NewsletterKeeping,
    NewsletterCopyDesk,
    Weighing,
    IssuesMade,
    ApprovalMails,
    Approvals,
    Protocol,
):
    """The whole store, which roles hand to the stations port by port."""

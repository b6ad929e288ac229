"""Mails the owner a link for each issue that waits for approval.

The hash of the link is stored first, then the mail, then that it was mailed: after a crash between
these the owner gets a second mail, and the link of the last one works.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from secondpost.compose.approval_mail import IssueToApprove, approval_subject, approval_text
from secondpost.config.records import Config, Newsletter
from secondpost.mail.approval_link import SECRET_OCTETS, approval_url, hash_of
from secondpost.mail.issue import ArticleId
from secondpost.protocols.tokens import base32_text
from secondpost.store.approval_ports import Approval, ApprovalMails
from secondpost.store.newsletter_ports import IssueLookup, LedgerEntry
from secondpost.store.ports import Intake
from secondpost.watch.alarm_desk import MailToOwner
from secondpost.world.ports import Clock, Dice


class ApprovalsStore(ApprovalMails, IssueLookup, Protocol):
    async def entry(self, id: ArticleId) -> LedgerEntry | None: ...


class ApprovalsWatch:
    def __init__(
        self,
        config: Config,
        readers: ApprovalsStore,
        mail: Intake,
        clock: Clock,
        dice: Dice,
        own_mail: MailToOwner,
        sent: Callable[[], None],
    ) -> None:
        """`sent` is called when there is new mail to deliver."""
        self._config = config
        self._readers = readers
        self._mail = mail
        self._clock = clock
        self._dice = dice
        self._own_mail = own_mail
        self._sent = sent

    async def look(self) -> None:
        """One round. Raises StoreUnavailable and StoreFull; the next round does what is left."""
        by_name = {one.name: one for one in self._config.newsletters if one.approve}
        now_ms = self._clock.now_ms()
        for approval in await self._readers.approvals_to_mail():
            newsletter = by_name.get(approval.newsletter)
            is_late = approval.last_ms is not None and now_ms > approval.last_ms
            if newsletter is not None and not is_late:
                await self._send(newsletter, approval, now_ms)

    async def _send(self, newsletter: Newsletter, approval: Approval, now_ms: int) -> None:
        secret = base32_text(self._dice.token(SECRET_OCTETS))
        hashed = hash_of(secret)
        assert hashed is not None
        await self._readers.set_secret(approval.id, hashed)
        base = self._config.web.url
        entries = [await self._readers.entry(id) for id in approval.articles]
        issue = IssueToApprove(
            newsletter.name,
            await self._readers.active_readers(newsletter.name),
            [entry.article for entry in entries if entry is not None],
            approval.last_ms,
            None if base is None else approval_url(base, secret),
        )
        text = approval_text(issue, ZoneInfo(newsletter.timezone))
        subject = partial(approval_subject, issue=issue)
        await self._mail.accept(await self._own_mail.mail(subject, text, now_ms))
        await self._readers.approval_mailed(approval.id, now_ms)
        self._sent()

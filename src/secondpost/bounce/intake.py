"""Count mail that came back for its reader and issue.

The token in the recipient address says which reader and issue it is about; the report's own
statements may be forged, and are believed only for the reason. Automatic and personal replies,
delay notices and unreadable mail are not bounces: they are not counted, and never answered.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from secondpost.bounce.complaints import Complaints
from secondpost.bounce.returned import Returned, returned_for
from secondpost.mail.duration import DAY_MS
from secondpost.mail.inside_mail import InsideMail
from secondpost.mail.issue import IssueId
from secondpost.mail.subscriber import Subscriber, SubscriberId
from secondpost.protocols.dsn.feedback import read_feedback
from secondpost.protocols.dsn.notification import Report, read_report
from secondpost.protocols.dsn.old_forms import read_old_form
from secondpost.protocols.tokens import Token
from secondpost.protocols.verp import CONFIRMATION
from secondpost.store.newsletter_ports import Issues
from secondpost.store.subscriber_ports import Bounce, Subscribers
from secondpost.world.ports import Clock, Work

ReadOldForm = Callable[[bytes], Awaitable[Report | None]]

REPORT_AGE_MS_MAX = 30 * DAY_MS  # from sending the mail to its report
TEXT_CHARACTERS_MAX = 300  # kept of the other host's words


@dataclass(frozen=True, slots=True)
class BounceIntake:
    subscribers: Subscribers
    issues: Issues
    clock: Clock
    work: Work
    complaints: Complaints
    read_old_form: ReadOldForm

    async def came_back(self, token: Token, mail: InsideMail) -> str:
        """Count a returned mail once; returns what became of it in a few words."""
        report = await self.work.run(partial(read_report, mail.beginning))
        if report is None and await self.work.run(partial(read_feedback, mail.beginning)) is not None:
            return await self.complaints.complains(token, mail)  # some are sent to the envelope sender
        if report is None:
            report = await self.read_old_form(mail.beginning)
        if report is None:
            return "not a report that can be read: not counted"
        subscriber = await self.subscribers.subscriber(SubscriberId(token.subscriber))
        if subscriber is None:
            return "the reader is gone: not counted"
        returned = returned_for(subscriber.mailbox, report)
        if returned is None:
            return "it reports no failure: not counted"
        return await self._count(token, subscriber, mail, returned)

    async def _count(self, token: Token, subscriber: Subscriber, mail: InsideMail, returned: Returned) -> str:
        now_ms = self.clock.now_ms()
        issue: IssueId | None = None
        sent_ms, of_what = subscriber.created_ms, "the confirmation"
        if token.number != CONFIRMATION:
            found = await self.issues.issue_by_number(subscriber.newsletter, token.number)
            if found is None:
                return f"there is no issue {token.number}: not counted"
            issue, of_what = found.id, f"issue {found.number}"
            sent_ms = found.created_ms if found.start_ms is None else found.start_ms
            if found.finished_ms is not None:
                sent_ms = max(sent_ms, found.finished_ms)
        else:
            sent_ms = max(sent_ms, subscriber.since_ms)
        if now_ms - sent_ms > REPORT_AGE_MS_MAX:
            return f"{of_what} was sent too long ago: not counted"
        kind, status = returned.kind, returned.status
        text = returned.text[:TEXT_CHARACTERS_MAX]
        bounce = Bounce(subscriber.id, issue, mail.id, kind, status, text, now_ms)
        if not await self.subscribers.record_bounce(bounce):
            return "already counted"
        return f"counted against {of_what}: {kind.value} {status}".rstrip()


async def old_form_in_thread(work: Work, message: bytes) -> Report | None:
    return await work.run(partial(read_old_form, message))

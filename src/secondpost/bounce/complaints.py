"""Suppress readers whose provider reports that they called a mail of ours spam.

The token in the recipient address says which reader it is. It was in the header of that reader's
mail alone, so a stranger cannot complain for a reader; one who was forwarded the mail can, and could
as well use its link to unsubscribe. Complaints are never answered.
"""

from dataclasses import dataclass
from functools import partial

from secondpost.mail.inside_mail import InsideMail
from secondpost.mail.printable import printable
from secondpost.mail.subscriber import SubscriberId
from secondpost.protocols.dsn.feedback import Feedback, FeedbackType, read_feedback
from secondpost.protocols.tokens import Token
from secondpost.store.subscriber_ports import Subscribers
from secondpost.world.ports import Clock, Work

REPORTER_CHARACTERS_MAX = 100  # kept of the name of the provider's program

# Virus and other: not the reader's word. Not-spam: the reader wants the mail.
_COMPLAINTS = frozenset({FeedbackType.ABUSE, FeedbackType.FRAUD, FeedbackType.OPT_OUT})


@dataclass(frozen=True, slots=True)
class Complaints:
    subscribers: Subscribers
    clock: Clock
    work: Work

    async def complains(self, token: Token, mail: InsideMail) -> str:
        """Suppress the reader once; returns what became of the mail in a few words."""
        feedback = await self.work.run(partial(read_feedback, mail.beginning))
        if feedback is None:
            return "not a report that can be read: not counted"
        if feedback.type not in _COMPLAINTS:
            return f"it reports no complaint ({feedback.type}): not counted"
        reader = SubscriberId(token.subscriber)
        if await self.subscribers.complain(reader, self.clock.now_ms(), _how(feedback), mail.id):
            return f"the reader complained ({feedback.type}): suppressed"
        return "the reader is gone or had already complained: not counted"


def _how(feedback: Feedback) -> str:
    """The kind of complaint and the program that reports it, as the reader's history keeps it."""
    reporter = printable(feedback.reporter)[:REPORTER_CHARACTERS_MAX]
    return feedback.type.value if len(reporter) == 0 else f"{feedback.type}, reported by {reporter}"

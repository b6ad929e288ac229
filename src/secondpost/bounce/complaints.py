"""Suppress readers whose provider reports that they called a mail of ours spam.

A token says which reader it is: in the recipient address, or, in a report to abuse@ or postmaster@,
in the copy of the mail that the report contains. It was in the header of that reader's mail alone, so a
stranger cannot complain for a reader; one who was forwarded the mail can, and could as well use its
link to unsubscribe. Complaints are never answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from secondpost.bounce.named_reader import reader_named
from secondpost.mail.inside_mail import InsideMail
from secondpost.mail.printable import printable
from secondpost.mail.subscriber import SubscriberId
from secondpost.protocols.dsn.feedback import Feedback, FeedbackType, read_feedback
from secondpost.protocols.tokens import KeyRing, Ring, Token
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
    keys: Mapping[Ring, KeyRing]

    async def complains(self, token: Token, mail: InsideMail) -> str:
        """Suppress the reader once; returns what became of the mail in a few words."""
        feedback = await self.work.run(partial(read_feedback, mail.beginning))
        if feedback is None:
            return "not a report that can be read: not counted"
        return await self._counted(token, feedback, mail)

    async def reported(self, mail: InsideMail) -> str:
        """Suppress the reader whom a mail to the owner reports, if it is a report, such as those of a
        feedback loop with which the owner registered abuse@. The owner gets the mail as well.
        """
        feedback = await self.work.run(partial(read_feedback, mail.beginning))
        if feedback is None:
            return "no report of a complaint: nothing to count"
        token = reader_named(feedback, self.keys)
        if token is None:
            return "it has no mail of ours that names a reader: not counted"
        return await self._counted(token, feedback, mail)

    async def _counted(self, token: Token, feedback: Feedback, mail: InsideMail) -> str:
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

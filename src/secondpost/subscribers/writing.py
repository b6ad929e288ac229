"""Readers who write mail instead of clicking: leave, confirm and join by the addresses at the
bounce domain.

A mail that asks to leave is obeyed even if a program wrote it, perhaps for the reader. Confirming
and joining need a mail by a person, since an auto-responder agrees to everything.
"""

from dataclasses import dataclass

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.inside_mail import InsideMail
from secondpost.mail.subscriber import SubscriberId
from secondpost.protocols.dsn.automatic import author_of, is_automatic
from secondpost.protocols.dsn.parts import FieldGroup, header_of
from secondpost.protocols.tokens import Token
from secondpost.protocols.verp import join_address
from secondpost.subscribers.reader_desk import ReadersDesk
from secondpost.subscribers.signup import Confirmed, SignUps
from secondpost.subscribers.typed import NotAReader

SUBJECT_CHARACTERS_MAX = 200  # of the subject that is kept as consent

BY_MAIL = "mail"
BY_A_PROGRAM = "written by a program: nothing was done"
NO_ADDRESS_TO_JOIN = "it does not show who wants to join"


@dataclass(frozen=True, slots=True)
class ReadersWriting:
    """Act on readers' mail; each method returns a few words on the result, for the log and `trace`."""

    sign_ups: SignUps
    readers: ReadersDesk
    bounces: Domain

    async def leaves(self, token: Token, mail: InsideMail) -> str:
        left = await self.readers.leave(SubscriberId(token.subscriber), BY_MAIL, mail.id)
        return "the reader left" if left else "the reader had already left"

    async def confirms(self, token: Token, mail: InsideMail) -> str:
        header = header_of(mail.beginning)
        if is_automatic(header, mail.sender):
            return BY_A_PROGRAM
        words = _subject(header)
        confirmed = await self.sign_ups.confirm(
            SubscriberId(token.subscriber), "an answer to the confirmation", words, mail.caller, mail.id
        )
        match confirmed:
            case Confirmed.NOW:
                return "the reader confirmed"
            case Confirmed.ALREADY:
                return "is already a reader"
            case Confirmed.GONE:
                return "this confirmation has expired"

    async def joins(self, newsletter: str, mail: InsideMail) -> str:
        header = header_of(mail.beginning)
        if is_automatic(header, mail.sender):
            return BY_A_PROGRAM
        author = author_of(header)
        if author is None and isinstance(mail.sender, Mailbox):
            author = mail.sender
        if author is None:
            return NO_ADDRESS_TO_JOIN
        where = f"mail to {join_address(newsletter, self.bounces)}"
        try:
            asked = await self.sign_ups.ask(newsletter, author, where, _subject(header), mail.caller, BY_MAIL)
        except NotAReader:
            return NO_ADDRESS_TO_JOIN
        return f"asked to join {newsletter}: {asked.value}"


def _subject(header: FieldGroup) -> str:
    return f"Subject: {header.first('subject')[:SUBJECT_CHARACTERS_MAX]}"

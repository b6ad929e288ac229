"""Find the reader whom a mail of ours names, in the copy that a report of spam contains. Pure.

Only a token that we signed (protocols/tokens) is believed, in a field where our mails have one: it was
in that reader's mail alone. Addresses, Message-IDs and all else in a report can be written by anyone
who knows who reads the newsletter.
"""

import re
from collections.abc import Iterator, Mapping

from secondpost.protocols.dsn.feedback import Feedback
from secondpost.protocols.tokens import KeyRing, Purpose, Ring, Token
from secondpost.protocols.verp import Signed, parse_local_part

TOKENS_MAX = 20  # of one report; a mail of ours has five
# The fields of our mails that have a token. A provider adds Return-Path when it delivers.
FIELDS = ("cfbl-address", "list-unsubscribe", "return-path", "reply-to")

_ADDRESS = re.compile(r"(?<![a-z0-9-])([a-z]{1,7}-[a-z2-7]{1,52})@", re.IGNORECASE)
_PAGE = re.compile(r"/leave/([a-z2-7]{1,52})(?![a-z0-9])", re.IGNORECASE)


def reader_named(feedback: Feedback, keys: Mapping[Ring, KeyRing]) -> Token | None:
    """The first valid token of the mail that the report is about; None if it has none."""
    checked = 0
    for text in (*(feedback.original.first(name) for name in FIELDS), feedback.mail_from):
        for purpose, written in _tokens_in(text):
            if checked >= TOKENS_MAX:
                return None
            checked += 1
            token = keys[purpose.ring].read(written, purpose)
            if token is not None:
                return token
    return None


def _tokens_in(text: str) -> Iterator[tuple[Purpose, str]]:
    for found in _ADDRESS.finditer(text):
        signed = parse_local_part(found[1])
        if isinstance(signed, Signed):
            yield signed.purpose, signed.token
    for found in _PAGE.finditer(text):
        yield Purpose.LEAVE, found[1]

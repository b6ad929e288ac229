"""Logs of Exim. What a client sent may hold text that looks like the log's own fields: where an address
could be read in two ways, the client counts as unknown.
"""

import re

from secondpost.protocols.attacks.rule import AttackPlace
from secondpost.protocols.attacks.rules import LOGIN_STORM, TALKS_AHEAD, TLS_INJECTION
from secondpost.watch.hole import MailSoftware
from secondpost.watch.logs.seen import (
    LogOutcome,
    LogReader,
    LogText,
    Origin,
    SeenInLog,
    address_of,
    first_line,
)

_IP = rb"\[([0-9a-fA-F:.]+)\](?::\d+)?"
_MESSAGE = rb"([0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})"
_SENDER = rb'((?:"(?:[^"\\]|\\.)*"|[^\s"])+)'
_CAME = re.compile(
    _MESSAGE + rb" <= " + _SENDER + rb"(?: R=\S+)?(?: U=\S+)?(?: H=(?:\S+ )?(?:\(\S*\) )?" + _IP + rb")?(.*)",
    re.DOTALL,
)
_SUBJECT = re.compile(rb' T="(.*)"', re.DOTALL)
_WENT = re.compile(_MESSAGE + rb" (=>|->|\*>|>>|\*\*|==) (.*)", re.DOTALL)
_REJECTED = re.compile(
    rb"(.*?) ?(?:temporarily )?rejected (RCPT|MAIL|VRFY|EXPN|ETRN|AUTH|STARTTLS|after DATA|EHLO|HELO"
    rb"|connection)(?: (.*))?",
    re.DOTALL,
)
_FROM = re.compile(rb"(.*?) F=<(.*)>", re.DOTALL)
_IN_BRACKETS = re.compile(rb"<(.*)>(?:: .*)?", re.DOTALL)
_HELLO = re.compile(
    rb"rejected (?:EHLO|HELO) from (.{0,512}?" + _IP + rb"): syntactically invalid argument\(s\): (.*)",
    re.DOTALL,
)
_UNQUALIFIED = re.compile(rb"unqualified (?:sender|recipient|verify) rejected: <(.*)> H=(.*)", re.DOTALL)
_ERROR = re.compile(rb'SMTP (?:syntax|protocol) error in "(.*)" H=(.*)', re.DOTALL)
_AHEAD = re.compile(
    rb"SMTP protocol synchronization error \([^()]{1,100}\): rejected (?:connection from|\"(.{0,512}?)\") "
    rb'H=(.{0,512}?) (?:next )?input="(.*)"',
    re.DOTALL,
)
_DROPPED = re.compile(rb'SMTP call from (.{0,512}?) dropped: too many .*\(last was "(.*)"\)', re.DOTALL)
_LOGIN = re.compile(rb"\S+ authenticator failed for (.{0,512}?" + _IP + rb"): 535", re.DOTALL)
_ETRN = re.compile(rb"(ETRN .*) received from (.*)", re.DOTALL)
_ADDRESSES = re.compile(rb"(?<!I=)" + _IP)


def _read(_program: bytes, text: bytes) -> SeenInLog | None:
    came = _CAME.match(text)
    if came is not None:
        return _arrived(came)
    went = _WENT.match(text)
    if went is not None:
        return _delivered(went)
    for reading in (_of_hello, _of_unqualified, _of_error, _of_sync, _of_dropped, _of_login, _of_etrn):
        seen = reading(text)
        if seen is not None:
            return seen
    rejected = _REJECTED.fullmatch(text)
    return None if rejected is None else _refused(rejected)


def _client(text: bytes) -> str | None:
    """The one address in the part of a line that names the client; None if there are several."""
    found = _ADDRESSES.findall(text)
    return address_of(found[0]) if len(found) == 1 else None


def _arrived(came: re.Match[bytes]) -> SeenInLog:
    message, sender, client, rest = came.groups()
    texts = [LogText(AttackPlace.ADDRESS, sender)]
    subject = _SUBJECT.search(rest)
    if subject is not None:
        texts.append(LogText(AttackPlace.HEADER, subject[1]))
    peer = None if client is None else address_of(client)
    return SeenInLog(LogOutcome.TAKEN, peer, message, tuple(texts))


def _delivered(went: re.Match[bytes]) -> SeenInLog:
    """Exim expands an address when it delivers or returns the message, also where it then says **."""
    message, arrow, rest = went.groups()
    outcome = LogOutcome.TAKEN
    if arrow == b"**" and b'Too many "Received" headers' not in rest:
        outcome = LogOutcome.REFUSED
    address = rest.partition(b": ")[0] if arrow in (b"**", b"==") else rest.partition(b" R=")[0]
    return SeenInLog(outcome, session=message, texts=(LogText(AttackPlace.ADDRESS, address),))


def _refused(rejected: re.Match[bytes]) -> SeenInLog:
    before, what, rest = rejected.groups()
    rest = b"" if rest is None else rest
    texts: list[LogText] = []
    sender = _FROM.match(before)
    if sender is not None:
        if before.count(b" F=<") == 1:  # else the name of the client may hold one
            before = sender[1]
        texts.append(LogText(AttackPlace.ADDRESS, sender[2]))
    bracketed = _IN_BRACKETS.match(rest)
    if what in (b"RCPT", b"MAIL") and bracketed is not None:
        texts.append(LogText(AttackPlace.ADDRESS, bracketed[1]))
    elif what in (b"ETRN", b"VRFY", b"EXPN"):
        texts.append(LogText(AttackPlace.LINE, what + b" " + rest))
    return SeenInLog(LogOutcome.REFUSED, _client(before), texts=tuple(texts))


def _of_hello(text: bytes) -> SeenInLog | None:
    hello = _HELLO.fullmatch(text)
    if hello is None:
        return None
    return SeenInLog(LogOutcome.REFUSED, address_of(hello[2]), texts=(LogText(AttackPlace.HELLO, hello[3]),))


def _of_unqualified(text: bytes) -> SeenInLog | None:
    match = _UNQUALIFIED.fullmatch(text)
    if match is None:
        return None
    texts = (LogText(AttackPlace.ADDRESS, match[1]),)
    return SeenInLog(LogOutcome.REFUSED, _client(match[2]), texts=texts)


def _of_error(text: bytes) -> SeenInLog | None:
    match = _ERROR.fullmatch(text)
    if match is None:
        return None
    # The text behind the client's name repeats what it sent: several addresses are in doubt.
    peer = _client(match[2]) if text.count(b'" H=') == 1 else None
    return SeenInLog(LogOutcome.REFUSED, peer, texts=(LogText(AttackPlace.LINE, match[1]),))


def _of_sync(text: bytes) -> SeenInLog | None:
    match = _AHEAD.fullmatch(text)
    if match is None:
        return None
    command, client, sent = match.groups()
    peer = _client(client)
    if command is not None and command.upper().startswith(b"STARTTLS"):
        return SeenInLog(LogOutcome.REFUSED, peer, behaviour=TLS_INJECTION)
    return SeenInLog(
        LogOutcome.REFUSED, peer, texts=(LogText(AttackPlace.LINE, first_line(sent)),), behaviour=TALKS_AHEAD
    )


def _of_dropped(text: bytes) -> SeenInLog | None:
    match = _DROPPED.match(text)
    if match is None:
        return None
    return SeenInLog(LogOutcome.REFUSED, _client(match[1]), texts=(LogText(AttackPlace.LINE, match[2]),))


def _of_login(text: bytes) -> SeenInLog | None:
    match = _LOGIN.match(text)
    return None if match is None else SeenInLog(LogOutcome.REFUSED, _client(match[1]), behaviour=LOGIN_STORM)


def _of_etrn(text: bytes) -> SeenInLog | None:
    """Written before ETRN is decided on; a refusal is a line of its own, of the same client."""
    match = _ETRN.fullmatch(text)
    if match is None:
        return None
    peer = _client(match[2]) if text.count(b" received from ") == 1 else None
    refusal = b"rejected " + re.split(rb'["\\]', match[1])[0]  # these two are escaped in the journal
    texts = (LogText(AttackPlace.LINE, match[1]),)
    return SeenInLog(LogOutcome.UNSAID, peer, texts=texts, unless=refusal)


def _marks(session: bytes) -> tuple[bytes, ...]:
    return (session + b" <= ",)


def _origin(session: bytes, text: bytes) -> Origin | None:
    came = _CAME.match(text)
    if came is None or came[1] != session or came[3] is None:
        return None
    return Origin(address_of(came[3]))


EXIM_LOG = LogReader(MailSoftware.EXIM, _read, _marks, _origin)

"""Logs of Postfix. The client's name and address stand in front of what the client sent."""

import re

from secondpost.protocols.attacks.rule import AttackPlace, AttackRule
from secondpost.protocols.attacks.rules import (
    BARE_LINE_ENDS,
    LOGIN_STORM,
    LONG_HELLO,
    SMUGGLING,
    TALKS_AHEAD,
    TLS_INJECTION,
)
from secondpost.watch.hole import MailSoftware
from secondpost.watch.logs.seen import LogOutcome, LogReader, LogText, Origin, SeenInLog, address_of

_CLIENT = rb"[\w.-]{1,255}\[([0-9a-fA-F:.]+|unknown)\](?::\d+)?"
_QUEUE_ID = rb"([0-9A-Za-z]{6,20})"
_REJECT = re.compile(
    rb"(?:NOQUEUE|"
    + _QUEUE_ID
    + rb"): (?:milter-|proxy-)?(reject|reject_warning|hold|discard|redirect|filter): "
    rb"([A-Z-]+|END-OF-MESSAGE) from " + _CLIENT + rb": (.*)",
    re.DOTALL,
)
_SYNTAX = re.compile(
    rb"warning: Illegal address syntax from " + _CLIENT + rb" in (?:MAIL|RCPT) command: (.*)", re.DOTALL
)
_NOT_SMTP = re.compile(rb"warning: non-SMTP command from " + _CLIENT + rb": (.*)", re.DOTALL)
_PIPELINING = re.compile(rb"improper command pipelining after (\S+) from " + _CLIENT + rb": (.*)", re.DOTALL)
_LONG = re.compile(rb"warning: " + _CLIENT + rb": request longer than \d+: (.*)", re.DOTALL)
_BDAT = re.compile(
    rb"warning: (?:[0-9A-Za-z]+: )?malformed BDAT command syntax from " + _CLIENT + rb": (.*)", re.DOTALL
)
_LOGIN = re.compile(rb"warning: " + _CLIENT + rb": SASL \S+ authentication failed")
_HEADER = re.compile(_QUEUE_ID + rb": (reject|warning|hold|discard|replace): header (.*)", re.DOTALL)
_SENDER = re.compile(_QUEUE_ID + rb": from=<(.*)>, (?:size=|status=)", re.DOTALL)
_RECIPIENT = re.compile(
    _QUEUE_ID + rb": to=<(.*?)>, (?:orig_to=<.*>, )?relay=.*, dsn=[\d.]+, status=(\w+)", re.DOTALL
)
_CAME = re.compile(_QUEUE_ID + rb": client=" + _CLIENT)
_HEADER_FIELD = re.compile(rb"(?:\\r|\\n|[\r\n])|^(?:subject|from|to|date|received):", re.IGNORECASE)
_SENDERS, _RECEIVERS = b"qmgr", (b"local", b"virtual", b"pipe", b"lmtp", b"smtp", b"error")


def _read(program: bytes, text: bytes) -> SeenInLog | None:
    part = program.rpartition(b"/")[2]
    if part in (b"smtpd", b"postscreen"):
        return _of_client(text)
    if part == b"cleanup":
        return _of_header(text)
    if part == _SENDERS:
        sender = _SENDER.match(text)
        return None if sender is None else _taken(sender[2], sender[1], LogOutcome.TAKEN)
    if part in _RECEIVERS:
        recipient = _RECIPIENT.match(text)
        if recipient is not None:
            outcome = LogOutcome.TAKEN if recipient[3] == b"sent" else LogOutcome.REFUSED
            return _taken(recipient[2], recipient[1], outcome)
    return None


def _of_client(text: bytes) -> SeenInLog | None:
    reject = _REJECT.fullmatch(text)
    if reject is not None:
        return _rejected(reject)
    for form, place in (
        (_SYNTAX, AttackPlace.ADDRESS),
        (_NOT_SMTP, AttackPlace.LINE),
        (_BDAT, AttackPlace.LINE),
    ):
        match = form.fullmatch(text)
        if match is not None:
            return SeenInLog(LogOutcome.REFUSED, address_of(match[1]), texts=(LogText(place, match[2]),))
    return _noticed(text)


def _rejected(reject: re.Match[bytes]) -> SeenInLog:
    queue_id, what, _command, client, rest = reject.groups()
    outcome = LogOutcome.TAKEN if what in (b"reject_warning", b"hold", b"filter") else LogOutcome.REFUSED
    session = b"" if queue_id is None else queue_id
    if b"bare <LF> received" in rest:
        return SeenInLog(outcome, address_of(client), session, behaviour=BARE_LINE_ENDS)
    texts = tuple(LogText(place, octets) for place, octets in _named(rest) if len(octets) > 0)
    # A refused recipient is no more than that: the message to another one may have been taken.
    return SeenInLog(outcome, address_of(client), texts=texts)


def _named(rest: bytes) -> tuple[tuple[AttackPlace, bytes], ...]:
    """Sender, recipient and name, as in `from=<…> to=<…> proto=ESMTP helo=<…>`; some may be missing."""
    before, _, more = rest.rpartition(b"to=<")
    recipient, _, end = more.partition(b"> proto=")
    sender = before.partition(b"from=<")[2].removesuffix(b"> ")
    hello = end.partition(b" helo=<")[2].removesuffix(b">")
    return (AttackPlace.ADDRESS, sender), (AttackPlace.ADDRESS, recipient), (AttackPlace.HELLO, hello)


def _noticed(text: bytes) -> SeenInLog | None:
    """What Postfix itself found wrong with a client."""
    pipelining = _PIPELINING.fullmatch(text)
    if pipelining is not None:
        return _pipelined(pipelining)
    long = _LONG.fullmatch(text)
    if long is not None:
        rule = LONG_HELLO if long[2][:4].upper() in (b"EHLO", b"HELO") else None
        return None if rule is None else _refused(long[1], rule)
    login = _LOGIN.match(text)
    return None if login is None else _refused(login[1], LOGIN_STORM)


def _pipelined(match: re.Match[bytes]) -> SeenInLog:
    after, client, sent = match.groups()
    if after.upper() == b"STARTTLS":
        return _refused(client, TLS_INJECTION)  # since 2.8 it is dropped
    if after.upper() == b"DATA" and _HEADER_FIELD.search(sent) is not None:
        return SeenInLog(LogOutcome.UNSAID, address_of(client), behaviour=SMUGGLING)
    return _refused(client, TALKS_AHEAD)


def _refused(client: bytes, rule: AttackRule) -> SeenInLog:
    return SeenInLog(LogOutcome.REFUSED, address_of(client), behaviour=rule)


def _of_header(text: bytes) -> SeenInLog | None:
    header = _HEADER.fullmatch(text)
    if header is None:
        return None
    outcome = LogOutcome.REFUSED if header[2] in (b"reject", b"discard") else LogOutcome.TAKEN
    value = header[3].partition(b": ")[2]
    return SeenInLog(outcome, session=header[1], texts=(LogText(AttackPlace.HEADER, value),))


def _taken(address: bytes, queue_id: bytes, outcome: LogOutcome) -> SeenInLog:
    return SeenInLog(outcome, session=queue_id, texts=(LogText(AttackPlace.ADDRESS, address),))


def _marks(session: bytes) -> tuple[bytes, ...]:
    return (session + b": client=",)


def _origin(session: bytes, text: bytes) -> Origin | None:
    came = _CAME.match(text)
    return Origin(address_of(came[2])) if came is not None and came[1] == session else None


POSTFIX_LOG = LogReader(MailSoftware.POSTFIX, _read, _marks, _origin)

"""Logs of Sendmail. A line about a message ends with the client (relay=); where the client's own text
comes behind it, and could be taken for it, the client counts as unknown.
"""

import re

from secondpost.protocols.attacks.rule import AttackPlace
from secondpost.protocols.attacks.rules import BARE_LINE_ENDS, LOGIN_STORM, LONG_HELLO
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

_IP = rb"\[((?:IPv6:)?[0-9a-fA-F:.]+)\]"
_QUEUE_ID = rb"([0-9A-Za-z]{8,20}|NOQUEUE)"
_LINE = re.compile(_QUEUE_ID + rb": (.*)", re.DOTALL)
_RELAY = re.compile(rb", relay=(?:[\w.@-]+ )?" + _IP + rb"(?: \(may be forged\))?$")
_MESSAGE = re.compile(rb"from=(.*), size=\d+, class=-?\d+, nrcpts=(\d+),.*", re.DOTALL)
_RULESET = re.compile(rb"ruleset=check_\w{1,40}, arg1=(.*)", re.DOTALL)
_REJECTED = re.compile(rb"(?:[\w.@-]+ )?" + _IP + rb"[^,]{0,40}, reject=\d\d\d")
_RECIPIENT = re.compile(rb"to=(.*)", re.DOTALL)
_REFUSED = re.compile(rb"<(.*)>\.\.\. (?:Cannot mail|User unknown|Relaying denied|No such)", re.DOTALL)
_ASKED = re.compile(rb"(?:[\w.-]+ )?" + _IP + rb": ((?:ETRN|VRFY|EXPN) .*)", re.DOTALL)
_OLD_COMMAND = re.compile(rb'"(\w+)" command from (?:[\w.-]+ )?' + _IP)
_PROXY = re.compile(rb"(?:[\w.-]+ )?" + _IP + rb": probable open proxy: command=(.*)", re.DOTALL)
_LONG = re.compile(rb"(?:[\w.-]+ )?" + _IP + rb": SMTP violation, input too long: \d+")
_MANY = re.compile(rb"(?:[\w.-]+ )?" + _IP + rb": possible SMTP attack: command=([\w-]+),")
_HOPS = re.compile(rb"SYSERR\(\w{1,40}\): Too many hops [^:]{0,40}: from (.*)", re.DOTALL)
_LOGIN = re.compile(rb"AUTH failure \(\S*\): .*, relay=(?:[\w.@-]+ )?" + _IP)
_QUEUED = re.compile(_QUEUE_ID + rb": from=(.*)", re.DOTALL)


def _read(_program: bytes, text: bytes) -> SeenInLog | None:
    line = _LINE.fullmatch(text)
    if line is None:
        return None
    queue_id, rest = line.groups()
    session = b"" if queue_id == b"NOQUEUE" else queue_id
    message = _MESSAGE.fullmatch(rest)
    if message is not None:
        # Without a recipient there was no message. What Sendmail does with one to a program it says itself.
        outcome = LogOutcome.REFUSED if message[2] == b"0" else LogOutcome.TAKEN
        return SeenInLog(outcome, _relay(rest), session, _addresses(message[1]))
    ruleset = _RULESET.match(rest)
    if ruleset is not None:
        return _rejected(ruleset[1])
    return _of_client(rest, session) or _of_message(rest, session)


def _rejected(rest: bytes) -> SeenInLog | None:
    """The address, the client, and the reply, which repeats the address."""
    address, _, more = rest.partition(b", relay=")
    rejected = _REJECTED.match(more)
    if rejected is None:
        return None
    peer = address_of(rejected[1]) if b", relay=" not in more else None
    return SeenInLog(LogOutcome.REFUSED, peer, texts=_addresses(address))


def _of_client(rest: bytes, session: bytes) -> SeenInLog | None:
    """Lines that begin with the client."""
    for form, outcome in (
        (_ASKED, LogOutcome.UNSAID),
        (_PROXY, LogOutcome.REFUSED),
        (_MANY, LogOutcome.REFUSED),
    ):
        match = form.match(rest)
        if match is not None:
            texts = (LogText(AttackPlace.LINE, first_line(match[2])),)
            return SeenInLog(outcome, address_of(match[1]), session, texts)
    command = _OLD_COMMAND.match(rest)
    if command is not None:
        texts = (LogText(AttackPlace.LINE, command[1].upper()),)
        return SeenInLog(LogOutcome.REFUSED, address_of(command[2]), session, texts)
    long = _LONG.match(rest)
    if long is not None:
        return SeenInLog(LogOutcome.REFUSED, address_of(long[1]), session, behaviour=LONG_HELLO)
    login = _LOGIN.match(rest)
    if login is not None:
        return SeenInLog(LogOutcome.REFUSED, address_of(login[1]), behaviour=LOGIN_STORM)
    return None


def _of_message(rest: bytes, session: bytes) -> SeenInLog | None:
    """Lines whose client stands in another line of the same message."""
    if rest.startswith(b"collect: ") and b"info=Bare linefeed" in rest:
        return SeenInLog(LogOutcome.REFUSED, session=session, behaviour=BARE_LINE_ENDS)
    hops = _HOPS.match(rest)
    if hops is not None:
        return SeenInLog(LogOutcome.REFUSED, session=session, texts=_addresses(*hops[1].split(b", to ", 1)))
    refused = _REFUSED.match(rest)
    if refused is not None:
        return SeenInLog(LogOutcome.REFUSED, session=session, texts=_addresses(refused[1]))
    recipient = _RECIPIENT.match(rest)
    if recipient is None:
        return None
    address, _, more = recipient[1].partition(b", delay=")
    is_taken = more.partition(b", stat=")[2].startswith((b"Sent", b"queued"))
    outcome = LogOutcome.TAKEN if is_taken else LogOutcome.REFUSED
    return SeenInLog(outcome, session=session, texts=_addresses(address))


def _addresses(*texts: bytes) -> tuple[LogText, ...]:
    return tuple(LogText(AttackPlace.ADDRESS, _unescaped(text)) for text in texts)


def _unescaped(text: bytes) -> bytes:
    """As the client wrote it: the log doubles backslashes."""
    return text.replace(b"\\\\", b"\\")


def _relay(text: bytes) -> str | None:
    relay = _RELAY.search(text)
    return None if relay is None else address_of(relay[1])


def _marks(session: bytes) -> tuple[bytes, ...]:
    return (session + b": from=",)


def _origin(session: bytes, text: bytes) -> Origin | None:
    queued = _QUEUED.match(text)
    return Origin(_relay(text)) if queued is not None and queued[1] == session else None


SENDMAIL_LOG = LogReader(MailSoftware.SENDMAIL, _read, _marks, _origin)

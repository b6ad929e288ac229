"""Logs of OpenSMTPD: its three generations of lines, before 6.0.2, to 6.6, and since 6.7.

A command that it refused stands in quotation marks that it does not escape, with the result behind it:
the last result is its own, whatever the client wrote before it.
"""

import re

from secondpost.protocols.attacks.rule import AttackPlace
from secondpost.protocols.attacks.rules import TALKS_AHEAD
from secondpost.watch.hole import MailSoftware
from secondpost.watch.logs.seen import LogOutcome, LogReader, LogText, Origin, SeenInLog, address_of

_EVENT = re.compile(
    rb"([0-9a-f]{16}) (smtp|mda|mta) (?:event=)?([a-z-]+) ?(?:address=(\S+) host=\S+ )?(.*)", re.DOTALL
)
_REFUSED = re.compile(rb'command="(.*)" result="(\d\d\d).*"', re.DOTALL)
_AHEAD = re.compile(rb'result="\d\d\d [^"]*Pipelining not supported')
_ENVELOPE = re.compile(rb"evpid=([0-9a-f]{16}) from=<(.*)> to=<(.*)>", re.DOTALL)
_DELIVERY = re.compile(rb"(?:delivery )?evpid=([0-9a-f]{16}) from=<(.*)", re.DOTALL)
_OLD_REFUSED = re.compile(
    rb'smtp-in: Failed command on session ([0-9a-f]{16}): "(.*)" => (\d\d\d)', re.DOTALL
)
_OLD_TAKEN = re.compile(
    rb"smtp-in: Accepted message [0-9a-f]+ on session ([0-9a-f]{16}): from=<(.*)>, to=<(.*)>, size=",
    re.DOTALL,
)
_CONNECTED = re.compile(rb"([0-9a-f]{16}) smtp (?:event=)?connected (?:id=\S+ )?address=(\S+)")
_OLD_CONNECTED = re.compile(rb"smtp-in: New session ([0-9a-f]{16}) from host \S+ \[([0-9a-fA-F:.]+)\]$")
_EVPID = b"evpid="


def _read(_program: bytes, text: bytes) -> SeenInLog | None:
    event = _EVENT.fullmatch(text)
    if event is None:
        return _old(text)
    session, side, what, address, rest = event.groups()
    peer = None if address is None else address_of(address)
    if side == b"smtp" and what == b"failed-command":
        refused = _REFUSED.fullmatch(rest)
        return None if refused is None else _command(refused[1], refused[2], peer, session)
    if side == b"smtp" and what == b"bad-input" and _AHEAD.match(rest) is not None:
        return SeenInLog(LogOutcome.REFUSED, peer, session, behaviour=TALKS_AHEAD)
    if side == b"smtp" and what == b"envelope":
        envelope = _ENVELOPE.match(rest)
        return None if envelope is None else _taken(envelope[2], envelope[3], session, peer)
    delivery = _DELIVERY.match(rest) if side == b"mda" else None
    if delivery is None:
        return None
    sender, _, rest = delivery[2].partition(b"> to=<")
    return _taken(sender, rest.partition(b"> rcpt=<")[0], _EVPID + delivery[1])


def _old(text: bytes) -> SeenInLog | None:
    refused = _OLD_REFUSED.match(text)
    if refused is not None:
        return _command(refused[2], refused[3], None, refused[1])
    taken = _OLD_TAKEN.match(text)
    return None if taken is None else _taken(taken[2], taken[3], taken[1])


def _command(command: bytes, code: bytes, peer: str | None, session: bytes) -> SeenInLog:
    outcome = LogOutcome.REFUSED if code[:1] in b"45" else LogOutcome.TAKEN
    texts = (LogText(AttackPlace.LINE, _unescaped(command).rstrip()),)
    return SeenInLog(outcome, peer, session, texts)


def _taken(sender: bytes, recipient: bytes, session: bytes, peer: str | None = None) -> SeenInLog:
    texts = tuple(LogText(AttackPlace.ADDRESS, _unescaped(each)) for each in (sender, recipient))
    return SeenInLog(LogOutcome.TAKEN, peer, session, texts)


def _unescaped(text: bytes) -> bytes:
    """As the client wrote it: the log doubles backslashes (vis(3))."""
    return text.replace(b"\\\\", b"\\")


def _marks(session: bytes) -> tuple[bytes, ...]:
    if session.startswith(_EVPID):
        return (b"envelope " + session,)
    return (session + b" smtp connected", session + b" smtp event=connected", b"New session " + session)


def _origin(session: bytes, text: bytes) -> Origin | None:
    connected = _CONNECTED.match(text)
    if connected is None:
        connected = _OLD_CONNECTED.match(text)
    if connected is not None:
        return Origin(address_of(connected[2])) if connected[1] == session else None
    event = _EVENT.fullmatch(text)
    if event is None or event[3] != b"envelope" or not event[5].startswith(session + b" "):
        return None
    return Origin(session=event[1])


OPENSMTPD_LOG = LogReader(MailSoftware.OPENSMTPD, _read, _marks, _origin)

"""Our own log (docs/log.md): values in quotation marks have escapes, so no value can imitate another."""

import re

from secondpost.protocols.attacks.rule import AttackPlace
from secondpost.protocols.attacks.rules import RULES
from secondpost.watch.hole import MailSoftware
from secondpost.watch.logs.seen import LogOutcome, LogReader, LogText, Origin, SeenInLog, address_of

_PAIR = re.compile(rb'([a-z_]{1,20})=(?:"((?:[^"\\]|\\.)*)"|(\S*))(?: |$)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_SIMPLE: dict[bytes, bytes] = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _read(_program: bytes, text: bytes) -> SeenInLog | None:
    event, _, rest = text.partition(b" ")
    if event not in (b"attack", b"refused", b"accepted", b"protocol-fault"):
        return None
    values = {name: _value(quoted, plain) for name, quoted, plain in _PAIR.findall(rest)}
    peer = address_of(values.get(b"peer", b""))
    if event == b"attack":
        return _attack(values, peer)
    if event == b"protocol-fault":
        # The reply, and the command that it answers.
        command = values.get(b"fault", b"").partition(b" to: ")[2]
        fault = LogText(AttackPlace.LINE, command)
        return SeenInLog(LogOutcome.REFUSED, peer, texts=(fault,), unless=_attack_by(peer))
    places = ((b"sender", AttackPlace.ADDRESS), (b"to", AttackPlace.ADDRESS), (b"helo", AttackPlace.HELLO))
    texts = tuple(LogText(place, values[name]) for name, place in places if name in values)
    outcome = LogOutcome.TAKEN if event == b"accepted" else LogOutcome.REFUSED
    unless = b"" if event == b"accepted" else _attack_by(peer)
    return SeenInLog(outcome, peer, values.get(b"id", b""), texts, unless=unless)


def _attack(values: dict[bytes, bytes], peer: str | None) -> SeenInLog | None:
    """What the detector found; a rule of a later version is left out."""
    name = values.get(b"rule", b"").decode("ascii", "replace")
    rule = next((each for each in RULES if each.id == name), None)
    sample = LogText(AttackPlace.BEHAVIOUR, values.get(b"sample", b""))
    return None if rule is None else SeenInLog(LogOutcome.REFUSED, peer, texts=(sample,), behaviour=rule)


def _attack_by(peer: str | None) -> bytes:
    """The beginning of the detector's own line about a client, which says more than a refusal."""
    return b"" if peer is None else b"attack peer=" + peer.encode() + b" "


def _value(quoted: bytes, plain: bytes) -> bytes:
    return plain if len(quoted) == 0 else _ESCAPE.sub(_unescaped, quoted)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    for group in (1, 2, 3):
        if escape[group] is not None:
            number = int(escape[group], 16)
            return chr(number).encode("utf-8", "replace") if number <= 0x10FFFF else b"?"
    return _SIMPLE.get(escape[4], escape[4])


def _marks(_session: bytes) -> tuple[bytes, ...]:
    return ()  # every line has its peer


def _origin(_session: bytes, _text: bytes) -> Origin | None:
    return None


OWN_LOG = LogReader(MailSoftware.SECONDPOST, _read, _marks, _origin)

"""What policy says to a caller, and what it keeps to itself."""

from dataclasses import dataclass

from secondpost.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Accept:
    quarantine: bool = False  # take it, but keep it among the dead letters


@dataclass(frozen=True, slots=True)
class Defer:
    """Try again later. `reply` is for the caller; `reason` is a word for our log."""

    reply: Reply
    reason: str


@dataclass(frozen=True, slots=True)
class Reject:
    reply: Reply
    reason: str


Verdict = Accept | Defer | Reject
ACCEPT = Accept()

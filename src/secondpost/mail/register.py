"""What a public copy of a state's register of blocked addresses says of our addresses and names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegisterAsked:
    addresses: tuple[str, ...]
    names: tuple[str, ...]  # host names and domains


@dataclass(frozen=True, slots=True)
class RegisterHit:
    """A line of the register that concerns us."""

    subject: str  # our address or name
    entry: str  # what the register names: the same, a network around it, or a wider name
    authority: str
    decision: str
    date: str


@dataclass(frozen=True, slots=True)
class RegisterRead:
    """What the whole register says."""

    updated: str  # as it says: date, time, offset
    files: int
    lines: int
    hits: tuple[RegisterHit, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisterUnread:
    """It could not be fetched, or has another form than it had."""

    reason: str  # in words that can follow "the register copy z-i "


RegisterResult = RegisterRead | RegisterUnread

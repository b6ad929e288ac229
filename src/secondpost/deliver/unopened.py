"""The result of opening a connection that no host accepted."""

from dataclasses import dataclass

from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Unopened:
    """No host accepted a connection; the reason of the last one."""

    cause: Cause
    host: str
    reply: Reply

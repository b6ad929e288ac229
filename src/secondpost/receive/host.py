"""What a conversation needs of the listener."""

from typing import Protocol

from secondpost.mail.reply import Reply
from secondpost.mail.verdict import Defer
from secondpost.policy.known import AtConnect
from secondpost.receive.caller_log import CallerLog
from secondpost.receive.callers import Caller
from secondpost.receive.patience import Patience

# The answer of a process that leaves, instead of a refusal for good: its settings are no longer in force.
ASK_SUCCESSOR = Defer(Reply.of(451, "4.3.2", "Settings have changed; try again"), "reloaded")


class Admitted(Protocol):
    """A conversation, as the listener knows it."""

    caller: Caller
    has_brought_mail: bool

    def hurry(self) -> None: ...
    def drain(self) -> None: ...
    def abort(self) -> None: ...


class Host(Protocol):
    lines: CallerLog
    is_leaving: bool  # a successor with other settings listens

    def look(self, caller: Caller) -> AtConnect:
        """What policy needs to know of a client."""
        ...

    def admit(self, conversation: Admitted) -> None:
        """Count in a conversation that policy accepted."""
        ...

    def patience(self, conversation: Admitted) -> Patience:
        """The patience for a client now; `hurry` is called when it becomes less."""
        ...

    def brought_mail(self, conversation: Admitted) -> None:
        """Note that a message for known recipients was accepted."""
        ...

    def gone(self, conversation: Admitted) -> None:
        """Count out a conversation whose connection has ended."""
        ...

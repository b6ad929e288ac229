"""What a conversation needs of the one who let it in."""

from typing import Protocol

from secondpost.policy.known import AtConnect
from secondpost.receive.caller_log import CallerLog
from secondpost.receive.callers import Caller
from secondpost.receive.patience import Patience


class Admitted(Protocol):
    """A conversation, as far as its host knows it."""

    caller: Caller
    has_brought_mail: bool

    def hurry(self) -> None: ...
    def drain(self) -> None: ...
    def abort(self) -> None: ...


class Host(Protocol):
    lines: CallerLog

    def look(self, caller: Caller) -> AtConnect:
        """What policy has to know of a caller."""
        ...

    def admit(self, conversation: Admitted) -> None:
        """Policy lets it in."""
        ...

    def patience(self, conversation: Admitted) -> Patience:
        """As of now; `hurry` is called when it has become less."""
        ...

    def brought_mail(self, conversation: Admitted) -> None:
        """A message is taken, for recipients who are here."""
        ...

    def gone(self, conversation: Admitted) -> None:
        """The connection is over."""
        ...

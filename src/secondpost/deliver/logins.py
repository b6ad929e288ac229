"""Logins to smart hosts: reads the password for each attempt, and does not repeat a refused one.

Providers lock accounts, and ban addresses, after a few wrong passwords. So after a refusal the same
password is tried again only after a while, however often the site is looked at; another one at once.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from secondpost.config.faults import Wrong
from secondpost.deliver.unopened import Unopened
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, Login
from secondpost.mail.reply import Reply
from secondpost.protocols.sasl.credentials import Credentials, Salting
from secondpost.world.ports import Dice, Work

NONCE_OCTETS = 18
# After the first refusal; doubled by each further one. A 4xx may be about the moment.
REFUSED_SECONDS = 300.0
DEFERRED_SECONDS = 60.0
REFUSED_SECONDS_MAX = 900.0


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """The login of one connection."""

    credentials: Credentials
    work: Work

    async def salted_password(self, salting: Salting) -> bytes:
        return await self.work.run(salting.salted_password)


@dataclass(frozen=True, slots=True)
class _Refused:
    password: str = field(repr=False)
    unopened: Unopened
    rest_seconds: float
    again_at: float  # loop time


class Logins:
    """`read` returns the password in a file, or raises Wrong; it may block."""

    def __init__(self, read: Callable[[str], str], work: Work, dice: Dice) -> None:
        self._read = read
        self._work = work
        self._dice = dice
        self._refused: dict[tuple[str, int, Login], _Refused] = {}

    async def attempt(self, hop: Hop) -> LoginAttempt | Unopened | None:
        """The login for a connection; Unopened if it must not be tried now; None if none is needed."""
        if hop.login is None:
            return None
        try:
            password = await self._work.run(partial(self._read, hop.login.password_file))
        except Wrong as wrong:
            return Unopened(Cause.LOGIN, hop.name, Reply.of(451, "4.7.0", wrong.reason))
        refused = self._refused.get((hop.name, hop.port, hop.login))
        if refused is not None and refused.password == password and _now() < refused.again_at:
            return refused.unopened
        nonce = b64encode(self._dice.token(NONCE_OCTETS)).decode("ascii")
        return LoginAttempt(Credentials(hop.login.username, password, nonce), self._work)

    def succeeded(self, hop: Hop) -> None:
        if hop.login is not None:
            self._refused.pop((hop.name, hop.port, hop.login), None)

    def failed(self, hop: Hop, attempt: LoginAttempt, unopened: Unopened) -> None:
        """Note a connection that ended after the login had begun, in whatever way."""
        if hop.login is None:
            return
        password = attempt.credentials.password
        before = self._refused.get((hop.name, hop.port, hop.login))
        rest = REFUSED_SECONDS if unopened.reply.is_permanent else DEFERRED_SECONDS
        if before is not None and before.password == password:
            # Connections that were being opened at the same time count as one attempt.
            times = 1 if _now() < before.again_at else 2
            rest = min(REFUSED_SECONDS_MAX, max(rest, times * before.rest_seconds))
        refused = _Refused(password, unopened, rest, _now() + rest)
        self._refused[hop.name, hop.port, hop.login] = refused


def _now() -> float:
    return asyncio.get_running_loop().time()

"""Finds out who sent a message, while it comes in: SPF from the first recipient on, the signatures at
its end.

Nothing here delays a message beyond EVALUATION_SECONDS_MAX and POLICY_SECONDS_MAX, and nothing refuses
one: what DNS did not say in time is a temperror. Where no name has to be waited for, no task is made.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.authentication import (
    Authentication,
    AuthenticationNote,
    AuthResult,
    DkimFound,
    DmarcFound,
    SpfFound,
    SpfIdentity,
)
from secondpost.mail.network import site_prefix
from secondpost.mail.questions import Txt
from secondpost.policy.known import AtMail
from secondpost.protocols.authentication_results import results_text
from secondpost.protocols.dkim.arrival import SignatureCheck, SignaturesFound
from secondpost.protocols.dkim.verifying import Proves
from secondpost.protocols.dmarc_check import DOMAINS_MAX, check_dmarc
from secondpost.protocols.dmarc_walk import names_asked
from secondpost.protocols.mime.arriving_header import ArrivingHeader
from secondpost.protocols.spf_check import check_spf
from secondpost.receive.names import MessageNames, NamesFor, SenderNames
from secondpost.receive.recent_findings import RecentFindings
from secondpost.world.asking import Suspended, begin, drive
from secondpost.world.ports import Clock

EVALUATION_SECONDS_MAX = 5.0  # after the final dot, for SPF and signatures
POLICY_SECONDS_MAX = 3.0  # after that, for DMARC: a forger decides how slowly his own names answer
SPF_SECONDS_MAX = 20.0  # RFC 7208 §4.6.4: at least 20; the final dot may cut it short


@dataclass(frozen=True, slots=True)
class Authenticator:
    """What the checks of all messages share. `server`: our id in Authentication-Results."""

    server: str
    names: SenderNames
    proves: Proves
    clock: Clock
    # By the client's address, the envelope's sender and the name in EHLO.
    senders: RecentFindings[tuple[str, ReversePath, str], SpfFound] = field(default_factory=RecentFindings)
    # Of messages without signatures, by the domains in From and what SPF found.
    unsigned: RecentFindings[tuple[tuple[str, ...], SpfFound], tuple[Authentication, str]] = field(
        default_factory=RecentFindings
    )


class SenderCheck:
    """SPF for one envelope; it goes on in a task if DNS has to be waited for."""

    def __init__(self, authenticator: Authenticator, mail: AtMail) -> None:
        self.authenticator = authenticator
        self.network = site_prefix(mail.hello.address)
        self._mail = mail
        self._key = (mail.hello.address, mail.sender, mail.hello.name)
        self._found: SpfFound | asyncio.Task[SpfFound]
        recent = authenticator.senders.of(self._key)
        if recent is not None:
            self._found = recent
            return
        loop = asyncio.get_running_loop()
        names = MessageNames(authenticator.names, self.network, loop.time() + SPF_SECONDS_MAX)
        sender = mail.sender if isinstance(mail.sender, Mailbox) else None
        asking = check_spf(
            mail.hello.address,
            sender,
            mail.hello.name,
            authenticator.server,
            authenticator.clock.now_ms() // 1000,
        )
        begun = begin(drive(asking, names.answer))
        if isinstance(begun, Suspended):
            self._found = loop.create_task(begun.rest)
        else:
            self._found = self._remembered(begun)

    async def found(self, ends: float) -> SpfFound:
        """The result; a temperror if there is none at `ends`, in loop time."""
        if isinstance(self._found, asyncio.Task):
            await asyncio.wait([self._found], timeout=ends - asyncio.get_running_loop().time())
            if not self._found.done():
                return self._not_in_time()
            self._found = self._remembered(self._found.result())
        return self._found

    def _remembered(self, found: SpfFound) -> SpfFound:
        if found.result is not AuthResult.TEMPERROR:
            self.authenticator.senders.remember(self._key, found)
        return found

    def _not_in_time(self) -> SpfFound:
        sender, result = self._mail.sender, AuthResult.TEMPERROR
        reason = "DNS did not answer in time"
        if isinstance(sender, Mailbox):
            return SpfFound(result, SpfIdentity.MAILFROM, str(sender), sender.domain.name, reason)
        name = self._mail.hello.name
        return SpfFound(result, SpfIdentity.HELO, name, name.lower(), reason)

    def cancel(self) -> None:
        if isinstance(self._found, asyncio.Task):
            self._found.cancel()


class MessageCheck:
    """The message after its envelope. `is_sealed`: whether it will get an ARC set."""

    def __init__(self, sender: SenderCheck, *, is_sealed: bool) -> None:
        self._sender = sender
        self._is_sealed = is_sealed
        self._header = ArrivingHeader(sender.authenticator.server)
        self._signatures: SignatureCheck | None = None  # once the header is whole
        self._in_body = False

    @property
    def forged(self) -> int:
        """How many Authentication-Results under our id were left out."""
        return self._header.forged

    def read(self, data: bytes) -> bytes:
        """What is to be kept of the next piece, or of the pieces before. Raises HeaderTooLarge."""
        header, body = self._header.read(data)
        if len(body) == 0:
            return header
        signatures = self._signatures_begun()
        if signatures.wants_body:
            # The first piece begins with the empty line, which is no part of the body.
            signatures.add_body(body if self._in_body else body[2:])
        self._in_body = True
        return header + body if len(header) > 0 else body

    def rest(self) -> bytes:
        """What is to be kept still at the end: the header of a message without a body."""
        return self._header.end()

    def _signatures_begun(self) -> SignatureCheck:
        if self._signatures is None:
            now_s = self._sender.authenticator.clock.now_ms() // 1000
            self._signatures = SignatureCheck(self._header.raw, now_s, is_sealed=self._is_sealed)
        return self._signatures

    async def found(self) -> "tuple[Authentication, AuthenticationNote]":
        """The results, and what is kept of them beside the message."""
        authenticator, signatures = self._sender.authenticator, self._signatures_begun()
        ends = asyncio.get_running_loop().time() + EVALUATION_SECONDS_MAX
        names = MessageNames(authenticator.names, self._sender.network, ends)
        signed = await drive(signatures.found(authenticator.proves), names.name_answer)
        found, results = await self._concluded(
            signatures.from_domains, await self._sender.found(ends), signed
        )
        seal = signatures.seal_material(signed.arc, results) if self._is_sealed else None
        return found, AuthenticationNote(results, seal)

    async def _concluded(
        self, from_domains: tuple[str, ...], spf: SpfFound, signed: SignaturesFound
    ) -> tuple[Authentication, str]:
        """All results, and their text."""
        authenticator = self._sender.authenticator
        is_unsigned = len(signed.dkim) == 0 and signed.arc.result is AuthResult.NONE
        recent = authenticator.unsigned.of((from_domains, spf)) if is_unsigned else None
        if recent is not None:
            return recent
        dmarc = await self._dmarc(from_domains, spf, signed.dkim)
        found = Authentication(spf, signed.dkim, dmarc, signed.arc)
        concluded = found, results_text(authenticator.server, found)
        if is_unsigned and dmarc.result is not AuthResult.TEMPERROR:
            authenticator.unsigned.remember((from_domains, spf), concluded)
        return concluded

    async def _dmarc(
        self, from_domains: Sequence[str], spf: SpfFound, dkim: Sequence[DkimFound]
    ) -> DmarcFound:
        ends = asyncio.get_running_loop().time() + POLICY_SECONDS_MAX
        shared = self._sender.authenticator.names
        names = MessageNames(shared, self._sender.network, ends, NamesFor.AUTHOR)
        if (
            1 < len(from_domains) <= DOMAINS_MAX
        ):  # a forger may name a slow one of his own before the one he forges
            for domain in from_domains:
                for name in names_asked(domain):
                    names.ask_ahead(Txt(f"_dmarc.{name}"))
        return await drive(check_dmarc(from_domains, spf, dkim), names.name_answer)

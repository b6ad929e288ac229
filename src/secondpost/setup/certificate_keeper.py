"""Keeps the server's own certificate: orders it, renews it, and changes its key step by step.

It does one deed of setup/own_certificate after the other, and sleeps until the next one is due.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.dns_questions import TlsaAnswer
from secondpost.mail.duration import SECOND_MS, age_text
from secondpost.mail.moment import utc_text
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.protocols.certificate_questions import (
    CertificateIssued,
    CertificateNotIssued,
    CertificateOrder,
    CertificateResult,
    CertificateWish,
    WishAnswered,
)
from secondpost.setup.own_certificate import (
    CertificateInUse,
    CertificateStep,
    Deed,
    KeyStage,
    OrderLog,
    StoredCertificate,
    change_ms,
    judge_records,
    next_step,
    old_record_looked_at,
    order_begun,
    order_failed,
    order_filled,
    order_ms,
    records_looked_at,
    roll_begun,
    stage_of,
)
from secondpost.setup.wanted import tlsa_name
from secondpost.world.ports import Clock, DiskFailed, Work

FAILED_ALARM_MIN = 2  # orders in a row; the first one may come before the names point here
STEP_URGENT = 1  # of the alarm: there is no certificate, or its time runs out
BUSY_SECONDS_MAX = 5.0  # that the owner's command waits for a deed to end
FAULT_SECONDS = 60.0  # after a file could not be read or written


class UnfitChain(Exception):
    """A chain that is not a certificate for our key and names. The text is fit for the log."""


class CertificateFolder(Protocol):
    """The files of the store; every call blocks and may raise OSError."""

    def read(self) -> StoredCertificate: ...

    def write_log(self, log: OrderLog) -> None: ...

    def make_next_key(self) -> None: ...

    def drop_next_key(self) -> None: ...

    def request(self, names: tuple[str, ...], *, for_next: bool) -> str:
        """A signing request in PEM, for the next key or the one in use."""
        ...

    def install(self, chain: str, names: tuple[str, ...], *, for_next: bool) -> CertificateInUse:
        """Use a chain from now on, with its key. Raises UnfitChain."""
        ...


@dataclass(frozen=True, slots=True)
class CertificateWays:
    """What the keeper asks others."""

    names: Callable[[Sequence[str]], Awaitable[tuple[str, ...]]]  # that point here, given those covered
    obtain: Callable[[CertificateOrder], Awaitable[CertificateResult]]
    records: Callable[[], Awaitable[Sequence[TlsaAnswer]]]  # of every name server
    installed: Callable[[CertificateInUse], None]


class CertificateKeeper:
    """`host`: whose certificate it is."""

    def __init__(
        self,
        folder: CertificateFolder,
        ways: CertificateWays,
        host: str,
        work: Work,
        clock: Clock,
        alarms: StandingAlarms,
    ) -> None:
        self._folder = folder
        self._ways = ways
        self._host = host
        self._record = tlsa_name(host)
        self._work = work
        self._clock = clock
        self._alarms = alarms
        self._wake = asyncio.Event()
        self._busy = asyncio.Lock()

    async def run(self) -> None:
        while True:
            try:
                step = await self.turn()
            except OSError as error:
                if error.errno == errno.EIO:
                    raise DiskFailed(str(error)) from error
                self._alarms.begin(AlarmKind.CERTIFICATE_REFUSED, self._host, f"{error}")
                await asyncio.sleep(FAULT_SECONDS)
                continue
            if step.deed is Deed.WAIT:
                await self._sleep((step.at_ms - self._clock.now_ms()) / SECOND_MS)

    async def _sleep(self, seconds: float) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def turn(self) -> CertificateStep:
        """Do what is due now, one deed. Raises OSError."""
        async with self._busy:
            stored = await self._work.run(self._folder.read)
            covered = () if stored.in_use is None else stored.in_use.names
            names = await self._ways.names(covered)
            step = next_step(stored, names, self._clock.now_ms())
            await self._do(step.deed, stored, names)
            await self._say_change()
            return step

    # -- what the owner asks for
    async def asked(self, wish: CertificateWish) -> WishAnswered:
        """Begin what the owner wants. Raises OSError."""
        try:
            async with asyncio.timeout(BUSY_SECONDS_MAX):
                await self._busy.acquire()
        except TimeoutError:
            return WishAnswered(False, "An order is under way: try again in a minute.")
        try:
            stored = await self._work.run(self._folder.read)
            match wish:
                case CertificateWish.RENEW:
                    return await self._renew(stored)
                case CertificateWish.ROLL:
                    return await self._roll(stored)
                case CertificateWish.KEEP_KEY:
                    return await self._keep_key(stored)
        finally:
            self._busy.release()
            self._wake.set()

    async def _renew(self, stored: StoredCertificate) -> WishAnswered:
        log, now_ms = replace(stored.log, is_asked=True), self._clock.now_ms()
        await self._write(log)
        wait_ms = order_ms(log, now_ms) - now_ms
        if wait_ms > 0:
            text = f"A new certificate is ordered in {age_text(wait_ms)}: there were too many orders lately."
            return WishAnswered(True, text)
        return WishAnswered(True, "A new certificate is being ordered.")

    async def _roll(self, stored: StoredCertificate) -> WishAnswered:
        if stored.in_use is None:
            return WishAnswered(False, "There is no certificate yet, so there is no key to change.")
        if stored.next_digest is not None:
            return WishAnswered(False, "The key is being changed already.")
        if stage_of(stored, self._clock.now_ms()) is KeyStage.LEAVE:
            return WishAnswered(False, "The record of the key before this one is still published.")
        await self._write(roll_begun(stored.log))
        await self._work.run(self._folder.make_next_key)
        return WishAnswered(True, "The next key is made.")

    async def _keep_key(self, stored: StoredCertificate) -> WishAnswered:
        if stored.in_use is None or stored.next_digest is None:
            return WishAnswered(False, "The key is not being changed.")
        await self._work.run(self._folder.drop_next_key)
        await self._say_change()
        return WishAnswered(True, "The key stays; if the next one's record is published, remove that.")

    # -- the deeds
    async def _do(self, deed: Deed, stored: StoredCertificate, names: tuple[str, ...]) -> None:
        match deed:
            case Deed.MAKE_KEY:
                await self._work.run(self._folder.make_next_key)
            case Deed.DROP_NEXT_KEY:
                await self._work.run(self._folder.drop_next_key)
            case Deed.ORDER | Deed.ORDER_FOR_NEXT:
                await self._order(stored, names, for_next=deed is Deed.ORDER_FOR_NEXT)
            case Deed.LOOK_AT_RECORDS:
                await self._look_at_records(stored)
            case Deed.WAIT:
                return

    async def _order(self, stored: StoredCertificate, names: tuple[str, ...], *, for_next: bool) -> None:
        log = order_begun(stored.log, self._clock.now_ms())
        await self._write(log)
        request = await self._work.run(lambda: self._folder.request(names, for_next=for_next))
        result = await self._ways.obtain(CertificateOrder(request, stored.log.failed))
        match result:
            case CertificateIssued(chain):
                await self._install(stored, log, chain, names, for_next=for_next)
            case CertificateNotIssued():
                await self._failed(stored, log, result)

    async def _install(
        self, stored: StoredCertificate, log: OrderLog, chain: str, names: tuple[str, ...], *, for_next: bool
    ) -> None:
        old_digest = "" if stored.in_use is None or not for_next else stored.in_use.digest
        # Noted before the switch: after a crash between the two it is found again by its record.
        await self._write(replace(log, old_digest=old_digest or log.old_digest))
        try:
            made = await self._work.run(lambda: self._folder.install(chain, names, for_next=for_next))
        except UnfitChain as unfit:
            await self._failed(stored, log, CertificateNotIssued(str(unfit)))
            return
        if for_next:
            await self._work.run(self._folder.drop_next_key)
        await self._write(order_filled(log, old_digest, self._clock.now_ms()))
        self._ways.installed(made)
        how = f"a certificate of {made.issuer} was issued; it ends at {utc_text(made.validity.ends_ms)}"
        self._alarms.end(AlarmKind.CERTIFICATE_REFUSED, self._host, how)

    async def _failed(self, stored: StoredCertificate, log: OrderLog, why: CertificateNotIssued) -> None:
        now_ms = self._clock.now_ms()
        retry_ms = 0 if why.retry_seconds is None else now_ms + why.retry_seconds * SECOND_MS
        log = order_failed(log, why.reason, why.host, retry_ms)
        await self._write(log)
        if log.failed >= FAILED_ALARM_MIN:
            again = age_text(max(0, order_ms(log, now_ms) - now_ms))
            detail = f"no certificate was issued: {why.reason}; it is tried again in {again}"
            in_use = stored.in_use
            is_urgent = in_use is None or in_use.validity.step(now_ms) > 0
            step = STEP_URGENT if is_urgent else 0
            self._alarms.begin(AlarmKind.CERTIFICATE_REFUSED, self._host, detail, step)

    async def _look_at_records(self, stored: StoredCertificate) -> None:
        answers = await self._ways.records()
        now_ms = self._clock.now_ms()
        if stored.next_digest is not None:
            seen = judge_records(answers, stored.next_digest)
            await self._write(records_looked_at(stored.log, seen, now_ms))
        else:
            seen = judge_records(answers, stored.log.old_digest)
            await self._write(old_record_looked_at(stored.log, seen, now_ms))

    async def _write(self, log: OrderLog) -> None:
        await self._work.run(lambda: self._folder.write_log(log))

    async def _say_change(self) -> None:
        """Begin, update or end the alarm that says what to do in DNS for a change of the key."""
        stored = await self._work.run(self._folder.read)
        detail = change_text(stored, self._record, self._clock.now_ms())
        if detail is None:
            return
        if len(detail) > 0:
            self._alarms.begin(AlarmKind.KEY_CHANGE, self._host, detail)
        else:
            self._alarms.end(AlarmKind.KEY_CHANGE, self._host, "its record is the only one")


def change_text(stored: StoredCertificate, record: str, now_ms: int) -> str | None:
    """What the owner is to do in DNS for a change of the key, or what is waited for.

    "" if nothing, None while that is not known: before the records were looked at.
    """
    log = stored.log
    match stage_of(stored, now_ms):
        case KeyStage.PUBLISH | KeyStage.LEAVE if log.looked_ms == 0:
            return None
        case KeyStage.CHANGE | KeyStage.INSTALLED:
            return None
        case KeyStage.PUBLISH if log.seen_ms is None:
            return f"add beside the record that is there: {record_line(record, stored.next_digest)}"
        case KeyStage.PUBLISH if not log.is_sure:
            return "a name server gives no usable answer about the records: the change of the key waits"
        case KeyStage.PUBLISH:
            at_ms = change_ms(log)
            at = "" if at_ms is None else utc_text(at_ms)
            return f"both records are published; the key changes at {at}, when no cache has the old set alone"
        case KeyStage.LEAVE:
            return f"the new key is in use; remove {record_line(record, log.old_digest)}"
        case KeyStage.NO_KEY | KeyStage.FIRST | KeyStage.IN_USE:
            return ""


def record_line(record: str, digest: str | None) -> str:
    return f"{record}. IN TLSA 3 1 1 {digest}"

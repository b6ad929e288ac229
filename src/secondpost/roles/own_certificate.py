"""The part of the deliver role that keeps the server's own certificate, got by ACME."""

from collections.abc import Sequence

from secondpost.config.records import Config
from secondpost.mail.dns_questions import TlsaAnswer
from secondpost.mail.moment import utc_text
from secondpost.maillog import MailLog
from secondpost.protocols.certificate_questions import CertificateWish, WishAnswered
from secondpost.roles.authoritative import tlsa_of_every_server
from secondpost.roles.parts import CERTIFICATES, WISHES, Parts
from secondpost.roles.zones import public_addresses
from secondpost.setup.certificate_keeper import CertificateKeeper, CertificateWays
from secondpost.setup.certificate_names import certificate_names, names_here
from secondpost.setup.own_certificate import CertificateInUse
from secondpost.setup.wanted import web_host
from secondpost.world.asking import drive, names_from
from secondpost.world.background import Background
from secondpost.world.ports import Clock, Listening
from secondpost.world.sockets.certificates import CertificateAsker, wish_door

SMTP_SERVICES, WEB_SERVICES = ("_25._tcp", "_465._tcp", "_443._tcp"), ("_443._tcp",)


class OwnCertificate:
    """Without ACME it does nothing."""

    def __init__(self, parts: Parts, clock: Clock, log: MailLog, background: Background) -> None:
        self._parts = parts
        self._clock = clock
        self._log = log
        self._background = background
        self._keeper: CertificateKeeper | None = None
        self._doors: list[Listening] = []

    async def start(self) -> None:
        config, world = self._parts.config, self._parts.world
        if config.tls.acme is None:
            return
        # It is large, and not needed without ACME.
        from secondpost.world.real.own_certificate import OwnCertificateFiles

        ways = CertificateWays(
            names=self._names,
            obtain=CertificateAsker(world.net, world.disk.path(CERTIFICATES)).obtain,
            records=self._records,
            installed=self._installed,
        )
        folder, host = OwnCertificateFiles(config.store), config.hostname.name
        self._keeper = CertificateKeeper(folder, ways, host, world.work, self._clock, self._parts.alarms)
        door = wish_door(self._grant, self._background)
        self._doors.append(await door.open(world.net, world.disk.path(WISHES)))
        self._background(self._keeper.run())

    def stop_listening(self) -> None:
        """The successor is asked from now on."""
        while len(self._doors) > 0:
            self._doors.pop().close()

    async def _grant(self, wish: CertificateWish) -> WishAnswered:
        if self._keeper is None:
            return WishAnswered(False, "No certificate is got by ACME.")
        return await self._keeper.asked(wish)

    async def _names(self, covered: Sequence[str]) -> tuple[str, ...]:
        config = self._parts.config
        asking = names_here(certificate_names(config), public_addresses(config), covered)
        return await drive(asking, names_from(self._parts.world.resolver))

    async def _records(self) -> Sequence[TlsaAnswer]:
        config = self._parts.config
        return await tlsa_of_every_server(config.dns.servers, self._parts.world.dice, services(config))

    def _installed(self, made: CertificateInUse) -> None:
        self._log.certificate_installed(made.names, made.issuer, utc_text(made.validity.ends_ms))


def services(config: Config) -> tuple[str, ...]:
    """The names at which TLSA records of this server may stand."""
    pages = web_host(config)
    names = [f"{service}.{config.hostname}" for service in SMTP_SERVICES]
    return (*names, *(() if pages is None else (f"{service}.{pages}" for service in WEB_SERVICES)))

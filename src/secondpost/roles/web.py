"""The web role: the public pages, and what other machines ask of this host."""

from functools import partial
from typing import TYPE_CHECKING

from secondpost.maillog import MailLog
from secondpost.policy.domains import own_domains
from secondpost.protocols.tokens import KeyRing
from secondpost.roles.parts import HINTS, Parts, opened
from secondpost.roles.policy_files import served_policy
from secondpost.setup.wanted import policy_domains
from secondpost.subscribers.reader_desk import ReadersDesk
from secondpost.subscribers.signup import CrowdLog, SignUps
from secondpost.world.sockets.hints import Hinter

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp


def public_pages(parts: Parts, links: KeyRing) -> "Starlette":
    """The web role's application; `links` holds the keys of links in mails."""
    from secondpost.web.app import make_app

    config, world, store = parts.config, parts.world, opened(parts.readers)
    hinter = Hinter(partial(world.net.hint, world.disk.path(HINTS)))
    own, ids = own_domains(config).names, store.ids
    sign_ups = SignUps(store, world.clock, ids, hinter.arrived, own, CrowdLog(MailLog(parts.sink)).met)
    desk = ReadersDesk(store, world.clock)
    return make_app(config, store, links, sign_ups, desk, world.clock)


def with_well_known(parts: Parts, behind: "ASGIApp") -> "ASGIApp":
    """An application with the answers of challenges and the MTA-STS policies in front of it."""
    from secondpost.web.well_known import WellKnown

    disk = parts.world.disk
    domains = {domain.name: domain for domain in policy_domains(parts.config)}

    def policy_of(name: str) -> str | None:
        domain = domains.get(name)
        return None if domain is None else served_policy(disk, domain)

    return WellKnown(disk, policy_of, behind)

"""The doors of the web role, and what is behind each: pages, or the way to https."""

from collections.abc import Mapping
from socket import socket
from typing import TYPE_CHECKING

from secondpost.config.records import DoorSpeech
from secondpost.mail.address import Endpoint
from secondpost.processes.certificate import server_certificate
from secondpost.processes.pages import PageDoor
from secondpost.protocols.tokens import Ring
from secondpost.roles.parts import Parts
from secondpost.roles.web import public_pages, with_well_known
from secondpost.web.redirects import Redirects
from secondpost.web.well_known import nothing
from secondpost.world.real.keys import load_key_ring
from secondpost.world.real.tls_entrance import CertificateChoice

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HTTP = "http/1.1"  # RFC 7301 §6


def page_doors(parts: Parts, sockets: Mapping[Endpoint, socket]) -> list[PageDoor]:
    """Raises CertificateError, and KeyFault if there are pages."""
    config = parts.config
    certificate = (
        server_certificate(config, parts.copies, parts.open_file, (HTTP,)) if config.web.has_https else None
    )
    choice = CertificateChoice(certificate, parts.world.disk)
    pages: ASGIApp = nothing
    if config.has_pages:
        pages = public_pages(parts, load_key_ring(config.store, Ring.LINKS))
    redirects = Redirects(config.web.url if config.has_pages else None, choice.has_certificate)
    pages, leading = with_well_known(parts, pages), with_well_known(parts, redirects)
    doors: list[PageDoor] = []
    for door in config.web.listen:
        speech = config.web.speech(door)
        behind = leading if speech is DoorSpeech.REDIRECT else pages
        certificates = choice if speech is DoorSpeech.HTTPS else None
        doors.append(PageDoor(sockets[door.endpoint], behind, certificates))
    return doors

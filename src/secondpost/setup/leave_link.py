"""Looks at the link by which readers leave as they and mail providers do: over HTTPS, by GET and by the
POST of RFC 8058, with a token that belongs to no reader. Pure: it yields questions.
"""

from collections.abc import Collection, Iterator
from ipaddress import ip_address

from secondpost.config.records import Config
from secondpost.mail.address import Endpoint, as_ip
from secondpost.mail.questions import Addresses, Finding
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.examination import no_answer
from secondpost.setup.looks import PageLook, PageLooking, PageSeen, PageUnseen

OK = 200
REDIRECTS = range(300, 400)
HTTPS = "https://"
HTTPS_PORT = 443
ONE_CLICK = b"List-Unsubscribe=One-Click"  # RFC 8058 §3.2
PASS_POST = "let the web server in front pass POST requests below /leave/ unchanged"


def way_to_pages(config: Config) -> str:
    """What has to lead to this server so that its pages can be opened."""
    if config.web.has_https:
        return f"ports 443 and 80 of {config.web.url} must lead to this server; secondpost tls show"
    return f"let the web server for {config.web.url} pass all requests to {config.web.doors[0]}"


def examine_leave_link(
    config: Config, token: str, machine: Collection[str]
) -> PageLooking[tuple[Diagnosis, ...]]:
    """`token`: of a leave link that belongs to no reader. `machine`: the addresses of its interfaces."""
    url = config.web.url
    if url is None:
        return ()
    host = Endpoint.parse(url.partition("://")[2], default_port=HTTPS_PORT).host
    addresses: tuple[str, ...] = (host,)
    if as_ip(host) is None and host != "localhost":
        answer = yield from Addresses(host).ask()
        if answer.finding is Finding.FAILED:
            return (no_answer(url, f"the addresses of {host}"),)
        addresses = answer.addresses
    link = f"{url}/leave/{token}"
    opened = yield from PageLook(link).ask()
    if not (isinstance(opened, PageSeen) and opened.is_ours):
        return (_not_opened(config, url, opened, is_seen_from_here(addresses, machine)),)
    return tuple(_judged(url, opened, (yield from PageLook(link, ONE_CLICK).ask())))


def is_seen_from_here(addresses: Collection[str], machine: Collection[str]) -> bool:
    """Whether a look from here goes the way of everybody else.

    Behind a router that has the public address, it goes out and back in again, and many routers do not
    lead it back (hairpinning, RFC 5382 REQ-8), or answer themselves.
    """
    return not _has_public(addresses) or _has_public(machine)


def _has_public(addresses: Collection[str]) -> bool:
    return any(ip_address(one).is_global for one in addresses)


def _not_opened(config: Config, url: str, seen: PageSeen | PageUnseen, is_seen: bool) -> Diagnosis:
    if isinstance(seen, PageUnseen):
        what = f"No page for leaving can be opened at {url}: {seen.why}."
    else:
        what = f"At {url} another program answers (HTTP {seen.status}), so nobody can leave there."
    if is_seen:
        return Diagnosis(Check.LEAVE_LINK, url, Grade.FAULT, what, way_to_pages(config))
    text = f"{what} Behind a router this can be so even though others reach this server."
    return Diagnosis(Check.LEAVE_LINK, url, Grade.NOTE, text, f"from another network: open {url}")


def _judged(url: str, opened: PageSeen, clicked: PageSeen | PageUnseen) -> Iterator[Diagnosis]:
    """`opened`: a page of ours."""
    check = Check.LEAVE_LINK
    if opened.status != OK:
        text = f"The page for leaving at {url} answers with HTTP {opened.status}."
        yield Diagnosis(check, url, Grade.FAULT, text, "secondpost reload")
    elif isinstance(clicked, PageUnseen):
        text = f"Nobody can leave at {url} with one click: {clicked.why}."
        yield Diagnosis(check, url, Grade.FAULT, text, PASS_POST)
    elif clicked.status in REDIRECTS:
        text = f"One click at {url} is redirected, and mail providers do not follow (RFC 8058)."
        yield Diagnosis(check, url, Grade.FAULT, text, PASS_POST)
    elif clicked.status != OK or not clicked.is_ours:
        text = f"One click at {url} answers with HTTP {clicked.status}."
        yield Diagnosis(check, url, Grade.FAULT, text, PASS_POST)
    elif not url.startswith(HTTPS):
        text = f"One click at {url} is not encrypted, and mail providers use only https (RFC 8058)."
        yield Diagnosis(check, url, Grade.NOTE, text, 'url = "https://…" in [web]')
    else:
        yield Diagnosis(check, url, Grade.WELL, f"Readers leave at {url} with one click.")

"""The machines of the small internet, in a network namespace; the newcomer's is behind a wire: a Debian
with systemd, and nothing else.
"""

import functools
import http.server
import os
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from bench import peers
from bench.postfix import Postfix
from tests.against.systemd_machine import SystemdMachine
from tests.against.t09_newcomer import addresses
from tests.against.t09_newcomer.addresses import real
from tests.against.t09_newcomer.certificates import Authority
from tests.against.t09_newcomer.names import Names
from tests.against.t09_newcomer.wire import Wire
from tests.against.t11_certificates.pebble import Pebble, Place, pebble

OWNER_ZONE: Final = """\
@ MX 10 mx1.provider.example.
@ TXT "v=spf1 include:provider.example -all"
www A 198.51.100.30
"""
PROVIDER_ZONE: Final = """\
mx1 A 198.51.100.10
@ TXT "v=spf1 ip4:198.51.100.10 -all"
"""
ROOT_ZONE: Final = """\
elsewhere.example. MX 10 mx.elsewhere.example.
readers.example. MX 10 mx.elsewhere.example.
mx.elsewhere.example. A 198.51.100.20
acme.example. A 203.0.113.80
sender.example. A 203.0.113.77
sender.example. TXT "v=spf1 a -all"
10.100.51.198.in-addr.arpa. PTR mx1.provider.example.
20.100.51.198.in-addr.arpa. PTR mx.elsewhere.example.
77.113.0.203.in-addr.arpa. PTR sender.example.
20.2.0.192.in-addr.arpa. PTR mx2.example.net.
{server_ipv6} PTR mx2.example.net.
"""
ARTICLE: Final = """\
<entry><title>{title}</title><id>https://www.example.net/{number}</id>
<link rel="alternate" href="https://www.example.net/{number}"/>
<updated>2026-11-2{number}T08:00:00Z</updated>
<content type="html">&lt;p&gt;{words}&lt;/p&gt;</content></entry>
"""
FEED: Final = """\
<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>The Blog</title><id>https://www.example.net/</id>
<updated>2026-11-22T08:00:00Z</updated>
<author><name>The Blogger</name></author>
{articles}</feed>
"""
ARTICLES: Final = (
    ("A post office of my own", "Last week my provider was down for a day. This is what I built."),
    ("What the logs said", "Somebody tried an old exploit on my server. It was not even running."),
)


class Town:
    """Everything that is not the newcomer's, and a machine that is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machine = SystemdMachine(folder, "mx2", bare=True)
        root = ROOT_ZONE.format(server_ipv6=_reverse(real(addresses.SERVER_IPV6)))
        zones = {"": root, "example.net": OWNER_ZONE, "provider.example": PROVIDER_ZONE}
        self.names = Names(
            self._room("dns"),
            real(addresses.NAME_SERVER),
            real(addresses.RESOLVER),
            {name: real(lines) for name, lines in zones.items()},
        )
        self.authority = Authority(self._room("ca"))
        self.provider = self._mail_server(
            "provider", addresses.PROVIDER, "mx1.provider.example", "example.net"
        )
        self.mailboxes = self._mail_server(
            "mailboxes", addresses.MAILBOXES, "mx.elsewhere.example", "elsewhere.example readers.example"
        )

    @contextmanager
    def open(self) -> Iterator[Pebble]:
        """With all of it running; what is lent is the authority for certificates."""
        with ExitStack() as ends:
            ends.enter_context(self.machine)
            wire = self._wire()
            ends.callback(wire.cut)
            ends.callback(self.names.stop)
            self.names.start()
            ends.enter_context(self._blog())
            for server in (self.provider, self.mailboxes):
                ends.callback(server.stop)
                server.start()
            certifier = ends.enter_context(self._certifier())
            self._furnish(certifier)
            yield certifier

    def _wire(self) -> Wire:
        town = [real(address) for address in addresses.TOWN]
        own = [real(addresses.SERVER), real(addresses.SERVER_IPV6)]
        return Wire(self.machine.first, own, town)

    def _certifier(self) -> AbstractContextManager[Pebble]:
        place = Place("acme.example", real(addresses.AUTHORITY), 443, 80, 443)
        resolver = f"{real(addresses.RESOLVER)}:53"
        return pebble(self.folder / "acme", resolver, {"PEBBLE_VA_NOSLEEP": "1"}, place=place)

    def _furnish(self, certifier: Pebble) -> None:
        """What the hoster's image has: a resolver, and the authorities that everyone trusts."""
        machine = self.machine
        machine.file("/etc/resolv.conf").write_text(f"nameserver {real(addresses.RESOLVER)}\n")
        trusted = machine.file("/usr/local/share/ca-certificates")
        trusted.mkdir(parents=True, exist_ok=True)
        texts = (self.authority.file.read_text(), certifier.root.read_text(), certifier.issuing_root())
        for number, text in enumerate(texts):
            (trusted / f"town{number}.crt").write_text(text)
        machine.run("update-ca-certificates")

    def mails_of(self, server: Postfix, user: str) -> list[str]:
        """The mails in a mailbox, oldest first."""
        files = (server.folder / "mail" / user / "new").glob("*")
        return [path.read_text() for path in sorted(files, key=lambda path: path.stat().st_mtime_ns)]

    def write_to(self, recipient: str, subject: str) -> None:
        """A stranger's server sends a mail to the newcomer's."""
        message = f"From: someone@sender.example\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\nHello!\r\n"
        source = (real(addresses.SENDER), 0)
        with smtplib.SMTP(real(addresses.SERVER), 25, "sender.example", 30, source) as client:
            client.starttls()
            client.sendmail("someone@sender.example", [recipient], message)

    def _room(self, name: str) -> Path:
        room = self.folder / name
        room.mkdir()
        room.chmod(0o755)
        return room

    def _mail_server(self, name: str, address: str, host: str, domains: str) -> Postfix:
        folder, owner = self._room(name), peers.number_of("postfix")
        settings = {
            "myhostname": host,
            "inet_interfaces": real(address),
            "virtual_mailbox_domains": domains,
            "virtual_mailbox_base": str(folder),
            "virtual_mailbox_maps": "inline:{"
            + ", ".join(f"{{{each} = mail/{each.partition('@')[0]}/}}" for each in BOXES[name])
            + "}",
            "virtual_uid_maps": f"static:{owner}",
            "virtual_gid_maps": f"static:{owner}",
            "smtpd_peername_lookup": "no",
            **self.authority.postfix_settings(host),
        }
        (folder / "mail").mkdir()
        os.chown(folder / "mail", owner, owner)
        postfix = Postfix(folder, 25, settings, address=real(address))
        postfix.write()
        return postfix

    @contextmanager
    def _blog(self) -> Iterator[None]:
        site = self._room("blog")
        entries = "".join(
            ARTICLE.format(number=number, title=title, words=words)
            for number, (title, words) in enumerate(ARTICLES, 1)
        )
        (site / "feed.xml").write_text(FEED.format(articles=entries))
        for number, (title, words) in enumerate(ARTICLES, 1):
            (site / str(number)).write_text(f"<title>{title}</title><p>{words}</p>")
        handler = functools.partial(QuietHandler, directory=str(site))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.authority.issue("www.example.net"))
        with http.server.ThreadingHTTPServer((real(addresses.BLOG), 443), handler) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield
            finally:
                server.shutdown()


def _reverse(address: str) -> str:
    return f"{ip_address(address).reverse_pointer}."


BOXES: Final = {
    "provider": ("me@example.net", "postmaster@example.net"),
    "mailboxes": ("me@elsewhere.example", "reader@readers.example"),
}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

"""Real mail servers as the primary: each stores accepted mail in a Maildir.

`stored` returns each message as sent, without the lines that the primary added on top.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bench import peers
from bench.ours import DOMAIN
from bench.postfix import Postfix
from bench.ready import LOOPBACK, free_port
from tests.against.servers import Exim, OpenSmtpd, Server, folder_of


class Primary(Server):
    """The provider's server."""

    maildir: Path

    def stored(self) -> list[bytes]:
        """The stored messages from our Received line on, with CRLF as sent; oldest first."""
        files = sorted(
            (self.maildir / "new").glob("*"), key=lambda path: (path.stat().st_mtime_ns, path.name)
        )
        return [without_own_lines(path.read_bytes()).replace(b"\n", b"\r\n") for path in files]


def without_own_lines(stored: bytes) -> bytes:
    """Remove what the primary added on top: everything up to and including its Received field."""
    own = re.match(
        rb"(?:(?:Return-Path|Delivered-To|X-Original-To|Envelope-to|Delivery-date):.*\n)*"
        rb"Received: .*\n(?:[ \t].*\n)*",
        stored,
    )
    assert own is not None, stored[:500]
    return stored[own.end() :]


class PostfixPrimary(Primary):
    def __init__(self, postfix: Postfix, maildir: Path) -> None:
        self.postfix = postfix
        self.port = postfix.port
        self.maildir = maildir

    @staticmethod
    def prepared(
        place: Path,
        mailboxes: Sequence[str] = (),
        more: Mapping[str, str] = MappingProxyType({}),
        services: tuple[str, ...] = (),
        surroundings: Mapping[str, str] = MappingProxyType({}),
        port: int | None = None,
        address: str = LOOPBACK,
    ) -> "PostfixPrimary":
        """`mailboxes`: its only addresses; none means that it accepts every address.

        `more`: further lines of main.cf; `services`, `surroundings`: as in Postfix.
        """
        folder, owner = folder_of(place, "postfix"), peers.number_of("postfix")
        settings = {
            "virtual_mailbox_domains": DOMAIN,
            "virtual_mailbox_base": str(folder),
            "virtual_mailbox_maps": _mailbox_map(mailboxes),
            "virtual_uid_maps": f"static:{owner}",
            "virtual_gid_maps": f"static:{owner}",
            "message_size_limit": "60000000",
            "virtual_mailbox_limit": "0",
            "local_header_rewrite_clients": "",  # no special treatment by our primary
            **more,
        }
        port = free_port() if port is None else port
        postfix = Postfix(folder, port, settings, services, surroundings, address=address)
        postfix.write()
        return PostfixPrimary(postfix, maildir_in(folder, owner))

    def start(self) -> None:
        self.postfix.start()

    def stop(self) -> None:
        self.postfix.stop()

    def trouble(self) -> str:
        return self.postfix.trouble()


def _mailbox_map(mailboxes: Sequence[str]) -> str:
    if len(mailboxes) == 0:
        return "static:mail/"
    return f"inline:{{ {', '.join(f'{{{mailbox} = mail/}}' for mailbox in mailboxes)} }}"


class EximPrimary(Exim, Primary):
    def __init__(self, place: Path) -> None:
        super().__init__(folder_of(place, "exim"), "1m")
        self.maildir = maildir_in(self.folder, peers.number_of("Debian-exim"))
        self.write(
            "peer.example",
            f"""\
acl_smtp_rcpt = check_rcpt
begin acl
check_rcpt:
  accept domains = {DOMAIN}
  deny message = not for us
begin routers
keep:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {self.maildir}
  maildir_format
  user = Debian-exim
""",
        )


class OpenSmtpdPrimary(OpenSmtpd, Primary):
    def __init__(self, place: Path) -> None:
        super().__init__(folder_of(place, "opensmtpd"))
        self.maildir = maildir_in(self.folder, peers.number_of("nobody"))
        self.write(
            "peer.example",
            f"""\
table readers {{ "@" = "nobody" }}
action keep maildir "{self.maildir}" virtual <readers>
match from any for domain "{DOMAIN}" action keep
""",
        )


OTHERS: Final[dict[str, Callable[[Path], Primary]]] = {"exim": EximPrimary, "opensmtpd": OpenSmtpdPrimary}


def maildir_in(folder: Path, owner: int) -> Path:
    maildir = folder / "mail"
    for each in (maildir, *(maildir / name for name in ("new", "cur", "tmp"))):
        each.mkdir()
        os.chown(each, owner, owner)
    return maildir

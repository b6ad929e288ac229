"""A newsletter's surroundings on loopback: name server, blog, readers' mail servers, and the real
service, set up with `secondpost init`.
"""

import getpass
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import apsw

from secondpost.mail.duration import HOUR_MS
from tests.crash.postoffice import PostOffice, free_port
from tests.service.newsroom import ROLES
from tests.service.primary import Mail, Primary
from tests.world.loop_thread import loop_thread
from tests.world.name_server import NameServer
from tests.world.web_server import WebServer, answer

PROVIDERS: Final = {"pine.example": "127.0.0.11", "oak.example": "127.0.0.12", "elm.example": "127.0.0.13"}
OWNER: Final = "me@elsewhere.example"
OWNERS_HOST: Final = "127.0.0.14"
HOST: Final = "mx2.example.net"
PAGES: Final = "https://news.example.net"
BLOG: Final = "www.example.net"
COMMAND_SECONDS_MAX: Final = 60.0
GATE_SECONDS_MAX: Final = 60.0
GONE: Final = "550 5.1.1 <{mailbox}>: Recipient address rejected: User unknown"
# What is otherwise than on a server.
LOOPBACK: Final = """
[deliver]
port = {port}

[fetch]
allow_private = true

[send]
unverified = true
"""
QUICK: Final = '[[newsletter]]\nsettle = "0 minutes"\nundo   = "0 minutes"\n'
TIMES: Final = """
SELECT sqlite_schema.name, field.name FROM sqlite_schema JOIN pragma_table_info(sqlite_schema.name) AS field
WHERE sqlite_schema.type = 'table' AND field.name LIKE '%\\_ms' ESCAPE '\\'
  AND sqlite_schema.name NOT IN ('worker', 'lease')
"""
# Times of today; a column may also have one that stands for ever.
EARLIEST_MS: Final = 10**12
LATEST_MS: Final = 10**13
TITLES: Final = (
    "Hello, world",
    "Why I left",
    "My first server",
    "A post office of my own",
    "What the logs said",
    "A week without a provider",
    "Letters from readers",
)
ENTRY: Final = """\
<entry><title>{title}</title><id>https://www.example.net/{number}</id>
<link rel="alternate" href="https://www.example.net/{number}"/><updated>{date}</updated>
<content type="html">&lt;p&gt;The words of {title}, as the blog has them.&lt;/p&gt;</content></entry>
"""
FEED: Final = """\
<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>The Blog</title><id>https://www.example.net/</id>
<updated>{date}</updated><author><name>The Blogger</name></author>
{entries}</feed>
"""


class MailHost(Primary):
    """A provider's server: mailboxes in `gone` are refused, and while the gate is shut, the final dot
    of a mail gets no answer.
    """

    def __init__(self, address: str, port: int) -> None:
        super().__init__(address=address, port=port)
        self.gone: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.shuts_after: int | None = None  # mails

    def _before_the_answer(self, mail: Mail) -> None:
        if self.shuts_after is not None and len(self.mails) >= self.shuts_after:
            self.shuts_after = None
            self.gate.clear()
        if not self.gate.wait(GATE_SECONDS_MAX):
            raise ConnectionError("the gate was left shut")

    def _recipient(self, mailbox: str) -> bytes:
        if mailbox in self.gone:
            return f"{GONE.format(mailbox=mailbox)}\r\n".encode()
        return super()._recipient(mailbox)


class Office(PostOffice):
    """The service; `init` writes its configuration."""

    roles_max = len(ROLES)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, free_port())
        self.pages = f"http://127.0.0.1:{(pages := free_port())}"
        self._pages_port = pages

    def set_up(self, feed: str, name_server: str, mail_port: int) -> None:
        """Type `secondpost init`, and add what only a machine without an Internet needs."""
        self.config.unlink()
        words = ["--hostname", HOST, "--backup", "none", "--owner", OWNER]
        words += ["--feed", feed, "--newsletter", "weekly", "--from", "The Blog <newsletter@example.net>"]
        words += ["--every", "friday 09:00", "--timezone", "Europe/Oslo"]
        words += ["--web-url", PAGES, "--web-listen", f"127.0.0.1:{self._pages_port}"]
        words += ["--listen", f"127.0.0.1:{self.port}", "--dns-server", name_server]
        done = self.run("init", *words, "--store", str(self.store), "--yes")
        assert done.returncode == 0, done.stderr
        text = self.config.read_text().replace("[[newsletter]]\n", QUICK)
        text = text.replace("\nhostname ", f'\nuser = "{getpass.getuser()}"\nhostname ', 1)
        self.config.write_text(text + LOOPBACK.format(port=mail_port))

    def rows(self, query: str) -> list[tuple[str | int | float | bytes | None, ...]]:
        """Rows of newsletter.db, read beside the service."""
        with closing(apsw.Connection(self._database, flags=apsw.SQLITE_OPEN_READONLY)) as database:
            return database.execute(query).fetchall()

    def pass_an_hour(self) -> None:
        """Let everything that newsletter.db knows of be an hour older."""
        with closing(apsw.Connection(self._database)) as database:
            database.set_busy_timeout(10_000)
            # One that begins by reading cannot wait for the service's writes.
            database.execute("BEGIN IMMEDIATE")
            for table, column in database.execute(TIMES).fetchall():
                shift = f"UPDATE {table} SET {column} = {column} - ? WHERE {column} BETWEEN ? AND ?"
                database.execute(shift, (HOUR_MS, EARLIEST_MS, LATEST_MS))
            database.execute("COMMIT")

    @property
    def _database(self) -> str:
        return str(self.store / "newsletter" / "newsletter.db")


class Town:
    """`hosts`: the mail servers by the domain of their mailboxes."""

    def __init__(self, folder: Path, hosts: dict[str, MailHost], office: Office) -> None:
        self.folder = folder
        self.hosts = hosts
        self.office = office
        self.blog: dict[str, bytes | None] = {}
        self.publish(3)

    def publish(self, articles: int) -> None:
        """The feed has so many articles; the newest are of now."""
        now = datetime.now(UTC)
        entries = [
            ENTRY.format(number=number, title=title, date=_written(now - timedelta(days=articles - number)))
            for number, title in enumerate(TITLES[:articles], 1)
        ]
        feed = FEED.format(date=_written(now), entries="".join(reversed(entries))).encode()
        self.blog["/feed.xml"] = answer("200 OK", feed, content_type="application/atom+xml")

    def type(self, command: str) -> tuple[str, int]:
        """Type a line into a shell; returns what it prints, and its exit code."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "SECONDPOST_CONFIG": str(self.office.config)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        return done.stdout.strip("\n").replace(f"{self.folder}/", "/etc/secondpost/"), done.returncode

    def mails_to(self, address: str) -> Sequence[Mail]:
        host = self.hosts[address.partition("@")[2]]
        return [mail for mail in host.mails if mail.recipients == (address,)]

    @property
    def readers_mails(self) -> Sequence[Mail]:
        """All mails that readers' servers took."""
        return [mail for domain in PROVIDERS for mail in self.hosts[domain].mails]


@contextmanager
def opened(folder: Path) -> Iterator[Town]:
    """The town with its servers, and a service that is set up and runs."""
    port = free_port()
    addresses = {**PROVIDERS, OWNER.partition("@")[2]: OWNERS_HOST}
    with ExitStack() as ends:
        loop = ends.enter_context(loop_thread())
        hosts = {domain: ends.enter_context(MailHost(address, port)) for domain, address in addresses.items()}
        office = Office(folder)
        ends.callback(office.end)
        town = Town(folder, hosts, office)
        blog = ends.enter_context(WebServer(town.blog).in_a_thread())
        records = [f"{domain}. 60 IN MX 10 mx.{domain}." for domain in addresses]
        records += [f"mx.{domain}. 60 IN A {address}" for domain, address in addresses.items()]
        records += [f"{name}. 60 IN A 127.0.0.1" for name in (BLOG, HOST)]
        names = loop.run(NameServer.truthful(*records))
        ends.callback(lambda: loop.run(_close(names)))
        office.set_up(f"http://{BLOG}:{blog.port}/feed.xml", str(names.endpoint), port)
        office.start()
        office.wait_for_roles()
        yield town
        assert "role-died" not in office.log.read_text()


async def _close(names: NameServer) -> None:
    names.close()


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

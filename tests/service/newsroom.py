"""The real service with all five roles, a blog and the readers' mail server, for whole stories."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import apsw
from click.testing import CliRunner

from secondpost.cli.main import secondpost
from secondpost.config.reading import read_config
from secondpost.config.records import Dkim
from secondpost.mail.address import Mailbox
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.roles.desk import open_newsletter
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, Imported
from secondpost.world.real.keys import dkim_records
from tests.crash.postoffice import PostOffice, free_port
from tests.protocols.dkimpy_says import Txt
from tests.service.primary import Mail
from tests.world.web_server import WebServer

ROLES = ("receive", "deliver", "web", "publish", "fetch")
BOUNCES = "mx2.example.net"
CONFIRMED = ("--confirmed", "at the fair, 3 May 2026")
HTTP_SECONDS = 10.0
BEGINNING = """\
listen = ["127.0.0.1:{web}"]

[fetch]
allow_private = true

[send]
unverified = true

[[route]]
domain = "*"
lane   = "issues"
host   = "127.0.0.1:{readers}"

[[route]]
domain = "*"
lane   = "own"
host   = "127.0.0.1:{readers}"
"""
NEWSLETTER = """
[[newsletter]]
name   = "{name}"
from   = "The Blog <newsletter@example.net>"
feeds  = ["{feed}"]
settle = "0 minutes"
undo   = "0 minutes"
{more}
"""
EVERYTHING = 'start = "everything"'
# Issues are sent only by command, so that the service is not faster than the test.
BY_HAND = "approve = true"
# Tables with data about people, articles, issues and their mail; the others are for processes.
TELLING = ("subscriber", "consent", "reader_event", "bounce", "suppression", "article", "issue", "delivery")
Rows = list[tuple[str | int | float | bytes | None, ...]]
_URL = re.compile(r"https?://[^\s\"'<>]+")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str | None
    body: str


def ask(url: str, method: str = "GET", body: str = "") -> Answer:
    """One request, without cookies or redirects."""
    at = urlsplit(url)
    with closing(HTTPConnection(at.netloc, timeout=HTTP_SECONDS)) as connection:
        form = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        target = f"{at.path}?{at.query}" if len(at.query) > 0 else at.path
        connection.request(method, target, body if method == "POST" else None, form)
        response = connection.getresponse()
        return Answer(response.status, response.getheader("location"), response.read().decode())


def parsed(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def parts_of(message: EmailMessage) -> tuple[str, str]:
    """The text and the HTML."""
    text, html = (part.get_content() for part in message.iter_parts())
    return str(text), str(html)


def urls_in(mail: Mail) -> set[str]:
    """All URLs of both parts and the header."""
    message = parsed(mail)
    texts = [*parts_of(message), *(str(value) for value in message.values())]
    return {url.replace("&amp;", "&") for text in texts for url in _URL.findall(text)}


class Newsroom(PostOffice):
    """`newsletters`: their names, and further lines of their tables.

    Each feed is the page of that name; `refused` has a feed at a port without a listener.
    """

    roles_max = len(ROLES)

    def __init__(
        self,
        folder: Path,
        blog: WebServer,
        readers_port: int,
        newsletters: Mapping[str, str],
        primary_port: int | None = None,
    ) -> None:
        super().__init__(folder, free_port() if primary_port is None else primary_port)
        self.web = f"http://127.0.0.1:{(web := free_port())}"
        head, _, tail = self.config.read_text().partition('url = "none"\n')
        shown = f'url    = "{self.web}"\n' + BEGINNING.format(web=web, readers=readers_port)
        for name, more in newsletters.items():
            port = free_port() if name == "refused" else blog.port
            shown += NEWSLETTER.format(name=name, feed=f"http://127.0.0.1:{port}/{name}", more=more)
        self.config.write_text(f"{head}{shown}{tail}")

    def have_readers(self, readers: Mapping[str, Sequence[str]]) -> None:
        """Create active readers, by newsletter, before the service starts."""
        self.store.mkdir(mode=0o700)
        asyncio.run(self._have_readers(readers))

    async def _have_readers(self, readers: Mapping[str, Sequence[str]]) -> None:
        async with open_newsletter(read_config(str(self.config))) as open_:
            now_ms = open_.clock.now_ms()
            consent = Consent("at the fair", "owner", "yes", now_ms)
            for name, addresses in readers.items():
                lines = [Imported(Mailbox.parse(address)) for address in addresses]
                for start in range(0, len(lines), BATCH_READERS_MAX):
                    batch = lines[start : start + BATCH_READERS_MAX]
                    await open_.store.import_batch(name, batch, SubscriberState.ACTIVE, consent, now_ms)

    def json_of(self, *words: str, code: int = 0) -> dict[str, object]:
        """The --json output of a command, run in this process to save its start-up time."""
        line = ["--config", str(self.config), *words, "--json"]
        done = CliRunner().invoke(secondpost, line)
        assert done.exit_code == code, (words, done.output, done.exception)
        document = json.loads(done.stdout)
        assert isinstance(document, dict)
        return document

    def rows(self, query: str, *bindings: str | int) -> Rows:
        """Rows of newsletter.db, read beside the service."""
        path = str(self.store / "newsletter" / "newsletter.db")
        with closing(apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)) as database:
            return database.execute(query, bindings).fetchall()

    def write(self, query: str) -> None:
        """Write to newsletter.db while no service runs."""
        with closing(apsw.Connection(str(self.store / "newsletter" / "newsletter.db"))) as database:
            database.execute(query)

    def contents(self) -> dict[str, Rows]:
        """The rows of all tables in TELLING."""
        return {table: self.rows(f"SELECT * FROM {table}") for table in TELLING}

    def is_done(self, name: str, number: int) -> bool:
        query = "SELECT state FROM issue WHERE newsletter = ? AND number = ?"
        return self.rows(query, name, number) == [("done",)]

    def dns(self) -> Txt:
        """The DNS records of our keys, as a function for dkimpy."""
        records = dkim_records(str(self.store), Dkim())
        found = {f"{record.name}.example.net.".encode(): record.text.encode() for record in records}

        def txt(name: bytes, timeout: int = 5) -> bytes:
            return found[name]

        return txt

"""A newsletter with a real store and a blog on loopback, and its commands."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import click.testing

from secondpost.cli.command import CommandWaits
from secondpost.cli.main import secondpost
from secondpost.config.reading import read_config
from secondpost.mail.address import Mailbox
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.roles.desk import open_newsletter
from secondpost.store.sqlite.schema import Database
from secondpost.store.subscriber_ports import Bounce
from tests.new_store import lay_new
from tests.world.web_server import WebServer, answer

T = TypeVar("T")
CONFIG = """\
version = 3
hostname = "mx2.example.net"
store = "{store}"
owner = ["me@elsewhere.example"]
[web]
url = "none"
[fetch]
allow_private = true
[send]
unverified = true
{newsletters}
"""
NEWSLETTER = """
[[newsletter]]
name = "{name}"
from = "The Blog <newsletter@example.net>"
feeds = ["http://127.0.0.1:{port}/feed"]
every = "friday 09:00"
min_articles = 2
settle = "0 minutes"
start = "everything"
"""
CONFIRMED = ("--confirmed", "at the fair, 3 May 2026")


def feed(*numbers: int) -> bytes:
    """A JSON Feed with these articles, newest first."""
    items = [
        {
            "id": f"urn:{n}",
            "url": f"https://www.example.net/posts/{n}",
            "title": f"Article {n}",
            "content_text": f"These are the words of article number {n}. " * 5,
        }
        for n in sorted(numbers, reverse=True)
    ]
    shown = {"version": "https://jsonfeed.org/version/1.1", "title": "The Blog", "items": items}
    return answer("200 OK", json.dumps(shown).encode(), content_type="application/feed+json")


@dataclass
class Newspaper:
    folder: Path
    pages: dict[str, bytes | None] = field(default_factory=dict)
    waits: CommandWaits = field(default_factory=CommandWaits)

    @property
    def config(self) -> Path:
        return self.folder / "secondpost.toml"

    def writes(self, *numbers: int) -> None:
        """Set the articles in the blog's feed."""
        self.pages["/feed"] = feed(*numbers)

    def makes_issue_for(self, readers: Iterable[str]) -> None:
        """Add the readers and make an issue of two articles; no delivery is tried yet."""
        for address in readers:
            self.run("subscribers", "add", address, *CONFIRMED)
        self.writes(1, 2)
        self.run("issue", "send")

    def run(self, *words: str, code: int = 0) -> click.testing.Result:
        runner = click.testing.CliRunner()
        result = runner.invoke(secondpost, ["--config", str(self.config), *words], obj=self.waits)
        assert result.exit_code == code, (words, result.output, result.exception)
        return result

    def json_of(self, *words: str, code: int = 0) -> dict[str, object]:
        """The --json output of a command."""
        document = json.loads(self.run(*words, "--json", code=code).stdout)
        assert isinstance(document, dict)
        return document

    def inside(self, work: Callable[[OpenNewsletter], Awaitable[T]]) -> T:
        """Do what the running service would do."""

        async def opened() -> T:
            async with asyncio.timeout(30), open_newsletter(read_config(str(self.config))) as open_:
                return await work(open_)

        return asyncio.run(opened())


@contextmanager
def open_newspaper(folder: Path, *names: str) -> Iterator[Newspaper]:
    """A newspaper whose blog is served until the end."""
    paper = Newspaper(folder)
    paper.writes()
    with WebServer(paper.pages).in_a_thread() as server:
        newsletters = "".join(NEWSLETTER.format(name=name, port=server.port) for name in names)
        (folder / "store").mkdir(mode=0o700)
        lay_new(str(folder / "store"), Database.NEWSLETTER)
        paper.config.write_text(CONFIG.format(store=folder / "store", newsletters=newsletters))
        yield paper


def listed(document: dict[str, object], key: str) -> list[dict[str, object]]:
    found = document[key]
    assert isinstance(found, list)
    return found


async def came_back(open_: OpenNewsletter, kind: BounceKind, status: str, reply: str) -> IssueId:
    """Record that the mail of the first issue to ada@reader.example came back; returns the issue."""
    reader = await open_.store.find("weekly", Mailbox.parse("ada@reader.example"))
    issue = await open_.store.issue_by_number("weekly", 1)
    assert reader is not None
    assert issue is not None
    assert await open_.store.record_bounce(
        Bounce(reader.id, issue.id, QueueId(70), kind, status, reply, 1_000)
    )
    return issue.id

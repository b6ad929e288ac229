"""The public pages over a real store: one newsletter, its readers, and real issues."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw
import httpx2
from starlette.applications import Starlette

from secondpost.config.records import Config, Newsletter, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.article import Article
from secondpost.mail.article_states import ArticleState
from secondpost.mail.issue import DigestDraft, Issue, LetterDraft
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId
from secondpost.maillog import MailLog
from secondpost.newsletter.render import DigestRenderer
from secondpost.protocols.tokens import KEY_OCTETS, KeyRing, Purpose, Ring, Token
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import (
    FetchRecord,
    NewArticle,
)
from secondpost.store.sqlite import SqliteNewsletterStore
from secondpost.store.sqlite.schema import Database
from secondpost.store.subscriber_ports import SignUpLimits
from secondpost.subscribers.reader_desk import ReadersDesk
from secondpost.subscribers.signup import CrowdLog, SignUps
from secondpost.web.app import make_app
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.clock import START_MS, SetClock
from tests.compose.articles import article
from tests.new_store import lay_new

FEED = "https://blog.example/feed.xml"
NEWSLETTER = Newsletter(
    name="weekly",
    sender="The Blog <newsletter@example.net>",
    feeds=(FEED,),
    timezone="Europe/Oslo",
    postal_address="P.O. Box 1, Oslo",
)
CONFIG = Config(
    path="secondpost.toml",
    hostname=Domain("mx2.example.net"),
    store="",
    owner=(Mailbox.parse("me@elsewhere.example"),),
    bounces=Domain("mx2.example.net"),
    web=Web(url="https://mx2.example.net", trusted_proxies=("127.0.0.1",)),
    newsletters=(NEWSLETTER,),
)
OWN = frozenset((CONFIG.hostname, CONFIG.bounces))
AGREED = Consent(where="at the fair", how="owner", text="", at_ms=START_MS)


@dataclass(slots=True)
class Service:
    app: Starlette
    store: SqliteNewsletterStore
    client: httpx2.AsyncClient
    clock: SetClock
    links: KeyRing
    ids: QueueIds
    database: Path
    hints: list[int]  # times of hints to the deliver role
    lines: list[str]  # of the log

    def contents(self) -> str:
        """A hash of all rows of all tables."""
        told = hashlib.sha256()
        db = apsw.Connection(str(self.database), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            tables = [
                row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
            ]
            for table in tables:
                told.update(f"table {table}\n".encode())
                for row in db.execute(f'SELECT * FROM "{table}"'):
                    told.update(repr(row).encode())
        finally:
            db.close()
        return told.hexdigest()

    def path(self, page: str, purpose: Purpose, subscriber: SubscriberId, number: int = 0) -> str:
        return f"/{page}/{self.links.write(Token(purpose, subscriber, number))}"

    async def find(self, address: str) -> Subscriber | None:
        return await self.store.find("weekly", Mailbox.parse(address))

    async def found(self, address: str) -> Subscriber:
        subscriber = await self.find(address)
        assert subscriber is not None
        return subscriber

    async def sign_up(self, address: str, caller: str = "192.0.2.1") -> httpx2.Response:
        return await self.client.post(
            "/weekly/", data={"email": address}, headers={"X-Forwarded-For": caller}
        )

    async def reader(self, address: str) -> Subscriber:
        """Add an active reader."""
        added = await self.store.add("weekly", Mailbox.parse(address), AGREED, self.clock.now_ms(), None)
        assert added is not None
        return added

    async def sent_issue(self, articles: list[Article] | None = None) -> Issue:
        """A frozen issue whose first mail may leave."""
        told = [article(number) for number in range(1, 3)] if articles is None else articles
        now_ms = self.clock.now_ms()
        new = tuple(NewArticle(one, one.link, ArticleState.WAITING) for one in told)
        await self.store.record_fetch(FetchRecord(Feed("weekly", FEED, title="The Blog"), now_ms, new=new))
        waiting = await self.store.entries("weekly", ArticleState.WAITING, 100)
        draft = DigestDraft("weekly", f"slot {now_ms}", tuple(entry.id for entry in waiting), 2)
        return await self._sent(await self.store.create_digest(draft, self.ids.next(now_ms), now_ms))

    async def sent_letter(self, subject: str, body: str) -> Issue:
        """A frozen letter whose first mail may leave; `body` is Markdown."""
        now_ms = self.clock.now_ms()
        draft = LetterDraft("weekly", f"letter {now_ms}", subject, body)
        return await self._sent(await self.store.create_letter(draft, self.ids.next(now_ms), now_ms))

    async def _sent(self, issue: Issue) -> Issue:
        now_ms = self.clock.now_ms()

        async def feed_title(newsletter: Newsletter) -> str:
            return "The Blog"

        renderer = DigestRenderer(CONFIG.web, RealDice(), feed_title)
        text = await renderer.compose(NEWSLETTER, issue, await self.store.entries_of_issue(issue.id))
        await self.store.write_content(issue.id, text.subject, text.content)
        leader = await self.store.lead("publish")
        assert leader is not None
        await self.store.begin_freeze(issue.id, leader)
        while not (await self.store.freeze_batch(issue.id, leader, 250)).is_last:
            pass
        frozen = await self.store.freeze_done(issue.id, leader, now_ms)
        assert await self.store.start(frozen.id, now_ms)
        await self.store.give_back(leader)
        return frozen


@asynccontextmanager
async def open_service(folder: Path, config: Config = CONFIG) -> AsyncIterator[Service]:
    clock, work, failures = SetClock(), RealWork(1), list[BaseException]()
    lay_new(str(folder), Database.NEWSLETTER)
    store = SqliteNewsletterStore.open(
        RealDisk(str(folder)), work, clock, role="web", failed=failures.append, busy_seconds=5.0
    )
    links = KeyRing(Ring.LINKS, {1: bytes(range(KEY_OCTETS))})
    ids = QueueIds(store.worker)
    hints: list[int] = []
    # The store's own limit per network has its own tests.
    limits = SignUpLimits(prefix_per_hour_max=1_000)
    lines: list[str] = []
    crowded = CrowdLog(MailLog(lines.append)).met
    sign_ups = SignUps(store, clock, ids, lambda: hints.append(clock.ms), OWN, crowded, limits)
    app = make_app(config, store, links, sign_ups, ReadersDesk(store, clock), clock)
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 50_000))
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="https://mx2.example.net") as client:
            database = folder / "newsletter" / "newsletter.db"
            yield Service(app, store, client, clock, links, ids, database, hints, lines)
    finally:
        store.close()
        work.close()
        assert failures == []

"""The public pages on a socket, as served by the web role, with every page a reader may reach."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Queue
from threading import Thread

import apsw

from secondpost.config.records import Newsletter
from secondpost.mail.duration import DAY_MS
from secondpost.mail.subscriber import NO_SUBSCRIBER, SubscriberId
from secondpost.maillog import MailLog
from secondpost.processes.pages import PageDoor, WebServer
from secondpost.protocols.tokens import Purpose
from secondpost.store.approval_ports import ApprovalOutcome
from secondpost.web.guests import Guests
from secondpost.web.reader import BAD_TOKENS_MAX
from tests.compose.articles import article
from tests.look.hard_article import LONG_TITLE, hard_article
from tests.look.mails import LETTER
from tests.web.service import CONFIG, NEWSLETTER, Service, open_service
from tests.web.test_approval import asked, waiting_with

FORM = {"content-type": "application/x-www-form-urlencoded"}
CROWDED = {"x-forwarded-for": "198.51.100.7"}  # a network that has signed up too often
LONG_ADDRESS = f"{'a' * 64}@{'sub-domain.' * 14}reader.example"
SEVERAL = (NEWSLETTER, *(replace(NEWSLETTER, name=name, title=title) for name, title in (
    ("cooking", "Slow Food for Fast People"),
    ("long", f"A title that is long: {LONG_TITLE}"),
)))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """The request for a page, and the expected status."""

    url: str
    status: int = 200
    method: str = "GET"
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


PAGES = (
    "home", "home-without-issues", "home-with-a-fault", "several", "signed-up",
    "confirm", "confirmed", "confirmed-before", "confirm-too-late", "leave", "left", "left-before", "me",
    "me-after-leaving", "me-unknown", "erased", "test-copy", "archive", "archive-letter", "approve",
    "approve-changed", "approve-again", "approve-over", "400", "404", "405", "413", "415",
    "429", "500",
)  # fmt: skip
WALK = ("walk-confirm", "walk-me", "walk-leave")  # of one reader who does everything possible


@contextmanager
def served(folder: Path) -> Iterator[dict[str, Page]]:
    """The pages by name, while a thread serves them."""
    ready: Queue[dict[str, Page] | BaseException] = Queue()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        try:
            async with _pages(folder) as pages:
                ready.put(pages)
                await ended.wait()
        except BaseException as error:
            ready.put(error)
            raise

    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    pages = ready.get()
    try:
        if isinstance(pages, BaseException):
            raise pages
        yield pages
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@asynccontextmanager
async def _pages(folder: Path) -> AsyncIterator[dict[str, Page]]:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(_on_a_port(folder / "one", (NEWSLETTER,)))
        several = await stack.enter_async_context(_on_a_port(folder / "several", SEVERAL))
        owners = await stack.enter_async_context(_on_a_port(folder / "owners", (NEWSLETTER,)))
        pages = {
            "several": Page(f"{several[1]}/"),
            "home-without-issues": Page(f"{several[1]}/long/"),
            **await _of_readers(*one),
            **await _errors(*one),
            **await _of_the_owner(*owners),
            "500": await _broken_issue(*several),
        }
        yield {name: pages[name] for name in (*PAGES, *WALK)}


@asynccontextmanager
async def _on_a_port(folder: Path, newsletters: tuple[Newsletter, ...]) -> AsyncIterator[tuple[Service, str]]:
    """The service and its URL."""
    folder.mkdir()
    failures: list[BaseException] = []
    async with open_service(folder, replace(CONFIG, newsletters=newsletters)) as service:
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        door.listen()
        log = MailLog(service.lines.append)
        server = WebServer([PageDoor(door, service.app)], Guests([]), log, failures.append)
        await server.start()
        try:
            yield service, f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            await server.drain()
    assert failures == []


async def _of_readers(service: Service, at: str) -> dict[str, Page]:
    ann, gone = await service.reader("ann@reader.example"), await service.reader("gone@reader.example")
    await service.store.leave(gone.id, service.clock.now_ms(), "page or one click", None)
    erased = await service.reader(LONG_ADDRESS)
    leaving = await service.reader("leaving@reader.example")
    await service.sign_up("bob@reader.example")
    await service.sign_up("eve@reader.example")
    await service.sign_up("walker@reader.example")
    bob, eve, walker = [await service.found(f"{name}@reader.example") for name in ("bob", "eve", "walker")]
    articles = [hard_article(1), article(2), article(3, "", summary="A summary alone.")]
    issue = await service.sent_issue(articles)

    def page(
        name: str, purpose: Purpose, subscriber: SubscriberId, body: str | None = None, status: int = 200
    ) -> Page:
        url = f"{at}{service.path(name, purpose, subscriber)}"
        return Page(url, status) if body is None else Page(url, status, "POST", body, FORM)

    unknown = SubscriberId(999)
    return {
        "home": Page(f"{at}/weekly/"),
        "home-with-a-fault": Page(f"{at}/weekly/", 422, "POST", f"email=ann@{'long-' * 60}", FORM),
        "signed-up": Page(f"{at}/weekly/", 200, "POST", "email=new@reader.example", FORM),
        "confirm": page("confirm", Purpose.CONFIRM, bob.id),
        "confirmed": page("confirm", Purpose.CONFIRM, eve.id, ""),
        "confirmed-before": page("confirm", Purpose.CONFIRM, ann.id),
        "confirm-too-late": page("confirm", Purpose.CONFIRM, unknown, status=410),
        "leave": page("leave", Purpose.LEAVE, ann.id),
        "left": page("leave", Purpose.LEAVE, leaving.id, ""),
        "left-before": page("leave", Purpose.LEAVE, gone.id),
        "me": page("me", Purpose.ME, erased.id),
        "me-after-leaving": page("me", Purpose.ME, gone.id),
        "me-unknown": page("me", Purpose.ME, unknown, status=410),
        "erased": page("me", Purpose.ME, leaving.id, "do=erase"),
        "test-copy": page("me", Purpose.ME, NO_SUBSCRIBER),
        "archive": Page(f"{at}/weekly/{issue.number}"),
        "walk-confirm": page("confirm", Purpose.CONFIRM, walker.id),
        "walk-me": page("me", Purpose.ME, walker.id),
        "walk-leave": page("leave", Purpose.LEAVE, walker.id),
    }


async def _of_the_owner(service: Service, at: str) -> dict[str, Page]:
    """The pages behind the link of an approval, and a letter in the archive."""
    await service.reader("ann@reader.example")
    letter = await service.sent_letter("We are sorry", LETTER)
    long = article(2, title=f"A title that is long: {LONG_TITLE}")
    articles = await waiting_with(service, [hard_article(1), long, article(3)])
    over, again, waits = "a2" * 16, "b3" * 16, "c4" * 16
    await asked(service, articles, slot="ready-1", secret=over)
    approved = await asked(service, articles, slot="ready-2", secret=again)
    now_ms = service.clock.now_ms()
    assert await service.store.approve(approved.id, articles, now_ms) is ApprovalOutcome.APPROVED
    await asked(service, articles, now_ms + DAY_MS, slot="ready-3", secret=waits)
    return {
        "approve": Page(f"{at}/approve/{waits}"),
        "approve-changed": Page(f"{at}/approve/{waits}?shown=others", 409, "POST", "", FORM),
        "approve-again": Page(f"{at}/approve/{again}"),
        "approve-over": Page(f"{at}/approve/{over}", 410),
        "archive-letter": Page(f"{at}/weekly/{letter.number}"),
    }


async def _errors(service: Service, at: str) -> dict[str, Page]:
    for _ in range(BAD_TOKENS_MAX):
        await service.client.get("/me/aaaa", headers=CROWDED)
    return {
        "400": Page(f"{at}/weekly/", 400, "POST", "email=%FF", FORM),
        "404": Page(f"{at}/weekly/no-such-issue", 404),
        "405": Page(f"{at}/", 405, "PUT"),
        "413": Page(f"{at}/weekly/", 413, "POST", f"email={'a' * 10_000}", FORM),
        "415": Page(f"{at}/weekly/", 415, "POST", "{}", {"content-type": "application/json"}),
        "429": Page(f"{at}/me/aaaa", 429, headers=CROWDED),
    }


async def _broken_issue(service: Service, at: str) -> Page:
    """A page of the archive whose content cannot be read."""
    await service.reader("ann@reader.example")
    issue = await service.sent_issue()
    with closing(apsw.Connection(str(service.database))) as database:
        database.execute(
            "UPDATE content SET data = x'00' WHERE message = (SELECT message FROM issue WHERE id = ?)",
            (issue.id,),
        )
    return Page(f"{at}/weekly/{issue.number}", 500)

"""The mail that asks the owner to approve an issue: once for each, with a link that works."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from secondpost.config.records import Newsletter, Web
from secondpost.mail.approval_link import hash_of
from secondpost.mail.article_states import ArticleState
from secondpost.mail.issue import DigestDraft
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import (
    FetchRecord,
    NewArticle,
)
from secondpost.store.owner_ports import Selection
from secondpost.watch.alarm_desk import MailToOwner
from secondpost.watch.approvals import ApprovalsWatch
from secondpost.world.real.dice import RealDice
from tests.compose.articles import article
from tests.store.place import SqlitePlace, content_in
from tests.watch.test_alarm_desk import CONFIG

FEED = "https://blog.example/feed.xml"
WEEKLY = Newsletter(
    name="weekly", sender="The Blog <n@example.net>", feeds=(FEED,), timezone="Europe/Oslo", approve=True
)


async def put(place: SqlitePlace, web: Web, last_ms: int | None) -> tuple[ApprovalsWatch, list[int]]:
    """A watch over a store in which an issue of two articles waits for approval."""
    mail, readers, hints = place.open(), place.open_newsletter(), list[int]()
    now_ms = place.clock.ms
    new = tuple(NewArticle(article(n), article(n).link, ArticleState.WAITING) for n in (1, 2))
    await readers.record_fetch(FetchRecord(Feed("weekly", FEED), now_ms, new=new))
    waiting = await readers.entries("weekly", ArticleState.WAITING, 10)
    draft = DigestDraft("weekly", "ready-1", tuple(entry.id for entry in waiting), 2)
    await readers.ask_approval(draft, last_ms, now_ms)
    config = replace(CONFIG, web=web, newsletters=(WEEKLY,))
    own_mail = MailToOwner(config, mail.ids, lambda message, dated_ms: message, mail)
    watch = ApprovalsWatch(
        config, readers, mail, place.clock, RealDice(), own_mail, lambda: hints.append(place.clock.ms)
    )
    return watch, hints


async def mails(place: SqlitePlace) -> list[EmailMessage]:
    store = place.open()
    octets = [await content_in(store, row.id.queue_id) for row in await store.listed(Selection(), None, 10)]
    return [message_from_bytes(one, policy=policy.default) for one in octets]


def in_place(tmp_path: Path, story: Callable[[SqlitePlace], Coroutine[None, None, None]]) -> None:
    async def day() -> None:
        place = SqlitePlace(str(tmp_path))
        try:
            await story(place)
        finally:
            await place.close()

    asyncio.run(day())


def test_the_owner_is_mailed_once_with_the_articles_and_a_link_that_works(tmp_path: Path) -> None:
    async def story(place: SqlitePlace) -> None:
        watch, hints = await put(place, Web("https://mx2.example.net"), place.clock.ms)
        await watch.look()
        await watch.look()
        [mail] = await mails(place)
        assert mail["Subject"] == "Secondpost mx2.example.net: the next issue of weekly waits for you"
        text = mail.get_content()
        assert article(1).title in text
        assert article(2).link in text
        assert "until" in text
        found = re.search(r"^https://mx2\.example\.net/approve/([a-z2-7]{32})\r?$", text, re.MULTILINE)
        assert found is not None
        hashed = hash_of(found[1])
        assert hashed is not None
        approval = await place.open_newsletter().approval_of_secret(hashed)
        assert approval is not None
        assert approval.slot == "ready-1"
        assert len(hints) == 1

    in_place(tmp_path, story)


def test_without_web_pages_the_mail_names_the_command(tmp_path: Path) -> None:
    async def story(place: SqlitePlace) -> None:
        watch, _ = await put(place, Web(None), None)
        await watch.look()
        [mail] = await mails(place)
        text = mail.get_content()
        assert "/approve/" not in text
        assert "secondpost issue approve weekly" in text

    in_place(tmp_path, story)


def test_an_issue_whose_time_is_over_is_not_mailed(tmp_path: Path) -> None:
    async def story(place: SqlitePlace) -> None:
        watch, hints = await put(place, Web("https://mx2.example.net"), place.clock.ms - 1)
        await watch.look()
        assert (await mails(place), hints) == ([], [])

    in_place(tmp_path, story)

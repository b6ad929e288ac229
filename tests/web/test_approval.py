"""The page on which the owner approves an issue, with real requests and a real store."""

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape

import pytest

from secondpost.mail.approval_link import hash_of
from secondpost.mail.article import Article
from secondpost.mail.article_states import ArticleState
from secondpost.mail.issue import ArticleId, DigestDraft
from secondpost.store.approval_ports import Approval
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import (
    FetchRecord,
    NewArticle,
    SeenAgain,
)
from secondpost.web.reader import BAD_TOKENS_MAX
from tests.compose.articles import article
from tests.web.service import FEED, Service
from tests.web.test_pages import check_page

pytestmark = pytest.mark.anyio

SECRET = "a2" * 16
PATH = f"/approve/{SECRET}"


async def waiting(service: Service, *numbers: int) -> tuple[ArticleId, ...]:
    """The waiting articles, with new ones of these numbers."""
    return await waiting_with(service, [article(n) for n in numbers])


async def waiting_with(service: Service, articles: Sequence[Article]) -> tuple[ArticleId, ...]:
    new = tuple(NewArticle(one, one.link, ArticleState.WAITING) for one in articles)
    at_ms = service.clock.now_ms()
    await service.store.record_fetch(FetchRecord(Feed("weekly", FEED, title="The Blog"), at_ms, new=new))
    entries = await service.store.entries("weekly", ArticleState.WAITING, 100)
    return tuple(entry.id for entry in entries)


async def asked(
    service: Service,
    articles: tuple[ArticleId, ...],
    last_ms: int | None = None,
    slot: str = "ready-1",
    secret: str = SECRET,
) -> Approval:
    draft = DigestDraft("weekly", slot, articles, 1)
    approval = await service.store.ask_approval(draft, last_ms, service.clock.now_ms())
    hashed = hash_of(secret)
    assert hashed is not None
    await service.store.set_secret(approval.id, hashed)
    return approval


async def is_approved(service: Service) -> bool:
    found = await service.store.approval("weekly", "ready-1")
    return found is not None and found.approved_ms is not None


def action(page: str) -> str:
    found = re.search(r'action="([^"]+)"', page)
    assert found is not None
    return unescape(found[1])


async def test_opening_the_link_changes_nothing_and_the_button_approves(service: Service) -> None:
    await asked(service, await waiting(service, 1, 2), service.clock.ms + 1_000)
    before = service.contents()
    page = await service.client.get(PATH)
    post = action(page.text)
    for _ in range(3):  # a scanner follows every address of a mail, and of the page
        for path in (PATH, PATH.upper().replace("/APPROVE", "/approve"), post):
            for method in ("GET", "HEAD"):
                assert (await service.client.request(method, path)).status_code == 200
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            assert (await service.client.request(method, post)).status_code == 405
    assert service.contents() == before
    check_page(page)
    assert page.text.count("<li>") == 2
    done = await service.client.post(post)
    check_page(done)
    assert (done.status_code, "approved" in done.text) == (200, True)
    assert await is_approved(service)
    for method in ("GET", "POST"):
        assert "already" in (await service.client.request(method, post)).text


@pytest.mark.parametrize("is_multipart", [False, True])
async def test_the_button_works_in_both_encodings(service: Service, is_multipart: bool) -> None:
    await asked(service, await waiting(service, 1))
    post = action((await service.client.get(PATH)).text)
    if is_multipart:
        done = await service.client.post(post, files={"any": b"thing"})
    else:
        done = await service.client.post(post, data={"any": "thing"})
    assert done.status_code == 200
    assert await is_approved(service)


async def test_only_what_the_page_showed_is_approved(service: Service) -> None:
    await asked(service, await waiting(service, 1, 2))
    post = action((await service.client.get(PATH)).text)
    await service.store.ask_approval(
        DigestDraft("weekly", "ready-1", await waiting(service, 3), 1), None, service.clock.ms
    )
    for path in (post, PATH, f"{PATH}?shown=%00"):
        again = await service.client.post(path)
        check_page(again)
        assert (again.status_code, again.text.count("<li>")) == (409, 3)
        assert "nothing was approved" in again.text
    assert not await is_approved(service)
    await service.client.post(action(again.text))
    assert await is_approved(service)


@pytest.mark.parametrize("is_link", [False, True])
async def test_an_article_that_the_blog_changed_since_is_shown_again(service: Service, is_link: bool) -> None:
    [id] = await waiting(service, 1)
    await asked(service, (id,))
    post = action((await service.client.get(PATH)).text)
    new = "https://other.example/x" if is_link else "Buy these"
    changed = replace(article(1), link=new) if is_link else replace(article(1), title=new)
    again = (SeenAgain(id, changed),)
    await service.store.record_fetch(FetchRecord(Feed("weekly", FEED), service.clock.ms, again=again))
    page = await service.client.post(post)
    assert page.status_code == 409
    assert new in unescape(page.text)
    assert not await is_approved(service)
    await service.client.post(action(page.text))
    assert await is_approved(service)


async def test_an_article_without_a_title_is_shown_by_its_link(service: Service) -> None:
    await asked(service, await waiting_with(service, [replace(article(1), title="")]))
    page = unescape((await service.client.get(PATH)).text)
    assert f">{article(1).link}</a>" in page


async def test_a_link_ends_with_its_time(service: Service) -> None:
    await asked(service, await waiting(service, 1), service.clock.ms)
    post = action((await service.client.get(PATH)).text)
    service.clock.ms += 1
    for method, path in (("GET", PATH), ("POST", post)):
        over = await service.client.request(method, path)
        assert (over.status_code, "expired" in over.text) == (410, True)
    assert not await is_approved(service)


async def test_an_issue_whose_articles_were_sent_meanwhile_is_not_offered(service: Service) -> None:
    await asked(service, await waiting(service, 1, 2))
    await service.sent_issue([])
    page = await service.client.get(PATH)
    check_page(page)
    assert (page.status_code, "<form" in page.text) == (409, False)


async def test_who_guesses_secrets_is_slowed(service: Service) -> None:
    await asked(service, await waiting(service, 1))
    for path in (
        "/approve/",
        "/approve/a",
        f"/approve/{SECRET}a",
        "/approve/" + "b2" * 16,
        "/approve/%C3%A9",
    ):
        assert (await service.client.get(path)).status_code == 404, path
    caller = {"X-Forwarded-For": "192.0.2.7"}
    for _ in range(BAD_TOKENS_MAX):
        assert (await service.client.post("/approve/aaaa", headers=caller)).status_code == 404
    assert (await service.client.post("/approve/aaaa", headers=caller)).status_code == 429
    assert (await service.client.get(PATH, headers=caller)).status_code == 200

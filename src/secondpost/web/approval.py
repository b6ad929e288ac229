"""The page on which the owner approves an issue, opened by the link in a mail.

GET and HEAD change nothing, since many programs follow every link of a mail; only POST approves,
and only what the page showed: the hash of the articles with their titles and links is in the address
that the button posts to, so that the body need not be read.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from secondpost.compose.templating import TemplateValue
from secondpost.config.records import Newsletter
from secondpost.mail.approval_link import hash_of
from secondpost.mail.article_states import ArticleState
from secondpost.mail.moment import zoned_text
from secondpost.owner.figures import counted
from secondpost.store.approval_ports import Approval, ApprovalOutcome
from secondpost.store.newsletter_ports import LedgerEntry
from secondpost.store.newsletter_store_ports import PagesStore
from secondpost.web.callers import Rate
from secondpost.web.site import Website, zone_of
from secondpost.world.ports import Clock

SHOWN = "shown"  # parameter of the address that the button posts to
SHOWN_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class ApprovalPages:
    site: Website
    store: PagesStore
    clock: Clock
    bad_token_rate: Rate

    async def approve(self, request: Request) -> Response:
        found = await self._approval(request)
        newsletter, now_ms = self.site.named(found.newsletter), self.clock.now_ms()
        if newsletter is None:
            return await self._over(None)
        if found.approved_ms is not None:
            return await self._approved_before(found, found.approved_ms, newsletter)
        if await self.store.is_approval_over(found.id, now_ms):
            return await self._over(newsletter)
        if request.method != "POST":
            return await self._ask(request, found, newsletter, has_changed=False)
        if request.query_params.get(SHOWN, "") != shown_text(await self._waiting(found)):
            return await self._ask(request, found, newsletter, has_changed=True)
        match await self.store.approve(found.id, found.articles, now_ms):
            case ApprovalOutcome.APPROVED:
                return await self.site.message_page(
                    "The issue is approved",
                    "It is prepared in the next minutes, if nothing else keeps it back.",
                    f"To stop it while it can be undone: secondpost issue next {newsletter.name} says how.",
                    newsletter=newsletter,
                )
            case ApprovalOutcome.ALREADY:
                return await self._approved_before(found, now_ms, newsletter)
            case ApprovalOutcome.OVER:
                return await self._over(newsletter)
            case ApprovalOutcome.CHANGED:
                return await self._ask(request, await self._approval(request), newsletter, has_changed=True)

    async def _approval(self, request: Request) -> Approval:
        secret = hash_of(str(request.path_params["secret"]))
        found = None if secret is None else await self.store.approval_of_secret(secret)
        if found is None:
            raise HTTPException(404 if self.bad_token_rate.allows(self.site.caller(request)) else 429)
        return found

    async def _waiting(self, found: Approval) -> list[LedgerEntry]:
        """Those of its articles that wait."""
        entries = [await self.store.entry(id) for id in found.articles]
        return [entry for entry in entries if entry is not None and entry.state is ArticleState.WAITING]

    async def _ask(
        self, request: Request, found: Approval, newsletter: Newsletter, *, has_changed: bool
    ) -> Response:
        waiting = await self._waiting(found)
        if len(waiting) < len(found.articles):
            return await self.site.message_page(
                "The issue is being changed",
                "Some of its articles were sent, skipped or taken back just now.",
                "Please open the link again in a minute.",
                newsletter=newsletter,
                status=409,
            )
        articles: list[TemplateValue] = [
            {"title": entry.article.title or entry.article.link, "link": entry.article.link}
            for entry in waiting
        ]
        zone = zone_of(newsletter)
        return self.site.page(
            "approve.html",
            {
                "language": newsletter.language,
                "title": await self.site.title(newsletter),
                "path": f"{request.url.path}?{SHOWN}={shown_text(waiting)}",
                "readers": counted(await self.store.active_readers(newsletter.name), "reader", "readers"),
                "until": None if found.last_ms is None else zoned_text(found.last_ms, zone),
                "has_changed": has_changed,
                "articles": articles,
            },
            409 if has_changed else 200,
        )

    async def _approved_before(self, found: Approval, at_ms: int, newsletter: Newsletter) -> Response:
        return await self.site.message_page(
            "This issue has been approved already",
            f"It was approved at {zoned_text(at_ms, zone_of(newsletter))}. There is nothing left to do.",
            newsletter=newsletter,
        )

    async def _over(self, newsletter: Newsletter | None) -> Response:
        return await self.site.message_page(
            "This link has expired",
            "The issue was sent or stopped by other means, or the time to approve it is over.",
            newsletter=newsletter,
            status=410,
        )


def shown_text(articles: Sequence[LedgerEntry]) -> str:
    """A hash of the articles, their order, and what the page shows of each."""
    lines = [f"{each.id} {each.article.link} {each.article.title}" for each in articles]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:SHOWN_CHARACTERS]

"""What all public pages share: newsletters and titles, the client's address, and rendering."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from secondpost.compose.masthead import title_of
from secondpost.compose.templating import Templates, TemplateValue
from secondpost.config.records import Newsletter, Web
from secondpost.mail.subscriber import Subscriber
from secondpost.store.newsletter_store_ports import PagesLookup
from secondpost.web.callers import caller_of


@dataclass(frozen=True, slots=True)
class Website:
    newsletters: Sequence[Newsletter]
    web: Web
    trusted: Sequence[IPv4Network | IPv6Network]  # proxies in front
    store: PagesLookup
    templates: Templates

    def named(self, name: str) -> Newsletter | None:
        return next((one for one in self.newsletters if one.name == name), None)

    async def now_named(self, former: str) -> Newsletter | None:
        """The newsletter that formerly had this name."""
        now = await self.store.now_named(former)
        return None if now is None else self.named(now)

    def newsletter_of(self, subscriber: Subscriber) -> Newsletter | None:
        """None if the newsletter is no longer configured; its readers can leave all the same."""
        return self.named(subscriber.newsletter)

    async def title(self, newsletter: Newsletter) -> str:
        """Its title, else that of its first feed."""
        feed_title = ""
        if newsletter.title is None:
            feed_title = (await self.store.feed(newsletter.name, newsletter.feeds[0])).title
        return title_of(newsletter, feed_title)

    async def title_of(self, subscriber: Subscriber) -> str:
        newsletter = self.newsletter_of(subscriber)
        return subscriber.newsletter if newsletter is None else await self.title(newsletter)

    def caller(self, request: Request) -> str:
        return caller_of(request, self.trusted)

    def url(self, path: str) -> str:
        return f"{self.web.url or ''}{path}"

    def page(
        self,
        template: str,
        values: Mapping[str, TemplateValue],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        return HTMLResponse(self.templates.render(template, values), status, headers)

    async def message_page(
        self, heading: str, *paragraphs: str, newsletter: Newsletter | None = None, status: int = 200
    ) -> Response:
        """A page with a short message and a link to the newsletter."""
        link: TemplateValue = None
        if newsletter is not None:
            link = {"path": f"/{newsletter.name}/", "words": await self.title(newsletter)}
        return self.page(
            "message.html",
            {
                "language": language_of(newsletter),
                "heading": heading,
                "paragraphs": list(paragraphs),
                "link": link,
            },
            status,
        )


def zone_of(newsletter: Newsletter | None) -> ZoneInfo:
    return ZoneInfo("UTC" if newsletter is None else newsletter.timezone)


def language_of(newsletter: Newsletter | None) -> str:
    return "en" if newsletter is None else newsletter.language

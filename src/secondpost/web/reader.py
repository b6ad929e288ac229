"""Pages that a token opens: confirming, leaving, and what we keep about a reader.

GET and HEAD change nothing, since many programs follow every link of a mail; only POST does. The
token in the link is all that a reader needs: no cookie, script or login.
"""

from dataclasses import asdict, dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from secondpost.compose.templating import TemplateValue
from secondpost.mail.delivery import State
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.moment import utc_text
from secondpost.mail.subscriber import NO_SUBSCRIBER, SubscriberId, SubscriberState
from secondpost.owner.reader_documents import reader_document
from secondpost.protocols.tokens import KeyRing, Purpose, Token
from secondpost.subscribers.reader_desk import AboutReader, ReadersDesk
from secondpost.subscribers.signup import Confirmed, SignUps
from secondpost.web.callers import Rate
from secondpost.web.form import read_form
from secondpost.web.site import Website, language_of, zone_of

BAD_TOKENS_MAX, BAD_TOKENS_SPAN_MS = 60, HOUR_MS  # per network
MAILS_SHOWN_MAX = 50

STATE_WORDS = {
    SubscriberState.PENDING: "not confirmed yet",
    SubscriberState.ACTIVE: "subscribed",
    SubscriberState.LEFT: "unsubscribed",
    SubscriberState.SUSPENDED: "paused, because our mail to you came back",
    SubscriberState.COMPLAINED: "stopped, because you marked our mail as spam",
}
EVENT_WORDS = {
    "added": "You were added to the list.",
    "imported": "You were added with a list from another service.",
    "signed-up": "Your address was entered to subscribe.",
    "confirmed": "You confirmed your subscription.",
    "left": "You were unsubscribed.",
    "suspended": "We paused your subscription, because our mail to you came back.",
    "complained": "You marked our mail as spam.",
    "bounced": "An email to you came back.",
}
MAIL_WORDS = {
    State.FROZEN: "planned",
    State.WAITING: "waiting to be sent",
    State.CLAIMED: "being sent",
    State.COMMITTING: "being sent",
    State.DELIVERED: "delivered",
    State.UNKNOWN: "sent, but your mail server did not confirm it",
    State.FAILED: "could not be delivered",
    State.EXPIRED: "could not be delivered",
    State.HELD: "on hold",
    State.KEPT: "on hold",
    State.SUPPRESSED: "not sent, because you were no longer subscribed",
    State.STOPPED: "not sent, because the issue was stopped",
    State.DROPPED: "not sent",
}
_LINK_EXPIRED = (
    "This link has expired",
    "Subscriptions that are not confirmed within a few days are deleted.",
    "If you still want the newsletter, please subscribe again.",
)
_UNSUBSCRIBED = "You are unsubscribed"


@dataclass(frozen=True, slots=True)
class ReaderPages:
    site: Website
    links: KeyRing
    sign_ups: SignUps
    readers: ReadersDesk
    bad_token_rate: Rate

    async def confirm(self, request: Request) -> Response:
        token = self._token(request, Purpose.CONFIRM)
        subscriber = await self.site.store.subscriber(SubscriberId(token.subscriber))
        if subscriber is None:
            return await self.site.message_page(*_LINK_EXPIRED, status=410)
        newsletter, title = self.site.newsletter_of(subscriber), await self.site.title_of(subscriber)
        words = f"Yes, send me {title}"
        if request.method == "POST":
            outcome = await self.sign_ups.confirm(
                subscriber.id, self.site.url("/confirm/"), words, self.site.caller(request)
            )
            if outcome is Confirmed.GONE:
                return await self.site.message_page(*_LINK_EXPIRED, status=410)
            return await self.site.message_page(
                "Welcome!",
                f"You are now subscribed to {title}. The next issue will come by email.",
                "Every issue has a link to unsubscribe.",
                newsletter=newsletter,
            )
        if subscriber.state is SubscriberState.ACTIVE:
            return await self.site.message_page(
                "You are already subscribed", f"You get {title} by email.", newsletter=newsletter
            )
        return self.site.page(
            "asked.html",
            {
                "language": language_of(newsletter),
                "heading": title,
                "question": "Do you want to get this newsletter by email?",
                "path": request.url.path,
                "answer": words,
                "otherwise": "If you did not ask for it, just close this page. You will not be subscribed.",
            },
        )

    async def leave(self, request: Request) -> Response:
        """Leave by the page or by one click (RFC 8058).

        A mail program's POST needs no cookie and gets no redirect; its body adds nothing to the URL
        and is not read.
        """
        token = self._token(request, Purpose.LEAVE)
        subscriber = await self.site.store.subscriber(SubscriberId(token.subscriber))
        if token.subscriber == NO_SUBSCRIBER:
            return await self._link_of_a_copy()
        if subscriber is None:
            if request.method == "POST":
                await self._is_gone(token)
            return await self.site.message_page(_UNSUBSCRIBED, "You will get no more email from us.")
        newsletter, title = self.site.newsletter_of(subscriber), await self.site.title_of(subscriber)
        if request.method == "POST":
            await self.readers.leave(subscriber.id, "page or one click")
            return await self.site.message_page(
                _UNSUBSCRIBED,
                f"You will get no more issues of {title}.",
                "An issue that is already on its way may still arrive.",
                newsletter=newsletter,
            )
        if subscriber.state in (SubscriberState.LEFT, SubscriberState.COMPLAINED):
            return await self.site.message_page(
                _UNSUBSCRIBED, f"You get no issues of {title}.", newsletter=newsletter
            )
        return self.site.page(
            "asked.html",
            {
                "language": language_of(newsletter),
                "heading": f"Unsubscribe from {title}?",
                "question": "You will get no more issues by email.",
                "path": request.url.path,
                "answer": "Unsubscribe",
                "otherwise": "If you want to stay subscribed, just close this page.",
            },
        )

    async def me(self, request: Request) -> Response:
        token = self._token(request, Purpose.ME)
        about = await self.readers.about(SubscriberId(token.subscriber))
        if token.subscriber == NO_SUBSCRIBER:
            return await self._link_of_a_copy()
        if about is None:
            if request.method == "POST":
                await self._is_gone(token)
            return await self.site.message_page(
                "We store nothing about you", "This link does not belong to a subscription.", status=410
            )
        if request.method == "POST":
            return await self._decided(request, about)
        if request.query_params.get("as") == "json":
            document = await reader_document(self.site.store, about)
            name = {"Content-Disposition": 'attachment; filename="about-me.json"'}
            return JSONResponse(asdict(document), headers=name)
        return await self._about(request, about)

    async def _is_gone(self, token: Token) -> None:
        """Wait until the reader's deletion is durable: this group's sync covers the transaction
        that deleted it.
        """
        await self.readers.leave(SubscriberId(token.subscriber), "page or one click")

    async def _decided(self, request: Request, about: AboutReader) -> Response:
        form = await read_form(request)
        subscriber = about.subscriber
        newsletter, title = self.site.newsletter_of(subscriber), await self.site.title_of(subscriber)
        match form.value("do"):
            case "leave":
                await self.readers.leave(subscriber.id, "page")
                return await self.site.message_page(
                    _UNSUBSCRIBED, f"You will get no more issues of {title}.", newsletter=newsletter
                )
            case "erase":
                await self.readers.erase(subscriber.id)
                return await self.site.message_page(
                    "Your data has been deleted", "You will get no more email from us."
                )
            case _:
                raise HTTPException(400)

    async def _about(self, request: Request, about: AboutReader) -> Response:
        one = about.subscriber
        agreed: TemplateValue = None
        if one.consent is not None:
            agreed = {
                "at": utc_text(one.consent.at_ms),
                "where": one.consent.where,
                "text": one.consent.text,
                "network": one.consent.address_prefix,
            }
        mails: list[TemplateValue] = [
            {
                "at": None if mail.last_ms is None else utc_text(mail.last_ms),
                "kind": "Request to confirm" if mail.issue is None else "Issue",
                "state": MAIL_WORDS[mail.state],
            }
            for mail in about.deliveries[:MAILS_SHOWN_MAX]
        ]
        events: list[TemplateValue] = [
            {"at": utc_text(event.at_ms), "what": EVENT_WORDS.get(event.what, event.what)}
            for event in about.events
        ]
        attributes: list[TemplateValue] = [{"name": name, "value": value} for name, value in one.attributes]
        return self.site.page(
            "me.html",
            {
                "language": language_of(self.site.newsletter_of(one)),
                "zone": zone_of(self.site.newsletter_of(one)).key,
                "path": request.url.path,
                "home": f"/{one.newsletter}/",
                "title": await self.site.title_of(one),
                "address": str(one.mailbox),
                "state": STATE_WORDS[one.state],
                "since": utc_text(one.since_ms),
                "agreed": agreed,
                "attributes": attributes,
                "can_leave": one.state not in (SubscriberState.LEFT, SubscriberState.COMPLAINED),
                "events": events,
                "mails": mails,
            },
        )

    async def _link_of_a_copy(self) -> Response:
        """A test copy's token belongs to no subscriber; every action is a no-op."""
        return await self.site.message_page(
            "This link is from a test copy",
            "It belongs to no reader and changes nothing. In a real issue, it opens the reader's own page.",
        )

    def _token(self, request: Request, purpose: Purpose) -> Token:
        token = self.links.read(str(request.path_params["token"]), purpose)
        if token is None:
            raise HTTPException(404 if self.bad_token_rate.allows(self.site.caller(request)) else 429)
        return token

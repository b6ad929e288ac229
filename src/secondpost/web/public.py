"""The public pages: sign-up, archive, issues and their feed.

GET and HEAD change nothing; only posting the form does.
"""

from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from secondpost.compose.issues_feed import ListedIssue, issues_feed
from secondpost.compose.masthead import home_of
from secondpost.compose.templating import Templates, TemplateValue
from secondpost.config.records import Newsletter
from secondpost.mail.duration import MINUTE_MS
from secondpost.mail.issue import Issue, IssueState
from secondpost.mail.issue_content import IssueContent
from secondpost.mail.moment import day_text, utc_text
from secondpost.store.subscriber_ports import SignedUp
from secondpost.subscribers.signup import SignUps
from secondpost.subscribers.typed import NotAReader, typed_mailbox
from secondpost.web.archive import html_of
from secondpost.web.callers import Rate
from secondpost.web.form import read_form
from secondpost.web.origin import is_from_elsewhere
from secondpost.web.site import Website, zone_of

ISSUES_PER_PAGE = 50
ISSUE_NUMBER_DIGITS_MAX = 9
SIGN_UPS_MAX, SIGN_UPS_SPAN_MS = 20, 10 * MINUTE_MS  # per network
# Field that only bots fill in. Its name must mean nothing to browsers and password managers: they
# fill in `website` or `company`, and those people would then get no mail.
TRAP = "blank"

NO_ADDRESS = "We cannot send email to this address. Please check it for typing mistakes."

# Issues contain the styles of the mail, and load images from where they are.
ISSUE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Moved(Exception):
    """The newsletter has another name now. The text is the path of its page."""


@dataclass(frozen=True, slots=True)
class PublicPages:
    site: Website
    sign_ups: SignUps
    feeds: Templates
    sign_up_rate: Rate
    refusal_rate: Rate  # limits how many refused sign-ups are recorded

    async def front(self, request: Request) -> Response:
        """Redirect to the only newsletter, or offer a choice."""
        if len(self.site.newsletters) == 1:
            return RedirectResponse(f"/{self.site.newsletters[0].name}/", 302)
        named: list[TemplateValue] = [
            {"path": f"/{one.name}/", "title": await self.site.title(one)} for one in self.site.newsletters
        ]
        return self.site.page("choice.html", {"language": "en", "newsletters": named})

    async def bare(self, request: Request) -> Response:
        """Redirect a newsletter's name without a final slash."""
        return RedirectResponse(f"/{(await self._newsletter(request)).name}/", 308)

    async def home(self, request: Request) -> Response:
        newsletter = await self._newsletter(request)
        if request.method == "POST":
            return await self._sign_up(request, newsletter)
        return await self._home(newsletter, before=_number_in(request.query_params.get("before", "")))

    async def issue(self, request: Request) -> Response:
        newsletter = await self._newsletter(request)
        number = _number_in(str(request.path_params["number"]))
        issue = None if number is None else await self.site.store.issue_by_number(newsletter.name, number)
        if issue is None or not await self._was_sent(issue):
            raise HTTPException(404)
        content = IssueContent.decode(await self.site.store.issue_content(issue.id))
        home = home_of(newsletter, self.site.web) or f"/{newsletter.name}/"
        return HTMLResponse(
            html_of(content, home, f"{home}{issue.number}"),
            headers={"Content-Security-Policy": ISSUE_POLICY},
        )

    async def feed(self, request: Request) -> Response:
        newsletter = await self._newsletter(request)
        name, address = parseaddr(newsletter.sender)
        text = issues_feed(
            self.feeds,
            name=newsletter.name,
            title=await self.site.title(newsletter),
            author=name if len(name) > 0 else address,
            language=newsletter.language,
            home=home_of(newsletter, self.site.web) or f"/{newsletter.name}/",
            issues=[
                ListedIssue(issue, utc_text(_sent_ms(issue)))
                for issue in await self.site.store.issues(newsletter.name, None, ISSUES_PER_PAGE)
                if await self._was_sent(issue)
            ],
        )
        return Response(text, media_type="application/atom+xml")

    async def health(self, request: Request) -> Response:
        """Show that the role runs and can read its store."""
        await self.site.store.issues_under_way()
        return PlainTextResponse("ok\n")

    async def _sign_up(self, request: Request, newsletter: Newsletter) -> Response:
        caller = self.site.caller(request)
        if not self.sign_up_rate.allows(caller):
            if self.refusal_rate.allows(caller):
                await self._note_refusal(request, newsletter)
            raise HTTPException(429)
        form = await read_form(request)
        typed = form.value("email")
        try:
            mailbox = typed_mailbox(typed)
        except ValueError:
            return await self._home(newsletter, fault=NO_ADDRESS, address=typed)
        if is_from_elsewhere(request, self.site.web.url):
            return await self._home(newsletter, address=str(mailbox))
        # People do not see this field: a bot filled it in.
        if len(form.value(TRAP)) > 0:
            await self.sign_ups.note(newsletter.name, mailbox, SignedUp.TRAPPED)
        else:
            words, where = await self._words(newsletter), self.site.url(f"/{newsletter.name}/")
            try:
                await self.sign_ups.ask(newsletter.name, mailbox, where, words, caller)
            except NotAReader:
                return await self._home(newsletter, fault=NO_ADDRESS, address=typed)
        return await self.site.message_page(
            "Check your inbox",
            "If this address is not subscribed yet, you will get an email with a link to confirm. "
            "Until you do, we will send you nothing else.",
            "No email after a few minutes? Look in your spam folder, and check that the address was right.",
            newsletter=newsletter,
        )

    async def _note_refusal(self, request: Request, newsletter: Newsletter) -> None:
        form = await read_form(request)
        with suppress(ValueError):
            mailbox = typed_mailbox(form.value("email"))
            await self.sign_ups.note(newsletter.name, mailbox, SignedUp.REFUSED)

    async def _home(
        self, newsletter: Newsletter, before: int | None = None, fault: str = "", address: str = ""
    ) -> Response:
        """The newsletter's page; `address` fills its form, to be corrected, or to be confirmed by
        the reader's own click after a post from another site.
        """
        listed = await self.site.store.issues(newsletter.name, before, ISSUES_PER_PAGE)
        path = f"/{newsletter.name}/"
        issues: list[TemplateValue] = [
            {
                "number": issue.number,
                "path": f"{path}{issue.number}",
                "subject": issue.subject,
                "day": day_text(_sent_ms(issue), zone_of(newsletter)),
            }
            for issue in listed
            if await self._was_sent(issue)
        ]
        return self.site.page(
            "home.html",
            {
                "language": newsletter.language,
                "title": await self.site.title(newsletter),
                "path": path,
                "feed": f"{path}feed.xml",
                "words": await self._words(newsletter),
                "fault": fault,
                "address": address,
                "trap": TRAP,
                "issues": issues,
                "older": (f"{path}?before={listed[-1].number}" if len(listed) == ISSUES_PER_PAGE else None),
            },
            200 if len(fault) == 0 else 422,
            # Without it browsers would not say that the form was ours; this URL holds no secret.
            {"Referrer-Policy": "same-origin"},
        )

    async def _newsletter(self, request: Request) -> Newsletter:
        """The newsletter in the path. Raises Moved for a former name, and HTTPException."""
        name = str(request.path_params["name"])
        found = self.site.named(name)
        if found is not None:
            return found
        now = await self.site.now_named(name)
        if now is None:
            raise HTTPException(404)
        query = f"?{request.url.query}" if len(request.url.query) > 0 else ""
        raise Moved(f"/{now.name}{request.url.path.removeprefix(f'/{name}')}{query}")

    async def _words(self, newsletter: Newsletter) -> str:
        """The consent text of the form, kept with the consent."""
        return f"You will get {await self.site.title(newsletter)} by email, and can unsubscribe at any time."

    async def _was_sent(self, issue: Issue) -> bool:
        """Whether mails of the issue were sent; until then it can be taken back, and is not shown."""
        if issue.state is IssueState.STOPPED:
            return issue.planned > 0 and (await self.site.store.reckoning(issue.id)).delivered > 0
        return issue.state in (IssueState.SENDING, IssueState.DONE)


def _number_in(text: str) -> int | None:
    plain = text.isascii() and text.isdigit() and len(text) <= ISSUE_NUMBER_DIGITS_MAX
    return int(text) if plain else None


def _sent_ms(issue: Issue) -> int:
    """When its first mail could be sent."""
    return issue.created_ms if issue.start_ms is None else issue.start_ms

"""The HTML of readers' mails as files: made as by the service, with filled holes."""

from dataclasses import replace
from pathlib import Path

from secondpost.compose.confirmation import ConfirmationComposer
from secondpost.compose.issue import IssueComposer
from secondpost.compose.masthead import content_of, masthead_of
from secondpost.config.records import Newsletter, Web
from secondpost.mail.article import Article
from secondpost.mail.issue_content import ReaderMailKind
from secondpost.newsletter.render import ARTICLES_MAX
from tests.compose.articles import DATED_S, article
from tests.compose.test_mail import SEED, mail_of, part_of
from tests.look.hard_article import LONG_TITLE, hard_article
from tests.web.service import NEWSLETTER

WEB, NO_WEB = Web(url="https://mx2.example.net"), Web(url=None)
FOREWORD = "Dear readers,\n\nit was a wet week.\n\nhttps://blog.example/" + "very-long/" * 30
LETTER = (
    "\n\n# An apology\n\nThe last issue was *empty*. [What happened](https://blog.example/why)\n\n"
    f"* a list of two things\n* `and code that is long: {'x' * 90}`\n\n> and a word of a reader\n"
)
MAILS = (
    "issue", "issue-of-excerpts", "issue-of-many", "issue-without-images", "issue-with-a-foreword",
    "issue-without-pages", "issue-in-norwegian", "issue-in-arabic", "letter", "confirmation",
    "confirmation-without-pages",
)  # fmt: skip


def written(folder: Path) -> dict[str, str]:
    """The URLs of the files, by the names of MAILS."""
    few = [hard_article(1), article(2), article(3, "", summary="A summary alone.")]
    excerpts = [article(n, f"<p>{f'Sentence {n} of a long story. ' * 900}</p>") for n in range(1, 5)]
    many = [article(n, f"<p>{'A short text. ' * 40}</p>") for n in range(1, ARTICLES_MAX + 1)]
    long = replace(NEWSLETTER, title=f"A title that is long: {LONG_TITLE}")
    made = {
        "issue": _issue(NEWSLETTER, few),
        "issue-of-excerpts": _issue(NEWSLETTER, excerpts),
        "issue-of-many": _issue(NEWSLETTER, many),
        "issue-without-images": _issue(replace(NEWSLETTER, images=False), few),
        "issue-with-a-foreword": _issue(long, few, foreword=FOREWORD),
        "issue-without-pages": _issue(NEWSLETTER, few, NO_WEB),
        "issue-in-norwegian": _issue(replace(NEWSLETTER, language="nb"), few),
        "issue-in-arabic": _issue(replace(NEWSLETTER, language="ar"), few),
        "letter": _letter(NEWSLETTER),
        "confirmation": _confirmation(WEB),
        "confirmation-without-pages": _confirmation(NO_WEB),
    }
    addresses = {}
    for name in MAILS:
        path = folder / f"{name}.html"
        path.write_text(made[name], encoding="utf-8")
        addresses[name] = path.as_uri()
    return addresses


def _issue(newsletter: Newsletter, articles: list[Article], web: Web = WEB, foreword: str = "") -> str:
    masthead = masthead_of(newsletter, web, "The Blog")
    composed = IssueComposer().compose(masthead, 12, DATED_S, articles, foreword)
    content = content_of(ReaderMailKind.ISSUE, newsletter, masthead, composed, DATED_S * 1000, SEED)
    return part_of(mail_of(content, web), "html")


def _letter(newsletter: Newsletter) -> str:
    masthead = masthead_of(newsletter, WEB, "The Blog")
    composed = IssueComposer().compose_letter(masthead, 13, DATED_S, "We are sorry", FOREWORD + LETTER)
    content = content_of(ReaderMailKind.ISSUE, newsletter, masthead, composed, DATED_S * 1000, SEED)
    return part_of(mail_of(content, WEB), "html")


def _confirmation(web: Web) -> str:
    content = ConfirmationComposer().content(NEWSLETTER, web, "The Blog", DATED_S * 1000, SEED)
    return part_of(mail_of(content, web), "html")

"""Words the mail that asks the owner to approve an issue."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from secondpost.compose.own_mail import OwnHeading, paragraph
from secondpost.mail.article import Article
from secondpost.mail.moment import zoned_text


@dataclass(frozen=True, slots=True)
class IssueToApprove:
    newsletter: str
    readers: int
    articles: Sequence[Article]  # in the order of the issue
    last_ms: int | None  # until when it may be approved
    url: str | None  # of the page that approves it; None without web pages


def approval_subject(heading: OwnHeading, issue: IssueToApprove) -> str:
    return f"{heading.name}: the next issue of {issue.newsletter} waits for you"


def approval_text(issue: IssueToApprove, zone: ZoneInfo) -> str:
    many = "1 article" if len(issue.articles) == 1 else f"{len(issue.articles)} articles"
    readers = "1 reader" if issue.readers == 1 else f"{issue.readers:,} readers"
    until = "" if issue.last_ms is None else f" until {zoned_text(issue.last_ms, zone)}"
    parts = [
        paragraph(f"The next issue of {issue.newsletter} has {many} for {readers}. It waits for you{until}."),
        *(
            f"{paragraph(f'{place}. {article.title}', '  ')}\n  {article.link}"
            for place, article in enumerate(issue.articles, 1)
        ),
    ]
    if issue.url is not None:
        parts.append("To look at it and approve it:")
        parts.append(issue.url)
        parts.append(
            paragraph(
                "Nothing is sent before you press the button on that page. The link is for you alone: "
                "do not pass this mail on."
            )
        )
    parts.append(paragraph(f"Or on the server: `secondpost issue approve {issue.newsletter}`."))
    return "\n\n".join(parts)

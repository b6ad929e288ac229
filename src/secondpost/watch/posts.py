"""What is posted to the webhook: an alarm as JSON (docs/log.md), one post for each.

`text` is a whole sentence or two, which chat services show as it is: Slack, Mattermost and Matrix
bridges read `text`, Gotify `title` and `message`, ntfy a template.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from secondpost.compose.alarm_mail import alarm_paragraphs, alarm_title, remedy
from secondpost.mail.address import Domain
from secondpost.mail.moment import utc_text
from secondpost.mail.owner_notice import Notice, OwnerPost

POSTS_MAX = 20  # of one notice; one more says how many are left out
UTC = ZoneInfo("UTC")


class PostDocument(msgspec.Struct, frozen=True):
    """The body of a post. Times are RFC 3339 in UTC; `ended` is null while the alarm stands."""

    id: str  # the same when a post is repeated
    hostname: str
    news: str  # began, worse, lasts, ended or test
    kind: str
    subject: str
    severity: str
    detail: str
    since: str | None
    ended: str | None
    what_to_do: str
    title: str
    text: str
    message: str  # as text


def posts_of(notices: Sequence[Notice], hostname: Domain, at_ms: int) -> tuple[OwnerPost, ...]:
    documents = [
        _document(notice, hostname, at_ms, place) for place, notice in enumerate(notices[:POSTS_MAX])
    ]
    left_out = len(notices) - len(documents)
    if left_out > 0:
        said = f"{left_out} more alarms: `secondpost alarms list` shows them."
        documents.append(plain_document("began", said, hostname, at_ms, len(documents)))
    return tuple(
        OwnerPost(at_ms, place, msgspec.json.encode(document).decode(), at_ms)
        for place, document in enumerate(documents)
    )


def plain_document(news: str, said: str, hostname: Domain, at_ms: int, place: int = 0) -> PostDocument:
    """A post that is about no single alarm."""
    return PostDocument(
        id=f"{at_ms}-{place}",
        hostname=hostname.name,
        news=news,
        kind="",
        subject="",
        severity="",
        detail="",
        since=None,
        ended=None,
        what_to_do="",
        title=f"Secondpost {hostname}",
        text=said,
        message=said,
    )


def _document(notice: Notice, hostname: Domain, at_ms: int, place: int) -> PostDocument:
    alarm = notice.alarm
    text = alarm_paragraphs(alarm, notice.news, UTC)
    return PostDocument(
        id=f"{at_ms}-{place}",
        hostname=hostname.name,
        news=notice.news.value,
        kind=alarm.kind.word,
        subject=alarm.subject,
        severity=alarm.severity.value,
        detail=alarm.detail if len(alarm.how) == 0 else alarm.how,
        since=utc_text(alarm.since_ms),
        ended=None if alarm.ended_ms is None else utc_text(alarm.ended_ms),
        what_to_do=remedy(alarm.kind),
        title=f"Secondpost {hostname}: {alarm_title(alarm)}",
        text=f"Secondpost {hostname}: {text}",
        message=text,
    )

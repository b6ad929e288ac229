"""The JSON document of `issue status`, by the rules of documents.py."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.issue import Issue, Reckoning
from secondpost.owner.figures import utc_time
from secondpost.owner.issue_progress import ProviderProgress
from secondpost.owner.newsletter_documents import ReckoningDocument, reckoning_document
from secondpost.owner.provider_documents import ProviderPauseDocument, provider_pause_document


@dataclass(frozen=True, slots=True)
class AnswerDocument:
    """What a server said last."""

    at: str
    host: str
    reply: str


@dataclass(frozen=True, slots=True)
class IssueProviderDocument:
    """An issue's mails to one provider."""

    provider: str
    name: str
    accepted: int
    waiting: int
    deferred: int
    bounced: int
    expired: int
    unknown: int
    unsent: int
    accepted_5_minutes: int
    accepted_hour: int
    last: AnswerDocument | None
    pauses: list[ProviderPauseDocument]


@dataclass(frozen=True, slots=True)
class IssueStatusDocument(ReckoningDocument):
    """The document of `issue status` without a list."""

    providers: list[IssueProviderDocument]


def issue_status_document(
    issue: Issue,
    reckoning: Reckoning,
    bounced: Mapping[BounceKind, int],
    providers: Sequence[ProviderProgress],
) -> IssueStatusDocument:
    return IssueStatusDocument(
        **asdict(reckoning_document(issue, reckoning, bounced)),
        providers=[_provider_document(each) for each in providers],
    )


def _provider_document(each: ProviderProgress) -> IssueProviderDocument:
    last = each.last
    return IssueProviderDocument(
        provider=each.key,
        name=each.name,
        accepted=each.accepted,
        waiting=each.waiting,
        deferred=each.deferred,
        bounced=each.failed,
        expired=each.expired,
        unknown=each.unknown,
        unsent=each.unsent,
        accepted_5_minutes=each.minutes,
        accepted_hour=each.hour,
        last=None if last is None else AnswerDocument(utc_time(last.at_ms), last.host, last.reply),
        pauses=[provider_pause_document(pause) for pause in each.pauses],
    )

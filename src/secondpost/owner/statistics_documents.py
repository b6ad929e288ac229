"""The JSON documents of `stats`, by the rules of documents.py."""

from dataclasses import dataclass

from secondpost.owner.figures import utc_time
from secondpost.owner.statistics import IssueStatistics, MonthStatistics, NewsletterStatistics


@dataclass(frozen=True, slots=True)
class IssueStatisticsDocument:
    """What became of an issue."""

    number: int
    start: str
    kind: str
    state: str
    subject: str
    readers: int
    delivered: int
    deferred: int
    bounced: int
    expired: int
    unknown: int
    stopped: int
    complaints: int
    left: int
    suspended: int
    joined: int


@dataclass(frozen=True, slots=True)
class MonthStatisticsDocument:
    """How the list grew in a month."""

    month: str
    joined: int
    left: int
    suspended: int
    complained: int
    net: int
    readers: int


@dataclass(frozen=True, slots=True)
class StatisticsDocument:
    """The document of `stats`."""

    newsletter: str
    readers: int
    issues: list[IssueStatisticsDocument]
    older: bool
    months: list[MonthStatisticsDocument]


def statistics_document(found: NewsletterStatistics) -> StatisticsDocument:
    return StatisticsDocument(
        newsletter=found.newsletter,
        readers=found.readers,
        issues=[_issue_document(each) for each in found.issues],
        older=found.has_older,
        months=[_month_document(each) for each in found.months],
    )


def _issue_document(each: IssueStatistics) -> IssueStatisticsDocument:
    return IssueStatisticsDocument(
        number=each.issue.number,
        start=utc_time(each.start_ms),
        kind=each.issue.kind.value,
        state=each.issue.state.value,
        subject=each.issue.subject,
        readers=each.issue.planned,
        delivered=each.delivered,
        deferred=each.tally.deferred,
        bounced=each.bounced,
        expired=each.expired,
        unknown=each.unknown,
        stopped=each.stopped,
        complaints=each.after.complaints,
        left=each.after.left,
        suspended=each.tally.suspended,
        joined=each.joined,
    )


def _month_document(each: MonthStatistics) -> MonthStatisticsDocument:
    growth = each.growth
    return MonthStatisticsDocument(
        month=each.month,
        joined=growth.joined,
        left=growth.left,
        suspended=growth.suspended,
        complained=growth.complained,
        net=growth.net,
        readers=each.readers,
    )

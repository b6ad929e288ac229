"""The alarms about newsletters: feeds in doubt, held articles, and issues that wait or cannot be made."""

from collections.abc import Mapping

from secondpost.config.records import Newsletter
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.issue import Issue
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.newsletter.decisions import InDoubt, ToApprove, Unfinished
from secondpost.newsletter.eligible import is_in_doubt
from secondpost.newsletter.outlook import Outlook
from secondpost.newsletter.reading import GONE
from secondpost.store.feed_ports import Feed


class IssueAlarms:
    def __init__(self, alarms: StandingAlarms) -> None:
        self._alarms = alarms
        self._held: dict[str, frozenset[str]] = {}  # by newsletter: the causes in its alarm

    def read(self, newsletter: Newsletter, before: Mapping[str, Feed], now: Mapping[str, Feed]) -> None:
        """Begin the alarm of a feed at its second look in doubt in a row, since a restarted web
        server is no news, or at once if it was removed for good; end it at its first good look.
        """
        for url, feed in now.items():
            if not is_in_doubt(feed):
                self._alarms.end(AlarmKind.FEED_IN_DOUBT, _feed(newsletter, url))
            elif feed.finding == GONE or (
                is_in_doubt(before[url]) and feed.last_fetch_ms != before[url].last_fetch_ms
            ):  # the same time: it was not fetched
                self._doubt(newsletter, url, feed.finding)

    def articles_held(self, newsletter: Newsletter, before: frozenset[str], held: frozenset[str]) -> None:
        """Begin the alarm of articles held for the same cause at two looks in a row. It rings again
        when a further cause comes, and ends when none are held.

        `before`, `held`: causes before and after a look.
        """
        name = newsletter.name
        causes = held & (before | self._held.get(name, frozenset()))
        self._held[name] = causes
        if len(causes) == 0:
            self._alarms.end(AlarmKind.ARTICLES_HELD, name)
            return
        detail = (
            f"one or more articles are held: {'; '.join(sorted(causes))}. "
            f"To see them: secondpost issue next {name}"
        )
        self._alarms.begin(AlarmKind.ARTICLES_HELD, name, detail, step=len(causes))

    def decided(self, newsletter: Newsletter, outlook: Outlook) -> None:
        """Begin and end the alarms that follow from a decision by the calendar."""
        decision, name = outlook.decision, newsletter.name
        if isinstance(decision, InDoubt) and decision.last_ms is not None:
            self._doubt(newsletter, decision.url, decision.finding)  # a slot waits: one look is enough
        if isinstance(decision, ToApprove):
            self._alarms.begin(AlarmKind.ISSUE_WAITS, name, outlook.reason)
        else:
            self._alarms.end(AlarmKind.ISSUE_WAITS, name)
        # An open issue that cannot be made has an alarm of its own.
        is_late = isinstance(decision, Unfinished) and decision.keeps_due
        if is_late and outlook.articles >= outlook.minimum:
            self._alarms.begin(AlarmKind.ISSUE_LATE, name, outlook.reason)
        else:
            self._alarms.end(AlarmKind.ISSUE_LATE, name)

    def not_made(self, newsletter: Newsletter, issue: Issue | None, fault: Exception) -> None:
        which = "" if issue is None else f"issue {issue.number}: "
        self._alarms.begin(AlarmKind.ISSUE_HELD, newsletter.name, f"{which}{fault}")

    def unproven(self, newsletter: Newsletter, outlook: Outlook) -> None:
        """Begin the alarm of an issue that waits for DNS or the link to unsubscribe."""
        self._alarms.begin(AlarmKind.ISSUE_HELD, newsletter.name, outlook.reason)

    def made(self, newsletter: Newsletter) -> None:
        """End the alarm of an issue that could not be made: it was, or the owner stopped it."""
        self._alarms.end(AlarmKind.ISSUE_HELD, newsletter.name)

    def _doubt(self, newsletter: Newsletter, url: str, finding: str) -> None:
        self._alarms.begin(AlarmKind.FEED_IN_DOUBT, _feed(newsletter, url), finding)


def _feed(newsletter: Newsletter, url: str) -> str:
    return f"{newsletter.name}: {url}"

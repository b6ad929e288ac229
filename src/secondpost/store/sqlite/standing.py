"""How mail to readers stands, for the owner."""

from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import first_queue_id
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.sqlite.base import Base
from secondpost.store.sqlite.issues import ISSUE_QUERIES, reader_delivery
from secondpost.store.sqlite.queries import read_queries
from secondpost.store.standing_ports import MailToReaders
from secondpost.store.verbs.steps import number

_QUERIES = read_queries("standing")
_LAST_DEFERRED = ISSUE_QUERIES["deliveries"].replace(
    "{conditions}",
    """INDEXED BY delivery_tried
       WHERE state = 'waiting' AND issue IS NOT NULL AND first_attempt_ms IS NOT NULL AND attempts > 0
         AND message = (SELECT message FROM issue WHERE id = ?1) ORDER BY last_ms DESC LIMIT 1""",
)
_FAILED_CONFIRMATIONS = ISSUE_QUERIES["deliveries"].replace(
    "{conditions}",
    """INDEXED BY delivery_aside
       WHERE state IN ('held', 'kept', 'failed', 'expired', 'unknown') AND state IN ('failed', 'expired')
         AND message >= ?1 AND issue IS NULL AND subscriber > 0 ORDER BY message DESC LIMIT ?2""",
)


class SqliteStanding(Base):
    def mail_to_readers(self) -> MailToReaders:
        counts = {
            (str(lane), str(state)): number(many)
            for lane, state, many in self._read(_QUERIES["reader_tally_of_mail"])
        }
        deferred = self._read(_QUERIES["deferred_of_issues"])
        [(own_deferred,)] = self._read(_QUERIES["deferred_own"])
        issues, own = Lane.ISSUES.value, Lane.OWN.value
        return MailToReaders(
            issues_waiting=counts.get((issues, "waiting"), 0),
            own_waiting=counts.get((own, "waiting"), 0),
            frozen=counts.get((issues, "frozen"), 0),
            held=sum(many for (_, state), many in counts.items() if state == "held"),
            unknown=counts.get((issues, "unknown"), 0),
            deferred={IssueId(number(issue)): number(many) for issue, many in deferred},
            own_deferred=number(own_deferred),
        )

    def last_deferred(self, issue: IssueId) -> ReaderDelivery | None:
        for row in self._read(_LAST_DEFERRED, (issue,)):
            return reader_delivery(row)
        return None

    def failed_confirmations(self, since_ms: int, limit: int) -> list[ReaderDelivery]:
        bindings = (first_queue_id(since_ms), limit)
        return [reader_delivery(row) for row in self._read(_FAILED_CONFIRMATIONS, bindings)]

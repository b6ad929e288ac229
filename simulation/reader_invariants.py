"""The promises to readers (P2, P6), checked against the evidence of a day.

Each invariant yields one sentence per violation.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from secondpost.mail.authentication import AuthResult
from secondpost.mail.bounce_kind import Weighed
from secondpost.mail.delivery import State
from secondpost.mail.issue import IssueState
from secondpost.mail.subscriber import SubscriberState
from simulation.clock import EPOCH_MS
from simulation.faults import Blocked, InboxDown, InjectedFault, NoRoom, PowerCut, Storm
from simulation.keys import key_records
from simulation.people.letters import Heard
from simulation.people.news import MAIN, READERS_MIN, Channel
from simulation.people.people import SimReader
from simulation.reader_evidence import ReaderEvidence, ReceivedMail
from simulation.scenario import OUR_ADDRESS
from simulation.signatures import dkim_results, records_by_selector

SIGNATURES = 2
VERIFIED_MAX = 2  # mails a day whose signatures are computed
UNWRITTEN_SECONDS_MAX = 15.0  # until an outcome is written on a slow disk
ON_ITS_WAY_SECONDS = 10.0  # from our MAIL to the reader's server, without faults
STALLED_SECONDS_MAX = 960.0  # longest delay by TCP across an outage
MAY_HAVE_IT = (State.DELIVERED, State.UNKNOWN)
MAY_BE_LIED_ABOUT = (*MAY_HAVE_IT, State.FAILED)

ReaderInvariant = Callable[[ReaderEvidence], Iterator[str]]


def no_issue_is_empty(day: ReaderEvidence) -> Iterator[str]:
    """P2: an issue has at least its minimum of articles, in the store and in the mail."""
    minimums = {plan.name: plan.minimum for plan in day.plan.newsletters}
    for left in day.issues:
        issue, least = left.issue, minimums[left.issue.newsletter]
        if issue.state is not IssueState.STOPPED and min(issue.article_count, len(left.articles)) < least:
            yield f"issue {issue.number} of {issue.newsletter} has {len(left.articles)} of {least} articles"
    for newsletter, one in day.mailed:
        if len(set(one.mail.articles)) < minimums[newsletter]:
            yield f"{one.address} got an issue of {newsletter} with {len(set(one.mail.articles))} articles"


def nobody_gets_an_issue_twice(day: ReaderEvidence) -> Iterator[str]:
    """P2: a reader's server takes one mail per issue, and no article reaches a reader twice."""
    for (id, address), mails in day.arrived_of.items():
        if len(mails) > 1:
            times = ", ".join(f"{one.taken.at_seconds:.3f}" for one in mails)
            yield f"{id} came to {address} {len(mails)} times: at {times}"
    articles = Counter(
        (newsletter, one.address, article) for newsletter, one in day.mailed for article in one.mail.articles
    )
    for (newsletter, address, article), count in articles.items():
        if count > 1:
            yield f"{article} of {newsletter} reached {address} {count} times"


def an_article_stands_in_one_issue(day: ReaderEvidence) -> Iterator[str]:
    links = Counter(
        (left.issue.newsletter, entry.article.link) for left in day.issues for entry in left.articles
    )
    for (newsletter, link), issues in links.items():
        if issues > 1:
            yield f"{link} stands in {issues} issues of {newsletter}"
        if "/strange" in link:
            yield f"{link} stands in an issue of {newsletter}, and the feed was not to be believed"


def every_reader_is_accounted_for(day: ReaderEvidence) -> Iterator[str]:
    """P2: planned = delivered + suppressed + failed + expired + stopped + unknown."""
    for left in day.issues:
        issue = left.issue
        name = f"issue {issue.number} of {issue.newsletter}"
        if issue.state is IssueState.DONE and not left.reckoning.adds_up:
            yield f"{name} is done and does not add up: {left.reckoning}"
        if issue.state in (IssueState.SENDING, IssueState.DONE) and len(left.rows) != issue.planned:
            yield f"{name} was planned for {issue.planned} readers, and has {len(left.rows)}"
        counted = Counter(row.state for row in left.rows)
        if counted[State.DELIVERED] != left.reckoning.delivered:
            yield f"{name} counts {left.reckoning.delivered} as delivered, and has {counted}"


def what_is_said_of_a_delivery_is_true(day: ReaderEvidence) -> Iterator[str]:
    """P2: mail counted as delivered was taken, and mail taken counts as delivered or unknown."""
    for left in day.issues:
        name = f"issue {left.issue.number} of {left.issue.newsletter}"
        for row, mails in day.rows_of(left):
            if row.state is State.DELIVERED and len(mails) == 0:
                yield f"{name} counts as delivered to {row.recipient}, whose server never took it"
            # If a server takes a mail but answers 554, the answer counts.
            replied = all(one.taken.replied for one in mails)
            if len(mails) > 0 and row.state not in (MAY_HAVE_IT if replied else MAY_BE_LIED_ABOUT):
                yield f"{name} is with {row.recipient}, and counts as {row.state}"
    promised = {id for left in day.issues for id in left.message_ids}
    for (id, address), _ in day.arrived_of.items():
        if id not in promised:
            yield f"{address} got {id}, of which no issue knows"


def nobody_is_passed_over(day: ReaderEvidence) -> Iterator[str]:
    """P2: no reader is passed over.

    Only readers who left, were suppressed, or were suspended for a bounce count as suppressed, only
    refused mails as failed.
    """
    for left in day.issues:
        name = f"issue {left.issue.number} of {left.issue.newsletter}"
        for row, _ in day.rows_of(left):
            reader = day.readers[left.issue.newsletter, row.recipient]
            bounces = day.bounces.get((left.issue.newsletter, row.recipient), [])
            came_back = any(bounce.weighed is Weighed.SUSPENDED for bounce in bounces)
            stays = reader.leaves is None and reader.plan.suppressed_at is None and not came_back
            if row.state is State.SUPPRESSED and stays:
                yield f"{name} passed over {row.recipient}, who never left"
            was_refused = (row.subscriber, left.issue.number) in day.refused
            if row.state is State.FAILED and not was_refused:
                yield f"{name} counts as failed for {row.recipient}, and nobody refused it"


def unknown_has_a_reason(day: ReaderEvidence) -> Iterator[str]:
    """P2: a delivery is unknown only if its outcome was lost.

    Either the connection broke after the final dot, which the log shows; or the deliver role died
    with the connection open, or with the outcome not yet on the disk.
    """
    silent = 0
    for left in day.issues:
        for row, mails in day.rows_of(left):
            if row.state is not State.UNKNOWN:
                continue
            at, outcome = day.told_of.get(str(row.id), (0.0, ""))
            if outcome == "":
                silent += 1
            elif outcome != "unknown":
                if not _died_unwritten(day, at):
                    yield f"{row.id} is unknown, and its outcome was known at {at:.3f}: {outcome}"
            elif any(one.taken.replied for one in mails) and not _was_rough(day, at):
                yield f"{row.id} to {row.recipient} is unknown since {at:.3f}, and its server had answered"
    if silent > day.open_at_death:
        yield f"{silent} deliveries are unknown, and {day.open_at_death} connections died"


def _died_unwritten(day: ReaderEvidence, at: float) -> bool:
    """Whether a role died before an outcome known at `at` was on the disk."""
    late = UNWRITTEN_SECONDS_MAX
    full = [fault.end for fault in day.faults if isinstance(fault.what, NoRoom) and fault.start - late <= at]
    until = max((end + late for end in full if end >= at), default=at + late)
    ends = (*day.log.deaths(), *day.log.of("role-ended"))
    return any(at <= line.seconds <= until for line in ends)


def _was_rough(day: ReaderEvidence, at: float) -> bool:
    """Whether a reply may have been lost at that time."""
    return any(
        fault.start <= at and fault.end >= at - STALLED_SECONDS_MAX and _stalls(fault) for fault in day.faults
    )


def only_who_wants_it_gets_it(day: ReaderEvidence) -> Iterator[str]:
    """P6: no issue for readers who have not confirmed, have left or are suppressed.

    A mail may still arrive if its MAIL came before the reader left, or was in flight.
    """
    for newsletter, one in day.mailed:
        reader = day.readers.get((newsletter, one.address))
        if reader is None:
            yield f"{one.address} got an issue of {newsletter}, and never asked for it"
            continue
        began = one.taken.mailed_seconds
        if reader.plan.joins_at is not None and (reader.confirms is None or began < reader.confirms):
            yield f"{one.address} got an issue of {newsletter} without a yes"
        for what, since in (
            ("left", reader.left),
            ("left by mail", _left_by_mail(day, reader)),
            ("been suppressed", reader.suppressed),
        ):
            if since is not None and began > since + _on_its_way(day, one):
                yield f"{one.address} had {what} at {since:.3f}, and was mailed {newsletter} at {began:.3f}"


def _left_by_mail(day: ReaderEvidence, reader: SimReader) -> float | None:
    """Seconds at which the store recorded an unsubscribe by mail, which gets no answer; None if
    there was none or the clock was wrong.
    """
    at_ms = day.left_ms.get(reader.key)
    if at_ms is None or reader.plan.leaves is not Channel.MAIL or day.clock_was_wrong:
        return None
    return (at_ms - EPOCH_MS) / 1000


def _on_its_way(day: ReaderEvidence, one: ReceivedMail) -> float:
    """How long our MAIL may have been in flight."""
    return STALLED_SECONDS_MAX if _was_rough(day, one.taken.mailed_seconds) else ON_ITS_WAY_SECONDS


def _stalls(fault: InjectedFault) -> bool:
    return isinstance(fault.what, Blocked | InboxDown | Storm | PowerCut)


def a_yes_counts(day: ReaderEvidence) -> Iterator[str]:
    """P6: a sign-up gets a confirmation mail, the link in it works, and the confirmation holds."""
    asked = {row.recipient: row for row in day.confirmations}
    for (newsletter, address), reader in day.readers.items():
        if reader.plan.joins_at is None:
            continue
        row = asked.get(address)
        if row is None and (reader.signed_up is not None or _was_taken(day, reader, "joins")):
            yield f"{address} signed up for {newsletter}, and no confirmation was written"
        elif row is not None and row.state is State.WAITING:
            yield f"the confirmation for {address} still waits (cause {row.cause})"
        if reader.refused:
            yield f"{address} said yes to {newsletter}, and the link was no longer good"
        yield from _state_is_right(day, reader)


def _state_is_right(day: ReaderEvidence, reader: SimReader) -> Iterator[str]:
    known, address = day.known.get(reader.key), reader.plan.address
    state = None if known is None else known.state
    has_confirmed = reader.confirmed is not None or _was_taken(day, reader, "confirms")
    if reader.leaves is None and has_confirmed and state is not SubscriberState.ACTIVE:
        yield f"{address} had confirmed, and is {state}"
    if reader.confirms is None and state is SubscriberState.ACTIVE:
        yield f"{address} is a reader without a yes"
    wants = reader.asked_to_confirm is not None and reader.plan.confirms is not Channel.NOTHING
    if wants and not has_confirmed:
        yield f"{address} was asked at {reader.asked_to_confirm:.3f}, and could not say yes"


def _was_taken(day: ReaderEvidence, reader: SimReader, what: str) -> bool:
    """Whether a letter of the reader whose marker starts with `what` was accepted."""
    return any(marker.startswith(what) and day.taken_letters[marker] > 0 for marker in reader.letters)


def who_left_has_left(day: ReaderEvidence) -> Iterator[str]:
    """P6: no unsubscribe is lost."""
    for (newsletter, address), reader in day.readers.items():
        known = day.known.get((newsletter, address))
        heard = reader.left is not None or _was_taken(day, reader, "leaves")
        if heard and (known is None or known.state is not SubscriberState.LEFT):
            state = None if known is None else known.state
            yield f"{address} left {newsletter}, we have heard it, and it is {state}"


def letters_to_us_are_taken(day: ReaderEvidence) -> Iterator[str]:
    """Signed addresses stay valid: no mail to one is refused."""
    for handing in day.letters.handings:
        if handing.heard is Heard.REFUSED and handing.to == OUR_ADDRESS:
            yield f"{handing.marker} was refused: {handing.reply}"
    for marker in day.letters.undeliverable:
        yield f"{marker} was given up by its sender"


def what_comes_back_is_counted(day: ReaderEvidence) -> Iterator[str]:
    """Each report that we accepted counts as one bounce of its reader, and nothing else does.

    It may count again only if its sender had to send it again. A mail that was refused while it was sent
    counts without a report.
    """
    sent = Counter(handing.marker for handing in day.letters.handings if handing.heard is not Heard.REFUSED)
    for key, reader in day.readers.items():
        counted = sum(bounce.evidence is not None for bounce in day.bounces.get(key, []))
        least = sum(min(1, day.taken_letters[marker]) for marker in reader.reports)
        most = sum(sent[marker] for marker in reader.reports)
        if not least <= counted <= most:
            yield f"{key} has {counted} bounces, and {least} to {most} reports were taken"


def the_issue_comes(day: ReaderEvidence) -> Iterator[str]:
    """With enough articles an issue goes to all readers and is done, once faults are over."""
    if day.clock_spoilt_it:
        return
    for left in day.issues:
        if left.issue.state not in (IssueState.DONE, IssueState.STOPPED):
            counted = Counter(row.state for row in left.rows)
            yield f"issue {left.issue.number} of {left.issue.newsletter} is {left.issue.state}: {counted}"
    planned = [left.issue.planned for left in day.issues if left.issue.newsletter == MAIN]
    stopped = any(left.issue.state is IssueState.STOPPED for left in day.issues)
    if max(planned, default=0) < READERS_MIN and not stopped:
        yield f"the issues of {MAIN} went to {planned} readers"


def mails_are_signed(day: ReaderEvidence) -> Iterator[str]:
    """Every mail has two signatures; for a few mails they are verified."""
    now_s = EPOCH_MS // 1000 + 10 * 86_400
    for number, one in enumerate(day.arrived):
        if one.mail.signatures != SIGNATURES:
            yield f"the mail to {one.address} has {one.mail.signatures} signatures"
        elif number < VERIFIED_MAX:
            found = dkim_results(one.taken.content, records_by_selector(key_records()), now_s)
            if found != [AuthResult.PASS] * SIGNATURES:
                yield f"the signatures of the mail to {one.address}: {found}"


READER_INVARIANTS: tuple[ReaderInvariant, ...] = (
    no_issue_is_empty,
    nobody_gets_an_issue_twice,
    an_article_stands_in_one_issue,
    every_reader_is_accounted_for,
    what_is_said_of_a_delivery_is_true,
    nobody_is_passed_over,
    unknown_has_a_reason,
    only_who_wants_it_gets_it,
    a_yes_counts,
    who_left_has_left,
    letters_to_us_are_taken,
    what_comes_back_is_counted,
    the_issue_comes,
    mails_are_signed,
)

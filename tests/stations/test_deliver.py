"""The pure parts of delivering: results, pace, refusals, and grouping rows into transactions."""

import pytest

from secondpost.deliver.pace import LOST_MAX, STALLED_MAX, Pace
from secondpost.deliver.recipient_results import knowledge_from
from secondpost.deliver.refusals import IN_A_ROW_MAX, Refusals
from secondpost.deliver.results import outcome_of, outcome_of_break, speaks_of_load
from secondpost.deliver.sorting import RECIPIENTS_PER_TRANSACTION_MAX, jobs_of
from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause, Deferred, Delivered, Failed
from secondpost.mail.questions import Knowledge
from secondpost.mail.queue_id import QueueId
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Phase, RecipientResult

OK = Reply.of(250, "2.0.0", "ok")
LOST = Reply.of(451, "4.4.2", "lost")
DOMAIN = Domain("example.net")


@pytest.mark.parametrize(
    ("phase", "reply", "cause"),
    [
        (Phase.RCPT, Reply.of(550, "5.1.1", "no such user"), Cause.RECIPIENT),
        (Phase.RCPT, Reply.of(550, "5.7.1", "blocked"), Cause.DOMAIN_POLICY),
        (Phase.MAIL, Reply.of(554, "5.7.1", "blocked"), Cause.SENDER_POLICY),
        (Phase.MAIL, Reply.of(550, "", "user unknown"), Cause.SENDER),
        (Phase.MAIL, Reply.of(552, "", "quota exceeded"), Cause.SENDER),
        (Phase.DOT, Reply.of(554, "5.7.1", "spam"), Cause.MESSAGE),
        (Phase.MAIL, Reply.of(552, "5.3.4", "too big"), Cause.TOO_LARGE),
        (Phase.DOT, Reply.of(554, "5.6.0", "bad"), Cause.MESSAGE),
        (Phase.MAIL, Reply.of(550, "5.6.7", "needs SMTPUTF8"), Cause.SMTPUTF8),
        (Phase.DOT, Reply.of(554, "5.6.9", "a header in UTF-8"), Cause.SMTPUTF8),
    ],
)
def test_a_refusal_reaches_as_far_as_what_was_refused(phase: Phase, reply: Reply, cause: Cause) -> None:
    assert outcome_of(RecipientResult(phase, reply), "mx1") == Failed(cause, "mx1", reply)


def test_a_4xx_defers_and_a_250_delivers() -> None:
    later = Reply.of(450, "4.2.0", "greylisted")
    assert outcome_of(RecipientResult(Phase.RCPT, later), "mx1") == Deferred(Cause.RECIPIENT, "mx1", later)
    assert outcome_of(RecipientResult(Phase.DOT, OK), "mx1") == Delivered("mx1", OK)


@pytest.mark.parametrize("code", [500, 501, 502, 503, 504])
def test_a_quarrel_about_the_protocol_ends_no_message(code: int) -> None:
    quarrel = RecipientResult(Phase.RCPT, Reply.of(code, "5.5.1", "what?"))
    assert isinstance(outcome_of(quarrel, "mx1"), Deferred)


def test_a_break_leaves_what_was_answered_and_doubts_only_what_follows_the_dot() -> None:
    refused = RecipientResult(Phase.RCPT, Reply.of(550, "5.1.1", "no such user"))
    assert isinstance(outcome_of_break(refused, True, Cause.LOST, "mx1", LOST), Failed)
    assert outcome_of_break(None, True, Cause.LOST, "mx1", LOST) == Deferred(Cause.UNANSWERED, "mx1", LOST)
    assert outcome_of_break(None, False, Cause.LOST, "mx1", LOST) == Deferred(Cause.LOST, "mx1", LOST)


def test_replies_about_load_are_told_from_others() -> None:
    assert speaks_of_load(Reply.of(421, "", "busy"))
    assert speaks_of_load(Reply.of(451, "4.7.0", "slow down"))
    assert not speaks_of_load(Reply.of(450, "4.2.1", "mailbox busy"))
    assert not speaks_of_load(Reply.of(550, "5.7.0", "no"))


def test_pace_begins_with_a_trial_and_grows_with_every_delivery() -> None:
    pace = Pace(connections_max=3)
    grown = []
    for _ in range(4):
        grown.append(pace.allowed)
        pace.delivered()
    assert grown == [1, 2, 3, 3]
    pace.pushed_back()
    assert pace.allowed == 1


def test_connections_lost_one_after_the_other_are_the_sites_fault() -> None:
    pace = Pace(connections_max=20)
    assert [pace.lost_one() for _ in range(LOST_MAX)] == [False] * (LOST_MAX - 1) + [True]
    pace.delivered()
    assert not pace.lost_one()


def test_a_site_that_takes_so_many_connections_is_seldom_asked_for_one_more() -> None:
    pace = Pace(connections_max=20)
    refused = 0
    for _ in range(1000):
        pace.delivered()
        if pace.allowed > 5:
            refused += 1
            pace.refused_one_more(standing=5)
            assert pace.allowed == 5
    assert 1 <= refused <= 5


def test_connections_that_stall_are_replaced_but_few_and_not_beyond_the_bound_without_need() -> None:
    pace = Pace(connections_max=3)
    assert [pace.limit(stalled) for stalled in range(6)] == [1, 2, 3, 4, 4, 4]
    assert 1 + STALLED_MAX == 4
    for _ in range(2):
        pace.delivered()
    assert [pace.limit(stalled) for stalled in range(4)] == [3, 3, 3, 4]


def test_a_refusal_counts_against_a_message_only_while_others_get_through() -> None:
    over: list[tuple[Lane, Domain]] = []
    refusals = Refusals(lambda lane, domain: over.append((lane, domain)))
    assert not refusals.counts(Lane.RELAY, DOMAIN, attempts=0)
    assert refusals.counts(Lane.RELAY, DOMAIN, attempts=2)
    paused = [refusals.refused(Lane.RELAY, DOMAIN) for _ in range(IN_A_ROW_MAX)]
    assert paused == [False] * (IN_A_ROW_MAX - 1) + [True]
    assert not refusals.counts(Lane.RELAY, DOMAIN, attempts=50)
    refusals.passed(Lane.RELAY, DOMAIN)
    assert refusals.counts(Lane.RELAY, DOMAIN, attempts=2)


@pytest.mark.parametrize("cause", [Cause.DOMAIN_POLICY, Cause.SENDER_POLICY])
def test_a_first_refusal_by_policy_defers_whether_mail_or_rcpt_met_it(cause: Cause) -> None:
    reply = Reply.of(550, "5.7.1", "go away")
    [claimed] = rows(1, 1)
    refused = Refusals(lambda lane, domain: None).weighed(claimed, Failed(cause, "mx1", reply))
    assert refused == Deferred(cause, "mx1", reply)


def rows(queue_id: int, count: int) -> list[Claimed]:
    return [
        Claimed(
            id=DeliveryId(QueueId(queue_id), number),
            lane=Lane.RELAY,
            origin=Lane.RELAY,
            sender=NULL_PATH,
            recipient=Mailbox(f"r{number}", DOMAIN),
            size=1,
            file=None,
            eight_bit=False,
            arrived_ms=0,
            attempts=0,
            first_attempt_ms=None,
            maybe_duplicate=False,
        )
        for number in range(1, count + 1)
    ]


def test_recipients_of_one_message_share_a_transaction_up_to_its_bound() -> None:
    jobs = list(jobs_of(rows(1, 2) + rows(2, 1) + rows(3, RECIPIENTS_PER_TRANSACTION_MAX + 1)))
    assert [len(job.claimed) for job in jobs] == [2, 1, RECIPIENTS_PER_TRANSACTION_MAX, 1]


@pytest.mark.parametrize(
    ("phase", "code", "status", "text", "knowledge"),
    [
        (Phase.RCPT, 250, "2.1.5", "ok", Knowledge.KNOWN),
        (Phase.RCPT, 550, "5.1.1", "no", Knowledge.UNKNOWN),
        (Phase.RCPT, 550, "5.1.10", "RESOLVER.ADR.RecipientNotFound", Knowledge.UNKNOWN),
        (Phase.RCPT, 550, "", "<Anna@Example.net> no", Knowledge.UNKNOWN),
        (Phase.RCPT, 550, "", "Unrouteable address", Knowledge.UNKNOWN),  # Exim
        (Phase.RCPT, 550, "", "Invalid recipient: <anna@example.net>", Knowledge.UNKNOWN),  # OpenSMTPD
        (Phase.RCPT, 550, "", "sorry, no mailbox here by that name (#5.1.1)", Knowledge.UNKNOWN),  # qmail
        (Phase.RCPT, 550, "5.2.1", "The mailbox is unavailable", Knowledge.UNKNOWN),
        (Phase.RCPT, 524, "5.2.4", "Mailing list expansion problem: <anna@example.net>", Knowledge.UNKNOWN),
        (Phase.RCPT, 550, "", "text", Knowledge.UNREACHABLE),
        (Phase.RCPT, 551, "", "<anna@example.net> User unknown", Knowledge.UNREACHABLE),
        (Phase.RCPT, 550, "5.7.1", "<anna@example.net> blocked: user unknown", Knowledge.UNREACHABLE),
        (Phase.RCPT, 550, "5.4.1", "Recipient address rejected: Access denied", Knowledge.UNREACHABLE),
        (Phase.RCPT, 554, "5.7.1", "Service unavailable; client is listed", Knowledge.UNREACHABLE),
        (Phase.RCPT, 450, "5.1.1", "no", Knowledge.UNREACHABLE),
        (Phase.RCPT, 451, "4.2.0", "greylisted", Knowledge.UNREACHABLE),
        (Phase.MAIL, 550, "5.1.1", "no", Knowledge.UNREACHABLE),
    ],
)
def test_only_a_refusal_of_the_mailbox_says_that_it_does_not_exist(
    phase: Phase, code: int, status: str, text: str, knowledge: Knowledge
) -> None:
    result = RecipientResult(phase, Reply.of(code, status, text))
    assert knowledge_from(result, Mailbox("anna", DOMAIN)) is knowledge

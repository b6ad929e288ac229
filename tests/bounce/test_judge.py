"""What a refusal means: the replies of real servers, a file for each kind, and their verdict."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.bounce.judge import Refusal, RefusalStage, kind_of, refusal_in, refusal_of
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply
from secondpost.protocols.dsn.notification import Action, RecipientReport

REPLIES = Path(__file__).parent / "replies"
AGAINST_A_READER = frozenset(BounceKind) - {BounceKind.SENDER, BounceKind.CONTENT, BounceKind.OTHER}


def replies_of(kind: BounceKind) -> list[Refusal]:
    lines = (REPLIES / f"{kind}.replies").read_text(encoding="utf-8").splitlines()
    return [_refusal(line) for line in lines if not line.startswith("#")]


def _refusal(line: str) -> Refusal:
    stage, code, status, *text = line.split(maxsplit=3)
    return Refusal(RefusalStage(stage), int(code), "" if status == "-" else status, " ".join(text))


@pytest.mark.parametrize("kind", BounceKind)
def test_each_reply_is_judged_by_its_stage_subject_and_words(kind: BounceKind) -> None:
    wrong = [(each, kind_of(each).value) for each in replies_of(kind) if kind_of(each) is not kind]
    assert wrong == []


def test_of_sixty_and_more_replies_about_us_none_counts_against_a_reader() -> None:
    ours = replies_of(BounceKind.SENDER)
    assert len(ours) >= 60
    assert AGAINST_A_READER.isdisjoint(map(kind_of, ours))
    as_reports = [Refusal(RefusalStage.REPORT, each.code, each.status, each.text) for each in ours]
    assert AGAINST_A_READER.isdisjoint(map(kind_of, as_reports)), [
        each for each in as_reports if kind_of(each) in AGAINST_A_READER
    ]


def test_what_speaks_of_us_never_says_that_an_address_is_dead() -> None:
    for words in ("blocked by blocklist", "your reputation is low", "SPF check failed", "rate limited: spam"):
        report = RecipientReport("", "", Action.FAILED, "5.1.1", f"550 user unknown or {words}", "")
        assert kind_of(refusal_of(report)) is BounceKind.SENDER


@given(st.sampled_from([550, 554, 421, 450]), st.sampled_from(["", "5.1.1", "5.2.1", "4.2.2"]), st.text())
def test_before_rcpt_nothing_is_about_the_reader(code: int, status: str, text: str) -> None:
    kind = kind_of(Refusal(RefusalStage.CONNECTION, code, status, f"user unknown {text}"))
    assert kind in (BounceKind.SENDER, BounceKind.TEMPORARY)


@given(st.text(alphabet="user unknown mailbox ip is blocked 5.1@<>", max_size=3_000), st.text(max_size=200))
def test_any_words_are_judged(many: str, any_text: str) -> None:
    for stage in RefusalStage:
        assert isinstance(kind_of(Refusal(stage, 550, "5.0.0", many + any_text)), BounceKind)


@pytest.mark.parametrize(
    ("cause", "stage"),
    [
        (Cause.DNS, RefusalStage.ROUTE),
        (Cause.CONNECT, RefusalStage.CONNECTION),
        (Cause.SHUTDOWN, RefusalStage.CONNECTION),
        (Cause.SENDER, RefusalStage.SENDER),
        (Cause.SENDER_POLICY, RefusalStage.SENDER),
        (Cause.RECIPIENT, RefusalStage.RECIPIENT),
        (Cause.DOMAIN_POLICY, RefusalStage.RECIPIENT),
        (Cause.MESSAGE, RefusalStage.MESSAGE),
        (Cause.TOO_LARGE, RefusalStage.MESSAGE),
    ],
)
def test_an_attempts_cause_says_at_which_stage_it_was_refused(cause: Cause, stage: RefusalStage) -> None:
    refusal = refusal_in(cause, Reply.of(550, "5.1.1", "no"))
    assert refusal == Refusal(stage, 550, "5.1.1", "no")

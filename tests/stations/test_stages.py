"""The decisions of each stage, and their order; a new decision is one more entry."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from secondpost.config.records import AnyRecipient, Backup
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.questions import (
    AskingPolicy,
    DomainOctets,
    FreeOctets,
    Knowledge,
    KnownRecipient,
    MayBringUnverified,
    OctetsAnswer,
    UnverifiedOctets,
)
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Accept, Defer, Destination, Reject, Verdict
from secondpost.policy.company import ONE_WAY
from secondpost.policy.domains import recipients_of
from secondpost.policy.known import AtConnect, AtContent, AtHello, AtMail, AtRcpt, Decision, Judgement, Stage
from secondpost.policy.room import OVER_QUOTA
from secondpost.policy.stages import STAGES, Stages, judge
from secondpost.policy.unverified import (
    TOO_MANY_UNVERIFIED,
    UNVERIFIED_FULL,
    UNVERIFIED_MAX,
    UNVERIFIED_TOO_OFTEN,
)
from tests.stations.known import AT_CONTENT, AT_MAIL, Answers, at_rcpt, judged
from tests.stations.test_receive import BODY, DOMAIN, ENVELOPE, Office, in_office
from tests.stations.test_under_way import is_nothing_under_way

ANNA = Mailbox("anna", DOMAIN)
BACKUP = Backup(DOMAIN)  # learns
DENIED = Reject(Reply.of(550, "5.7.1", "Not from you"), "denied")
GREY = Defer(Reply.of(451, "4.7.1", "Try again in five minutes"), "grey")


def names(stage: Sequence[Decision[Stage]]) -> list[str]:
    return [decision.__name__ for decision in stage]


def test_the_order_of_what_is_decided_at_each_stage() -> None:
    assert names(STAGES.connect) == ["judge_places"]
    assert names(STAGES.hello) == []
    assert names(STAGES.mail) == ["judge_disk"]
    assert names(STAGES.rcpt) == [
        "judge_envelope",
        "judge_recipient",
        "judge_declared_room",
        "judge_company",
        "judge_unverified",
    ]
    assert names(STAGES.content) == [
        "judge_loop",
        "judge_author",
        "judge_whole_room",
        "judge_content",
        "judge_whole_unverified",
    ]


def having_asked(verdict: Verdict) -> AskingPolicy[Verdict]:
    yield from FreeOctets().ask()
    return verdict


@pytest.mark.parametrize("asks", [False, True], ids=["at once", "asking"])
def test_the_first_that_does_not_accept_ends_a_stage_and_no_later_one_is_heard(asks: bool) -> None:
    asked: list[str] = []

    def deciding(name: str, verdict: Verdict) -> Decision[AtMail]:
        def decide(at: AtMail) -> Judgement:
            asked.append(f"{name}, {at.accepted.way}")
            return having_asked(verdict) if asks else verdict

        return decide

    stage = (
        deciding("first", ACCEPT),
        deciding("second", Accept(Destination.UNVERIFIED)),
        deciding("third", ACCEPT),
        deciding("fourth", GREY),
        deciding("fifth", DENIED),
    )
    answers: Answers = {FreeOctets(): 1}
    assert judged(answers, judge(stage, AT_MAIL)) is GREY
    assert asked == ["first, primary", "second, primary", "third, unverified", "fourth, unverified"]
    assert judged(answers, judge(stage[:3], AT_MAIL)) == Accept(Destination.UNVERIFIED)
    assert judged(answers, judge((), AT_MAIL)) is ACCEPT


# ---------------------------------------------------------------- one more decision


def deny_connect(at: AtConnect) -> Verdict:
    return DENIED if at.address == "192.0.2.77" else ACCEPT


def deny_hello(at: AtHello) -> Verdict:
    return DENIED if at.name == "client.example" else ACCEPT


def deny_sender(at: AtMail) -> Verdict:
    return DENIED if str(at.sender) == "a@elsewhere.example" else ACCEPT


def deny_asked(at: AtRcpt) -> AskingPolicy[Verdict]:
    """A decision that has to ask and to wait for the answer."""
    answer = yield from KnownRecipient(Mailbox("asked", Domain("example.org")), at.mail.hello.address).ask()
    return DENIED if answer is Knowledge.UNKNOWN else ACCEPT


def deny_size(at: AtContent) -> Verdict:
    return DENIED if at.size == len(BODY) - 1 else ACCEPT


@pytest.mark.parametrize(
    ("stages", "replies", "line"),
    [
        (
            replace(STAGES, connect=(*STAGES.connect, deny_connect)),
            ["550 5.7.1"],
            "refused-connection peer=192.0.2.77 reason=denied",
        ),
        (
            replace(STAGES, hello=(*STAGES.hello, deny_hello)),
            ["550 5.7.1", "503 5.5.1", "503 5.5.1"],
            "reason=denied",
        ),
        (
            replace(STAGES, mail=(*STAGES.mail, deny_sender)),
            ["550 5.7.1", "503 5.5.1", "503 5.5.1"],
            "reason=denied",
        ),
        (
            replace(STAGES, rcpt=(*STAGES.rcpt, deny_asked)),
            ["250 2.1.0", "550 5.7.1", "554 5.5.1"],
            "reason=denied",
        ),
        (
            replace(STAGES, content=(*STAGES.content, deny_size)),
            ["250 2.1.0", "250 2.1.5", "354 ", "550 5.7.1"],
            "reason=denied",
        ),
    ],
    ids=["connect", "hello", "mail", "rcpt", "content"],
)
def test_a_further_decision_is_one_entry_of_its_stage(
    tmp_path: Path, stages: Stages, replies: list[str], line: str
) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        if client.wire.closed:
            heard = client.wire.out.decode().splitlines()
        else:
            heard = (await client.say(ENVELOPE + b"DATA\r\n"))[-3:]
            if heard[-1].startswith("354"):
                heard += await client.say(BODY + b".\r\n")
        assert [each[: len(start)] for each, start in zip(heard, replies, strict=True)] == replies

    backup = Backup(DOMAIN, recipients=(AnyRecipient(),))
    office = in_office(tmp_path, story, backup=backup, knowledge=Knowledge.UNKNOWN, stages=stages)
    assert len(office.intake.taken) == 0
    assert any(line in each for each in office.lines), office.lines


def ask(at: AtConnect | AtHello | AtMail | AtRcpt | AtContent) -> AskingPolicy[Verdict]:
    """Has to wait for the answer."""
    answer = yield from KnownRecipient(Mailbox("asked", Domain("example.org"))).ask()
    return ACCEPT if answer is Knowledge.KNOWN and at.accepted is ACCEPT else DENIED


ASKING = Stages(connect=(ask,), hello=(ask,), mail=(ask,), rcpt=(ask, *STAGES.rcpt), content=(ask,))
ANY = Backup(DOMAIN, recipients=(AnyRecipient(),))


def test_what_comes_while_a_stage_waits_for_an_answer_is_heard_after_it(tmp_path: Path) -> None:
    """At each stage, and in the order of arrival."""

    async def story(office: Office) -> None:
        client = office.call()
        assert client.wire.out == b"", "the greeting waits for the verdict"
        await client.settle()
        greeting = client.wire.out.decode()
        assert greeting.startswith("220 ")
        heard = await client.say(ENVELOPE + b"DATA\r\n" + BODY + b".\r\nQUIT\r\n")
        assert [each[:3] for each in heard if each[3] == " "] == ["250", "250", "250", "354", "250", "221"]

    office = in_office(tmp_path, story, backup=ANY, knowledge=Knowledge.KNOWN, stages=ASKING)
    assert len(office.intake.taken) == 1


@pytest.mark.parametrize("knowledge", [Knowledge.KNOWN, Knowledge.UNKNOWN], ids=["accepted", "refused"])
def test_a_client_that_is_gone_while_its_message_is_judged_has_brought_it(
    tmp_path: Path, knowledge: Knowledge
) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        client.protocol.data_received(BODY + b".\r\n")
        client.hang_up()

    stages = replace(STAGES, content=(ask,))
    office = in_office(tmp_path, story, backup=ANY, knowledge=knowledge, stages=stages)
    assert len(office.intake.taken) == (knowledge is Knowledge.KNOWN)
    assert is_nothing_under_way(office)


# ---------------------------------------------------------------- questions of the stages

LEARNED: Answers = {
    KnownRecipient(ANNA): Knowledge.KNOWN,
}
STRANGE: Answers = {
    **LEARNED,
    KnownRecipient(ANNA): Knowledge.UNREACHABLE,
    MayBringUnverified(DOMAIN, ""): True,
    FreeOctets(): 1_000,
    DomainOctets(DOMAIN): OctetsAnswer(1_000, 0, 0),  # so that 2,000 may be stored, 500 of them unverified
    UnverifiedOctets(DOMAIN): OctetsAnswer(100, 100, 100),
}


def rcpt(answers: Answers, at: AtRcpt) -> Verdict:
    return judged(answers, judge(STAGES.rcpt, at))


def first(backup: Backup = BACKUP, size: int = 0) -> AtRcpt:
    return at_rcpt(ANNA, recipients_of(backup, {}), size=size)


def test_a_domain_without_bounds_of_its_own_asks_the_store_nothing() -> None:
    assert rcpt(LEARNED, first()) is ACCEPT
    whole = structs.replace(AT_CONTENT, backups=(BACKUP,), size=BACKUP.max_size)
    assert judged(LEARNED, judge(STAGES.content, whole)) is ACCEPT


def test_a_quota_counts_what_lies_here_and_comes_in_but_not_for_a_further_recipient_of_the_message() -> None:
    quota = Backup(DOMAIN, quota=1_000)
    answers = {**LEARNED, DomainOctets(DOMAIN): OctetsAnswer(400, 300, 1_000)}  # 250 of the last number count
    assert rcpt(answers, first(quota, size=50)) is ACCEPT
    assert rcpt(answers, first(quota, size=51)) is OVER_QUOTA
    assert rcpt(answers, structs.replace(first(quota, size=600), is_first_of_domain=False)) is ACCEPT
    whole = structs.replace(AT_CONTENT, backups=(quota,), size=300)
    assert judged(answers, judge(STAGES.content, whole)) is ACCEPT
    assert judged(answers, judge(STAGES.content, structs.replace(whole, size=301))) is OVER_QUOTA


def test_a_recipient_goes_with_those_of_its_way_alone() -> None:
    assert rcpt(LEARNED, structs.replace(first(), way=Destination.PRIMARY)) is ACCEPT
    assert rcpt(STRANGE, structs.replace(first(), way=Destination.PRIMARY)) == Accept(Destination.UNVERIFIED)
    for way in (Destination.OWNER, Destination.INSIDE):
        assert rcpt(LEARNED, structs.replace(first(), way=way)) is ONE_WAY


def test_an_unverified_recipient_has_its_share_of_the_room() -> None:
    assert rcpt(STRANGE, first(size=200)) == Accept(Destination.UNVERIFIED)
    assert rcpt(STRANGE, first(size=201)) is UNVERIFIED_FULL
    further = structs.replace(first(size=400), unverified=1, is_first_unverified_of_domain=False)
    assert rcpt(STRANGE, further) == Accept(Destination.UNVERIFIED)
    whole = structs.replace(AT_CONTENT, backups=(BACKUP,), unverified=frozenset({DOMAIN}), size=300)
    assert judged(STRANGE, judge(STAGES.content, whole)) is ACCEPT
    assert judged(STRANGE, judge(STAGES.content, structs.replace(whole, size=301))) is UNVERIFIED_FULL


def test_unverified_recipients_are_bounded_in_a_message_and_messages_with_them_by_network() -> None:
    many = structs.replace(first(), unverified=UNVERIFIED_MAX)
    assert rcpt(STRANGE, many) is TOO_MANY_UNVERIFIED
    often = {**STRANGE, MayBringUnverified(DOMAIN, ""): False}
    assert rcpt(often, first()) is UNVERIFIED_TOO_OFTEN
    assert rcpt(often, structs.replace(first(), unverified=1)) == Accept(Destination.UNVERIFIED), (
        "counted by its first"
    )

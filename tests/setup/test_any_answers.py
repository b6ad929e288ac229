"""Whatever DNS answers, the examination ends with results, and never with an exception."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.mail.dns_questions import (
    AddressRecords,
    Alias,
    AliasAnswer,
    AnswerOfZone,
    Caa,
    CaaAnswer,
    CaaRecord,
    Ds,
    DsAnswer,
    Ns,
    NsAnswer,
    Ptr,
    PtrAnswer,
    StsPolicy,
    StsPolicyAnswer,
    Tlsa,
    TlsaAnswer,
    TlsaRecord,
    ZoneAnswer,
    ZoneOf,
    ZoneQuestion,
    unanswered,
)
from secondpost.mail.questions import (
    AddressAnswer,
    Addresses,
    Finding,
    Mx,
    MxAnswer,
    MxRecord,
    Txt,
    TxtAnswer,
)
from secondpost.setup.diagnosis import Check, Grade
from secondpost.setup.examine_dns import examine
from secondpost.setup.facts import Facts
from secondpost.setup.visible import still_missing
from secondpost.setup.wanted import records_wanted
from secondpost.world.asking import answer_from
from tests.setup.dns_set_ups import KEYS
from tests.setup.test_wanted import FACTS, config

QUESTIONS_MAX = 2_000  # of one examination, whatever is answered
NAMES = ("mx2.example.net", "mx1.example.net", "example.net", ".", "a" * 63, "%{i}.x", "ü")
ADDRESSES = ("192.0.2.25", "192.0.2.99", "2001:db8::25", "::1")
TEXTS = (
    "v=spf1 a mx include:example.net redirect=example.net",
    "v=spf1 ip4:192.0.2.25 -all",
    "v=spf1 +all",
    "v=DKIM1; k=rsa; p=cnNh",
    "v=DKIM1; p=",
    "v=DMARC1; p=none",
    "v=DMARC1",
    "v=STSv1; id=1",
    "v=STSv1",
    "v=TLSRPTv1; rua=mailto:a@example.net",
    "v=TLSRPTv1",
    "",
    "=;=;",
)
POLICIES = ("", "version: STSv1\nmode: testing\nmx: mx1.example.net\nmax_age: 1\n", "<html>")


def answer_to(question: ZoneQuestion, draw: st.DataObject) -> AnswerOfZone:
    def some(choices: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(draw.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=3)))

    finding = draw.draw(st.sampled_from((Finding.FOUND, Finding.FOUND, *Finding)))
    if finding is not Finding.FOUND:
        return replace(
            unanswered(question), **({} if isinstance(question, StsPolicy) else {"finding": finding})
        )
    number = draw.draw(st.integers(0, 3))
    match question:
        case Mx():
            records = tuple(MxRecord(number * 10, host) for host in some(NAMES))
            return MxAnswer(finding, records, some(ADDRESSES) if number == 0 else ())
        case Addresses() | AddressRecords():
            return AddressAnswer(finding, some(ADDRESSES))
        case Txt():
            return TxtAnswer(finding, some(TEXTS))
        case Ptr():
            return PtrAnswer(finding, some(NAMES))
        case Tlsa():
            data = ("ab" * 32, "", "cd")
            return TlsaAnswer(
                finding, tuple(TlsaRecord(number, 1, 1, each) for each in some(data)), number == 0
            )
        case Caa():
            tags = some(("issue", "iodef", ""))
            return CaaAnswer(finding, tuple(CaaRecord(number, tag, ";") for tag in tags))
        case Alias():
            return AliasAnswer(finding, some(NAMES)[0])
        case ZoneOf():
            return ZoneAnswer(finding, some(NAMES)[0], number == 0)
        case Ds():
            return DsAnswer(finding)
        case Ns():
            return NsAnswer(finding, some(NAMES))
        case StsPolicy():
            return StsPolicyAnswer(some(POLICIES)[0])


class Anything(dict[ZoneQuestion, AnswerOfZone]):
    """A world with any answers, the same to the same question."""

    def __init__(self, draw: st.DataObject) -> None:
        super().__init__()
        self._draw = draw

    def __missing__(self, question: ZoneQuestion) -> AnswerOfZone:
        assert len(self) < QUESTIONS_MAX
        self[question] = answer_to(question, self._draw)
        return self[question]


class Silence(dict[ZoneQuestion, AnswerOfZone]):
    """A world in which nothing answers."""

    def __missing__(self, question: ZoneQuestion) -> AnswerOfZone:
        return unanswered(question)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_answers_lead_to_results(draw: st.DataObject) -> None:
    known = Facts(FACTS.addresses, FACTS.tls_key, "letsencrypt.org")
    found = answer_from(Anything(draw), examine(config(), KEYS, known))
    assert Check.RPKI in {one.check for one in found}
    assert all(one.text.endswith(".") for one in found)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_answers_say_what_is_missing(draw: st.DataObject) -> None:
    wanted = records_wanted(config(), KEYS, FACTS)
    assert set(answer_from(Anything(draw), still_missing(wanted))) <= set(wanted)


def test_if_nothing_answers_nothing_is_called_missing() -> None:
    """What DNS does not say is unknown: no record is to be published again because of it."""
    found = answer_from(Silence(), examine(config(), KEYS, Facts(FACTS.addresses)))
    assert [one for one in found if one.grade is Grade.FAULT] == []
    assert {one.check for one in found if one.grade is Grade.WARNING} == {Check.DNS_ANSWERS}

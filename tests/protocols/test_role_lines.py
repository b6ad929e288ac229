"""Messages between roles: a valid line is read, anything else is Garbled."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.article import Article, FeedAnswered, FeedAsked, FeedRead, FeedUnchanged, FeedUnreadable
from secondpost.mail.dns_questions import AddressRecords, Ptr, PtrAnswer
from secondpost.mail.questions import (
    AddressAnswer,
    Finding,
    Knowledge,
    Mx,
    MxAnswer,
    MxRecord,
    Txt,
    TxtAnswer,
)
from secondpost.protocols.feed_questions import answered_line, asked_line, read_answered, read_asked
from secondpost.protocols.role_questions import (
    ANSWER_OCTETS_MAX,
    Garbled,
    NameAnswered,
    NameAsked,
    PublicAnswer,
    PublicQuestion,
    RecipientAnswered,
    RecipientAsked,
    answer_line,
    question_line,
    read_answer,
    read_question,
    without_records,
)

ARTICLE = Article(
    "urn:1", "https://www.example.net/1", "A title", "in short", "<p>a</p>", "Ada", 1, "0a", ("b",)
)
READ = FeedRead("The Blog", "urn:blog", (ARTICLE,), repeated_guids=frozenset({"urn:2"}))
QUESTIONS = (
    Txt("_spf.example.net"),
    Mx(Domain("example.net")),
    AddressRecords("mx.example.net", 4),
    AddressRecords("mx.example.net", 6),
    Ptr("2001:db8::1"),
)
ANSWERS = (
    TxtAnswer(Finding.FOUND, ('v=spf1 "-all', "\u00ff")),
    TxtAnswer(Finding.NO_NAME),
    MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.example.net"), MxRecord(20, "mx2.example.net"))),
    AddressAnswer(Finding.FOUND, ("192.0.2.1",)),
    PtrAnswer(Finding.FAILED),
)
GOOD: tuple[tuple[bytes, Callable[[bytes], object]], ...] = (
    (question_line(RecipientAsked(7, Mailbox.parse("anna@example.net"), "192.0.2.0/24")), read_question),
    (answer_line(RecipientAnswered(7, Knowledge.KNOWN)), read_answer),
    *((question_line(NameAsked(7, question)), read_question) for question in QUESTIONS),
    *((answer_line(NameAnswered(7, answer)), read_answer) for answer in ANSWERS),
    (asked_line(FeedAsked("https://www.example.net/feed.xml", '"1"')), read_asked),
    (answered_line(FeedAnswered(READ, '"1"')), read_answered),
    (answered_line(FeedAnswered(FeedUnreadable("It is incomplete."))), read_answered),
    (answered_line(FeedAnswered(FeedUnchanged())), read_answered),
)
READERS = tuple({read for _, read in GOOD})
DEEP = 100_000
VALUES = (
    b"null",
    b"true",
    b"{}",
    b"[]",
    b'""',
    b"-1",
    b"1.5",
    b"1e400",
    b"NaN",
    str(2**53 + 1).encode(),
    str(2**64).encode(),
    b"9" * 10_000,
    b'"\\u0000"',
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\xff"',
    b'"\0"',
    b'"\xed\xa0\x80"',
    b'"unknown"',
    b"[" * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
)


def reads_or_is_garbled(read: Callable[[bytes], object], line: bytes) -> object | None:
    try:
        return read(line)
    except Garbled:
        return None


def changed(value: object, with_: Callable[[object], object]) -> list[object]:
    """The value with each of its parts changed, one at a time."""
    found = [with_(value)]
    if isinstance(value, dict):
        for key, part in value.items():
            found += [{**value, key: one} for one in changed(part, with_)]
            found.append({name: other for name, other in value.items() if name != key})
        found.append({**value, "more": with_(value)})
    if isinstance(value, list):
        for index, part in enumerate(value):
            found += [[*value[:index], one, *value[index + 1 :]] for one in changed(part, with_)]
    return found


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value[:12]))
@pytest.mark.parametrize(("line", "read"), GOOD, ids=lambda part: "")
def test_no_value_at_any_place_does_more_than_garble(
    line: bytes, read: Callable[[bytes], object], value: bytes
) -> None:
    assert reads_or_is_garbled(read, line) is not None
    raw = msgspec.Raw(value)
    for one in changed(msgspec.json.decode(line), lambda _: raw):
        found = reads_or_is_garbled(read, msgspec.json.encode(one))
        if found is not None:
            assert_can_be_answered(found)


def assert_can_be_answered(found: object) -> None:
    """What was read can be written again: numbers out of range are refused."""
    match found:
        case RecipientAsked(number):
            answer_line(RecipientAnswered(number, Knowledge.KNOWN))
        case NameAsked(number, question):
            answer_line(NameAnswered(number, without_records(question, Finding.FAILED)))
        case FeedAsked():
            asked_line(found)
        case FeedAnswered(FeedRead(articles=articles)):
            answered_line(found)
            assert all(abs(article.published_ms or 0) < 2**63 for article in articles)


@pytest.mark.parametrize("question", QUESTIONS, ids=repr)
def test_a_question_about_a_name_is_read_as_it_was_asked(question: PublicQuestion) -> None:
    assert read_question(question_line(NameAsked(7, question))) == NameAsked(7, question)


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
def test_an_answer_about_a_name_is_read_as_it_was_given(answer: PublicAnswer) -> None:
    assert read_answer(answer_line(NameAnswered(7, answer))) == NameAnswered(7, answer)


@pytest.mark.parametrize(
    "question",
    [
        Txt("localhost"),
        Txt("a b.example"),
        Txt("a..example"),
        Mx(Domain("lan")),
        AddressRecords("x" * 64 + ".example", 4),
        Txt(".".join(["x" * 60] * 5)),
        Ptr("no address"),
    ],
    ids=lambda question: repr(question)[:30],
)
def test_a_receive_role_in_wrong_hands_can_ask_for_public_names_alone(question: PublicQuestion) -> None:
    with pytest.raises(Garbled):
        read_question(question_line(NameAsked(7, question)))


def test_an_answer_too_long_for_a_line_is_none() -> None:
    answer = TxtAnswer(Finding.FOUND, ("\u00ff" * ANSWER_OCTETS_MAX,))
    assert read_answer(answer_line(NameAnswered(7, answer))) == NameAnswered(7, TxtAnswer(Finding.FAILED))


@given(line=st.binary(max_size=300), read=st.sampled_from(READERS))
def test_no_octets_do_more_than_garble(line: bytes, read: Callable[[bytes], object]) -> None:
    reads_or_is_garbled(read, line)


@given(data=st.data(), good=st.sampled_from(GOOD))
def test_a_good_line_with_octets_changed_garbles_at_most(
    data: st.DataObject, good: tuple[bytes, Callable[[bytes], object]]
) -> None:
    line, read = good
    at = data.draw(st.integers(0, len(line)))
    until = data.draw(st.integers(at, min(len(line), at + 20)))
    reads_or_is_garbled(read, line[:at] + data.draw(st.binary(max_size=20)) + line[until:])

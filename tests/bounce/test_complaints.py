"""Complaints suppress the reader whom the token names, in a real store."""

from pathlib import Path

from secondpost.mail.subscriber import SubscriberState
from secondpost.protocols.tokens import Purpose, Token
from tests.bounce.test_intake import DELAYED, Desk, at_desk, mail
from tests.protocols.test_feedback import report

ABUSE = report(b"Feedback-Type: abuse\nUser-Agent: Loop/1\x1b[2J\n")


async def state_of(desk: Desk) -> SubscriberState:
    reader = await desk.store.subscriber(desk.reader)
    assert reader is not None
    return reader.state


def token_of(desk: Desk) -> Token:
    return Token(Purpose.FEEDBACK, desk.reader, desk.issue.number)


def test_a_reader_who_complains_is_suppressed_once(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        said = await desk.complaints.complains(token_of(desk), mail(ABUSE))
        assert said == "the reader complained (abuse): suppressed"
        assert await state_of(desk) is SubscriberState.COMPLAINED
        [event] = [each for each in await desk.store.events_of(desk.reader) if each.what == "complained"]
        assert event.detail == "abuse, reported by Loop/1\\x1b[2J"
        again = await desk.complaints.complains(token_of(desk), mail(ABUSE, 8))
        assert again == "the reader is gone or had already complained: not counted"

    at_desk(tmp_path, story)


def test_a_complaint_to_the_envelope_sender_counts_too(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        said = await desk.intake.came_back(desk.token, mail(ABUSE))
        assert said == "the reader complained (abuse): suppressed"
        assert await desk.store.bounces_of(desk.reader, 10) == []

    at_desk(tmp_path, story)


def test_only_a_report_of_a_complaint_is_one(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        person = b"Subject: Re: Two new articles\r\n\r\nThis is spam.\r\n"
        away = b"Auto-Submitted: auto-replied\r\nSubject: I am away\r\n\r\nFeedback-Type: abuse\r\n"
        others = [report(b"Feedback-Type: " + type) for type in (b"not-spam\n", b"virus\n", b"other\n")]
        for each in (person, away, DELAYED, b"", *others):
            assert "not counted" in await desk.complaints.complains(token_of(desk), mail(each))
        assert await state_of(desk) is SubscriberState.ACTIVE

    at_desk(tmp_path, story)


def test_a_complaint_of_a_reader_who_was_erased_brings_nothing_back(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.store.erase(desk.reader, desk.place.clock.ms)
        assert "gone" in await desk.complaints.complains(token_of(desk), mail(ABUSE))
        assert await desk.store.subscriber(desk.reader) is None

    at_desk(tmp_path, story)

"""Every kind of alarm in the owner's mailbox: its beginning, its end, and what strangers make of it."""

import asyncio
from collections.abc import Callable, Coroutine
from email.message import EmailMessage
from pathlib import Path

import pytest

from secondpost.compose.alarm_mail import remedy
from secondpost.mail.alarm import AlarmEnds, AlarmKind, Severity
from secondpost.mail.duration import DAY_MS, MINUTE_MS
from secondpost.mail.standing_alarms import EVENT_MS
from tests.store.place import SqlitePlace
from tests.watch.test_alarm_desk import CONFIG, Office

SUBJECT = "example.net"
MORE_THAN_ANY_WAIT = 100  # minutes: until what is not urgent is mailed
AT_A_TIME = 5  # minutes
OF_STRANGERS = [kind for kind in AlarmKind if kind.by_strangers]


class OwnersMailbox(Office):
    """The owner's mails, by minute."""

    def __init__(self, place: SqlitePlace) -> None:
        super().__init__(place, CONFIG)
        self.mails: list[tuple[int, EmailMessage]] = []

    async def minute(self, minutes: int = 1) -> None:
        """Let so many minutes pass, and look once."""
        self.clock.ms += minutes * MINUTE_MS
        await self.desk.look()
        self.mails += [(self.clock.ms, mail) for mail in await self.waiting()]
        await self.deliver()

    def news(self, heading: str) -> list[str]:
        """The texts of the mails in which something is `heading`: New, Still so, Over."""
        texts = [" ".join(mail.get_content().split()) for _, mail in self.mails]
        return [text for text in texts if f"{heading}:" in text]


def with_mailbox(tmp_path: Path, story: Callable[[OwnersMailbox], Coroutine[None, None, None]]) -> None:
    async def day() -> None:
        place = SqlitePlace(str(tmp_path))
        try:
            await story(OwnersMailbox(place))
        finally:
            await place.close()

    asyncio.run(day())


@pytest.mark.parametrize("kind", AlarmKind, ids=lambda kind: kind.word)
def test_its_beginning_and_its_end_are_mailed_once(kind: AlarmKind, tmp_path: Path) -> None:
    async def story(owner: OwnersMailbox) -> None:
        for _ in range(0, MORE_THAN_ANY_WAIT, AT_A_TIME):
            owner.alarms.begin(kind, SUBJECT, "because of this")
            await owner.minute(AT_A_TIME)
        [text] = owner.news("New")
        for words in (f"{kind.word.replace('-', ' ')} ({SUBJECT})"[1:], "because of this", remedy(kind)):
            assert " ".join(words.split()) in text
        assert owner.news("Over") == []
        owner.alarms.end(kind, SUBJECT)
        for _ in range(0, MORE_THAN_ANY_WAIT + EVENT_MS // MINUTE_MS, AT_A_TIME):
            await owner.minute(AT_A_TIME)
        assert len(owner.news("New")) == 1
        assert len(owner.news("Over")) == (0 if kind.severity is Severity.NEWS else 1)

    with_mailbox(tmp_path, story)


@pytest.mark.parametrize("kind", OF_STRANGERS, ids=lambda kind: kind.word)
def test_strangers_begin_it_once_a_day_and_delay_nothing(kind: AlarmKind, tmp_path: Path) -> None:
    async def story(owner: OwnersMailbox) -> None:
        begun_ms = owner.clock.ms
        while owner.clock.ms < begun_ms + DAY_MS // 2:
            minute = (owner.clock.ms - begun_ms) // MINUTE_MS
            if minute % 20 == 0:
                owner.alarms.begin(kind, SUBJECT, "strangers")
            elif minute % 20 == 10 and kind.ends is AlarmEnds.WHEN_MENDED:
                owner.alarms.end(kind, SUBJECT)
            if minute == 300:
                owner.alarms.begin(AlarmKind.NO_ROUTE, "other.example", "no MX")
            await owner.minute()
        assert len([text for text in owner.news("New") if "strangers" in text]) <= 1
        [at_ms] = [at_ms for at_ms, mail in owner.mails if "other.example" in mail["Subject"]][:1]
        assert at_ms == begun_ms + 301 * MINUTE_MS

    with_mailbox(tmp_path, story)


def test_strangers_together_are_one_mail(tmp_path: Path) -> None:
    async def story(owner: OwnersMailbox) -> None:
        for _ in range(MORE_THAN_ANY_WAIT):
            for kind in OF_STRANGERS:
                owner.alarms.begin(kind, SUBJECT, "strangers")
            await owner.minute()
        listed = [kind for kind in OF_STRANGERS if kind.severity is not Severity.PASSES]
        assert len(owner.news("New")) == 1
        assert all(kind.word.replace("-", " ")[1:] in owner.news("New")[0] for kind in listed)

    with_mailbox(tmp_path, story)

"""Refusals for a backup domain are counted, at any stage, and written after a while."""

from pathlib import Path

from secondpost.config.records import Backup, LearnedRecipients, Unknown
from secondpost.mail.daily import DailyCount
from secondpost.mail.questions import Knowledge
from secondpost.store.ports import StoreUnavailable
from tests.stations.test_receive import BODY, DOMAIN, ENVELOPE, Office, in_office

BACKUP = Backup(DOMAIN, recipients=(LearnedRecipients(),), unknown=Unknown.DEFER)


def counted(office: Office) -> dict[DailyCount, int]:
    counts: dict[DailyCount, int] = {}
    for one in office.intake.refused:
        assert one.domain == DOMAIN
        counts[one.what] = counts.get(one.what, 0) + one.deliveries
    return counts


def test_recipients_and_whole_messages_are_counted_by_what_they_heard(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        office.knowledge = Knowledge.UNKNOWN
        await client.say(ENVELOPE)  # 550
        office.knowledge = Knowledge.UNREACHABLE
        await client.say(ENVELOPE)  # 451
        office.knowledge = Knowledge.KNOWN
        await client.say(ENVELOPE + b"RCPT TO:<bert@example.net>\r\nDATA\r\n")
        office.intake.error = StoreUnavailable("busy")
        await client.say(BODY + b".\r\n")  # 451 for both
        await client.say(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<x@elsewhere.example>\r\n")  # not our domain
        await office.refusals.write()

    office = in_office(tmp_path, story, backup=BACKUP)
    assert counted(office) == {DailyCount.REFUSED: 1, DailyCount.REFUSED_FOR_NOW: 3}


def test_nothing_is_written_twice_or_when_nothing_was_refused(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        await office.refusals.write()
        office.knowledge = Knowledge.UNKNOWN
        await office.call().say(ENVELOPE)
        await office.refusals.write()
        await office.refusals.write()

    office = in_office(tmp_path, story, backup=BACKUP)
    assert counted(office) == {DailyCount.REFUSED: 1}

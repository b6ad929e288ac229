"""The deliver role writes the MTA-STS policies; what was known last is served while DNS does not answer."""

from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.records import Config, Tls
from secondpost.mail.questions import Finding, MxAnswer, MxRecord, NameAnswer, NameQuestion
from secondpost.mail.store_rooms import StoreRoom
from secondpost.maillog import MailLog
from secondpost.roles.policy_files import PolicyFiles, served_policy
from secondpost.world.real.disk import RealDisk
from tests.alarms import logged_alarms
from tests.clock import SetClock
from tests.stations.test_outages import CONFIG

pytestmark = pytest.mark.anyio
ACME = replace(CONFIG, tls=Tls(acme="me@example.net"))
DOMAIN = CONFIG.backups[0].domain


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Keeping:
    """A deliver role's looks, with DNS as `answer` says."""

    def __init__(self, store: Path, config: Config = ACME) -> None:
        self.lines: list[str] = []
        self.answer = MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.provider.example"),))
        self.disk = RealDisk(str(store))
        self.disk.make_folder(StoreRoom.POLICIES.folder)
        alarms = logged_alarms(self.lines, SetClock().now_ms)
        self.files = PolicyFiles(config, self.disk, self._answer, alarms, MailLog(self.lines.append))

    async def _answer(self, question: NameQuestion) -> NameAnswer:
        return self.answer

    async def look(self) -> str | None:
        """The policy that is served after a look."""
        await self.files.look()
        return served_policy(self.disk, DOMAIN)


async def test_a_policy_is_written_once_and_again_when_dns_has_other_hosts(tmp_path: Path) -> None:
    it = Keeping(tmp_path)
    first = await it.look()
    assert first is not None
    assert "mx: mx1.provider.example\r\n" in first
    assert "mode: testing\r\n" in first
    assert await it.look() == first
    it.answer = MxAnswer(Finding.FOUND, (MxRecord(10, "mx9.provider.example"),))
    second = await it.look()
    assert second is not None
    assert "mx9.provider.example" in second
    assert sum("policy-changed" in line for line in it.lines) == 2 * len(ACME.backups)


async def test_while_dns_does_not_answer_the_last_policy_stays(tmp_path: Path) -> None:
    it = Keeping(tmp_path)
    first = await it.look()
    for finding in (Finding.FAILED, Finding.NO_NAME, Finding.NO_DATA):
        it.answer = MxAnswer(finding)
        assert await it.look() == first
    assert await Keeping(tmp_path / "new").look() is not None
    other = Keeping(tmp_path / "other")
    other.answer = MxAnswer(Finding.FAILED)
    assert await other.look() is None


async def test_without_acme_and_without_the_owners_word_nothing_is_written(tmp_path: Path) -> None:
    assert await Keeping(tmp_path, CONFIG).look() is None

"""The files of the MTA-STS policies: the deliver role writes them, and the web role serves them.

The web role has no network. It serves what it finds: so what was known last is served while DNS does not
answer, and also while the deliver role does not run.
"""

import asyncio
import os

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.sts_policy import policy_file
from secondpost.maillog import MailLog
from secondpost.protocols.mta_sts import POLICY_OCTETS_MAX
from secondpost.setup.own_policy import ask_policy, policy_id
from secondpost.setup.wanted import policy_domains
from secondpost.world.asking import Answerer, drive
from secondpost.world.ports import Disk, FileUnreadable
from secondpost.world.real.files import FileRefused, replace_file
from secondpost.world.real.modes import modes_in


def served_policy(disk: Disk, domain: Domain) -> str | None:
    """The policy that is served for a domain; None if it has none."""
    try:
        return disk.read(policy_file(domain), 0, POLICY_OCTETS_MAX).decode("utf-8", "replace")
    except (FileNotFoundError, FileUnreadable):
        return None


class PolicyFiles:
    """Keeps them up to date. With no domain to serve for, it does nothing."""

    def __init__(
        self, config: Config, disk: Disk, answerer: Answerer, alarms: StandingAlarms, log: MailLog
    ) -> None:
        self._config = config
        self._disk = disk
        self._answerer = answerer
        self._alarms = alarms
        self._log = log

    async def run(self, seconds: float) -> None:
        """Look now, and again after so many seconds each."""
        if len(policy_domains(self._config)) == 0:
            return
        while True:
            await self.look()
            await asyncio.sleep(seconds)

    async def look(self) -> None:
        for domain in policy_domains(self._config):
            try:
                await self._look(domain)
            except (OSError, FileRefused) as error:
                self._alarms.begin(AlarmKind.HOUSEKEEPING_WAITS, "", f"{policy_file(domain)}: {error}")

    async def _look(self, domain: Domain) -> None:
        """Write the domain's policy if it has changed."""
        policy = await drive(ask_policy(self._config, domain), self._answerer)
        if policy is None or policy.text == served_policy(self._disk, domain):
            return
        path = self._disk.path(policy_file(domain))
        mode = modes_in(os.path.dirname(path)).file
        replace_file(path, policy.text.encode(), new_mode=mode)
        self._log.policy_changed(domain, policy_id(policy.text), policy.hosts)

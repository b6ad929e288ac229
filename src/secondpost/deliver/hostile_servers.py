"""Looks for attacks in what next servers send that is no reply. It changes nothing of a delivery.

Ordinary replies cost nothing: only a session that the protocol core gave up is looked at.
"""

import asyncio

from secondpost.mail.attack import sample_of
from secondpost.mail.network import caller_prefix
from secondpost.maillog import MailLog
from secondpost.protocols.attacks.matching import found_in_reply
from secondpost.spool.attack_tally import STORE_SECONDS, AttackTally
from secondpost.world.background import Background


class HostileServers:
    def __init__(self, tally: AttackTally, log: MailLog, background: Background) -> None:
        self._tally = tally
        self._log = log
        self._background = background
        self._stores = False  # a task will store what is counted

    def look(self, address: str, octets: bytes) -> None:
        """Count and log the attacks in the last octets of a broken session with the server at `address`.

        The log needs no limit of its own: we began the session, and write a line for each rule at most.
        """
        for found in found_in_reply(octets):
            self._tally.count(address, caller_prefix(address), found)
            rule, sample = found.rule, sample_of(found.sample)
            self._log.attack(address, rule.id, rule.grade, rule.cves, found.place, sample)
            if not self._stores:
                self._stores = True
                self._background(self._store())

    async def _store(self) -> None:
        # Begun by an attack, so that a server that meets none has no timer for it.
        while not self._tally.is_stored:
            await asyncio.sleep(STORE_SECONDS)
            await self._tally.write()
        self._stores = False

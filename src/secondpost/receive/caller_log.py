"""Logs and counts what clients do. The log has limits, so that no stranger can fill it: lines beyond a
limit are counted, and the count is logged. The tally counts everything.

The limits are for the lines of one session, of one network per minute, and of all networks per
minute. The line of an accepted message is always written and does not count.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.attack import sample_of
from secondpost.mail.metrics import TLS_FAILED, Metric
from secondpost.mail.queue_id import QueueId
from secondpost.mail.reply import Reply
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.protocols.attacks.matching import AttackFound
from secondpost.protocols.smtp.server_events import Event
from secondpost.receive.attacks import GUESSING, Attack, Attacks
from secondpost.receive.callers import Caller
from secondpost.receive.session_watch import ServerNamed
from secondpost.world.ports import NetError, TlsFacts

SESSION_LINES_MAX = 5  # of one kind
NETWORK_LINES_MAX = 60  # per minute
LINES_MAX = 3000  # per minute, of all networks together
MINUTE_SECONDS = 60.0
ALL_NETWORKS = "all"


class CallerLog:
    """Counts lines per minute; a minute begins with its first line."""

    def __init__(self, log: MailLog, attacks: Attacks, tally: Tally) -> None:
        self.log = log
        self.attacks = attacks
        self.tally = tally
        self._lines = 0
        self._by_network: Counter[str] = Counter()
        self._unwritten: Counter[tuple[str, str]] = Counter()  # by network and line
        self._timer: asyncio.TimerHandle | None = None

    def may_write(self, network: str, line: str, times: int = 1) -> bool:
        """Count the line; returns whether it may be written. If not, it counts `times` times."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(MINUTE_SECONDS, self.end_minute)
        if self._by_network[network] >= NETWORK_LINES_MAX:
            self._unwritten[network, line] += times
        elif self._lines >= LINES_MAX:
            self._unwritten[ALL_NETWORKS, line] += times
        else:
            self._lines += 1
            self._by_network[network] += 1
            return True
        return False

    def refused_connection(self, caller: Caller, reason: str) -> None:
        self.attacks.count(Attack.FLOOD, caller)
        self.tally.count(Metric.CONNECTIONS_REFUSED, reason)
        if self.may_write(caller.link, "refused-connection"):
            self.log.refused_connection(caller.address, reason)

    def end_minute(self) -> None:
        """Log the counts of lines not written, and reset all counts."""
        for (network, line), times in self._unwritten.items():
            self.log.not_logged(network, line, times)
        self._lines = 0
        self._by_network.clear()
        self._unwritten.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class SessionLog:
    """The lines of one session, with a limit per kind of line."""

    __slots__ = ("_caller", "_lines", "_times", "_watch")

    def __init__(self, lines: CallerLog, caller: Caller) -> None:
        self._lines = lines
        self._caller = caller
        self._times: dict[str, int] = {}  # by line
        self._watch = lines.attacks.watch(caller)

    def connected(self) -> None:
        self._lines.tally.count(Metric.CONNECTIONS)
        if self._lines.may_write(self._caller.link, "connected"):
            self._lines.log.connected(self._caller.address)

    def named(self, server_name: str) -> None:
        """Look at the server name that the client asks for in TLS. Never raises."""
        self.see(ServerNamed(server_name))

    def see(self, event: Event | ServerNamed) -> None:
        """Look for attacks in what the protocol core reports. Never raises."""
        if self._watch is None:
            return
        try:
            found = self._watch.see(event)
            if len(found) > 0:
                self._attacked(found)
        except Exception as error:  # noqa: BLE001  a fault of the watch must not cost mail
            self._watch = None
            if self._may_write("watch-failed"):
                self._lines.log.watch_failed(self._caller.address, repr(error))

    def lost_connection(self, phase: str) -> None:
        self._lines.tally.count(Metric.LOST)
        if self._lines.may_write(self._caller.link, "lost-connection"):
            self._lines.log.lost_connection(self._caller.address, phase)

    def refused(self, sender: ReversePath, recipient: Mailbox | None, reply: Reply, reason: str) -> None:
        if reason in GUESSING:
            self._written(self._lines.attacks.guess(self._caller, reason, str(recipient)))
        self._count("mail" if recipient is None else "rcpt", reply, reason)
        if self._may_write("refused"):
            self._lines.log.refused(self._caller.address, sender, recipient, reply, reason)

    def protocol_fault(self, fault: str) -> None:
        self._lines.attacks.count(Attack.FAULTS, self._caller)
        self._lines.tally.count(Metric.FAULTS)
        if self._may_write("protocol-fault"):
            self._lines.log.protocol_fault(self._caller.address, fault)

    def handshake(self, facts: TlsFacts) -> None:
        self._lines.tally.count(Metric.HANDSHAKES, facts.version)

    def handshake_failed(self, error: NetError) -> None:
        self._lines.tally.count(Metric.HANDSHAKES, TLS_FAILED)
        self.protocol_fault(f"TLS handshake failed: {error}")

    def not_accepted(self, queue_id: QueueId, reply: Reply, reason: str) -> None:
        self._count("content", reply, reason)
        if self._may_write("not-accepted"):
            self._lines.log.not_accepted(queue_id, self._caller.address, reply, reason)

    def normalized(self, queue_id: QueueId, newlines: int) -> None:
        if self._may_write("normalized"):
            self._lines.log.normalized(queue_id, self._caller.address, newlines)

    def forged_results(self, queue_id: QueueId, fields: int) -> None:
        if self._may_write("forged-results"):
            self._lines.log.forged_results(queue_id, self._caller.address, fields)

    def end(self) -> None:
        """Log how many lines of each kind were not written."""
        for line, times in self._times.items():
            more = times - SESSION_LINES_MAX
            if more > 0 and self._lines.may_write(self._caller.link, line, more):
                self._lines.log.not_logged(self._caller.address, line, more)

    def _attacked(self, found: Sequence[AttackFound]) -> None:
        for one in found:
            self._written(self._lines.attacks.found(self._caller, one))

    def _written(self, counted: Sequence[AttackFound]) -> None:
        for one in counted:
            if self._may_write("attack"):
                rule, sample = one.rule, sample_of(one.sample)
                self._lines.log.attack(
                    self._caller.address, rule.id, rule.grade, rule.cves, one.place, sample
                )

    def _count(self, stage: str, reply: Reply, reason: str) -> None:
        its_class = "permanent" if reply.is_permanent else "temporary"
        self._lines.tally.count(Metric.REFUSED, stage, its_class, reason)

    def _may_write(self, line: str) -> bool:
        self._times[line] = times = self._times.get(line, 0) + 1
        return times <= SESSION_LINES_MAX and self._lines.may_write(self._caller.link, line)

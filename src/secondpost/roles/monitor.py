"""The part of the deliver role that shows monitoring systems how the whole service is.

The deliver role does it because it always runs, is the only one of its kind, and sees both stores. What
the other processes count they state over a Unix socket.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from secondpost import __version__
from secondpost.mail.address import Endpoint
from secondpost.maillog import MailLog
from secondpost.protocols.tally_statements import StatedTally
from secondpost.roles.parts import Parts, opened
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.watch.monitor_door import MakePage, MonitorDoor, MonitorPage
from secondpost.watch.readiness import Readiness, ReadinessLook
from secondpost.watch.shared_look import SharedLook
from secondpost.watch.totals import Totals
from secondpost.world.background import Background
from secondpost.world.ports import Listening, NetError
from secondpost.world.sockets.tallies import TALLIES, TallyListener, TallyReporter

if TYPE_CHECKING:
    from secondpost.watch.exposition import Gauge

ASK_SECONDS_MAX = 1.0
REST_SECONDS = 0.1  # between two looks, however many ask
OWN_PLACE = 0  # of this process among the connections, which count from 1
JSON_TYPE = "application/json"


class Monitor:
    def __init__(self, parts: Parts, log: MailLog, background: Background) -> None:
        self._parts = parts
        self._log = log
        self._totals = Totals()
        self._listener = TallyListener(self._totals.heard, self._totals.left)
        self._own_name = "+".join(sorted(parts.own_roles))
        store = opened(parts.mail)
        # A write that changes nothing: no record of a primary is that old.
        readiness = ReadinessLook(self._ask, lambda: store.forget_primaries(0), self._totals)
        self._readiness = SharedLook(readiness.look, REST_SECONDS)
        self._gauges = SharedLook(self._look, REST_SECONDS)
        pages: dict[str, MakePage] = {
            "/metrics": self._metrics,
            "/health": self._health,
            "/ready": self._ready,
        }
        self._door = MonitorDoor(pages, background)
        self._doors: list[Listening] = []

    async def start(self) -> None:
        settings, net = self._parts.config.metrics, self._parts.world.net
        if len(settings.listen) == 0:
            return
        self._doors.append(await self._listener.open(net, self._parts.world.disk.path(TALLIES)))
        for endpoint in settings.listen:
            await self._listen(endpoint)

    async def _listen(self, endpoint: Endpoint) -> None:
        try:
            self._doors.append(await self._parts.world.net.listen(self._door.welcome, endpoint))
        except NetError as error:
            if not self._parts.config.metrics.is_usual:
                raise
            self._log.not_monitored(endpoint, str(error))

    def stop_listening(self) -> None:
        """A successor answers from now on, and the processes state their counts to it."""
        while len(self._doors) > 0:
            self._doors.pop().close()
        self._listener.close()

    async def hand_over(self) -> None:
        """State to the successor what was counted here since the last look."""
        if len(self._parts.config.metrics.listen) > 0:
            net, path = self._parts.world.net, self._parts.world.disk.path(TALLIES)
            await TallyReporter(net, path, self._own_name, self._parts.tally).finish()

    async def _ask(self) -> frozenset[str]:
        """Have all processes state what they counted; returns the names of those that did."""
        tally = self._parts.tally
        self._totals.heard(OWN_PLACE, StatedTally(self._own_name, tally.taken(), tally.measured()))
        return frozenset({self._own_name}) | await self._listener.ask(ASK_SECONDS_MAX)

    # ------------------------------------------------------------ the pages

    async def _metrics(self, accept: str) -> MonitorPage:
        from secondpost.watch.exposition import metrics_page

        try:
            gauges = await self._gauges.now()
        except (StoreUnavailable, StoreFull) as error:
            return MonitorPage(f"{error}\n".encode(), status=503)
        page = metrics_page(self._totals.counts(), gauges, accept)
        return MonitorPage(page.body, page.content_type)

    async def _health(self, accept: str) -> MonitorPage:
        return _json({"status": "ok", "version": __version__})

    async def _ready(self, accept: str) -> MonitorPage:
        found: Readiness = await self._readiness.now()
        reasons = [reason.value for reason in found.reasons]
        return _json({"ready": found.is_ready, "reasons": reasons}, 200 if found.is_ready else 503)

    async def _look(self) -> "Sequence[Gauge]":
        from secondpost.watch.gauges import mail_gauges, newsletter_gauges

        parts = self._parts
        answered = await self._ask()
        gauges = [*self._of_machine(answered), *await mail_gauges(opened(parts.mail), parts.config)]
        if parts.readers is not None:
            gauges += await newsletter_gauges(parts.readers, parts.config)
        return gauges

    def _of_machine(self, answered: frozenset[str]) -> "list[Gauge]":
        from secondpost.watch.process_gauges import machine_gauges, process_gauges

        parts = self._parts
        return [
            *machine_gauges(parts.world.disk, parts.config),
            *process_gauges(self._totals, answered, parts.all_roles),
        ]


def _json(value: dict[str, object], status: int = 200) -> MonitorPage:
    return MonitorPage(json.dumps(value).encode() + b"\n", JSON_TYPE, status)

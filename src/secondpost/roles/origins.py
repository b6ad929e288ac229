"""Where networks belong: looked up in a table on this machine, or asked of Team Cymru over DNS."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from secondpost.config.faults import Wrong
from secondpost.config.networks import NetworkTable, read_networks
from secondpost.config.records import NetworkLookup, NetworksFile
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.arrivals import NetworkOrigin
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.protocols.cymru import NOWHERE, origin_asked
from secondpost.receive.lists import Stamp
from secondpost.roles.parts import Parts
from secondpost.watch.arrivals import OriginLookup
from secondpost.world.asking import Answerer, drive, names_from
from secondpost.world.ports import Work
from secondpost.world.real.files import file_stamp


def origin_lookup(parts: Parts) -> OriginLookup | None:
    """The way that the configuration names; None for "none"."""
    match parts.config.watch.networks:
        case NetworksFile(path):
            read = partial(read_networks, path, parts.open_file)
            stamp = partial(file_stamp, path)
            return TableOrigins(path, parts.world.work, stamp, read, parts.alarms).look_up
        case NetworkLookup.CYMRU:
            return AskedOrigins(names_from(parts.world.resolver)).look_up
        case NetworkLookup.NONE:
            return None


class TableOrigins:
    """Reads the table, in a thread, when it is first needed, and again after it changed.

    A table that cannot be used is an alarm, and the last good one stays in use. `stamp`: the state of
    the file.
    """

    def __init__(
        self,
        path: str,
        work: Work,
        stamp: Callable[[], Stamp | None],
        read: Callable[[], NetworkTable],
        alarms: StandingAlarms,
    ) -> None:
        self._path = path
        self._work = work
        self._stamp = stamp
        self._read = read
        self._alarms = alarms
        self._tried: Stamp | None = None
        self._table: NetworkTable | None = None

    async def look_up(self, networks: Sequence[str]) -> Mapping[str, NetworkOrigin]:
        """Nothing is found as long as there was no table that can be used."""
        stamp = self._stamp()
        if stamp is None or stamp != self._tried:
            await self._read_again()
            self._tried = stamp
        if self._table is None:
            return {}
        return {network: self._table.origin(network) or NOWHERE for network in networks}

    async def _read_again(self) -> None:
        try:
            self._table = await self._work.run(self._read)
        except Wrong as wrong:
            self._alarms.begin(AlarmKind.NETWORKS_FILE, self._path, wrong.reason)
            return
        self._alarms.end(AlarmKind.NETWORKS_FILE, self._path)


class AskedOrigins:
    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    async def look_up(self, networks: Sequence[str]) -> Mapping[str, NetworkOrigin]:
        """Ends with the first network of which there is no answer: the rest is for the next look."""
        found: dict[str, NetworkOrigin] = {}
        for network in networks:
            origin = await drive(origin_asked(network), self._answerer)
            if origin is None:
                break
            found[network] = origin
        return found

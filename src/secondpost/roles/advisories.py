"""Advisories: what runs here, the part of the deliver role that asks for them daily, and asking now."""

import asyncio
from collections.abc import Sequence

from secondpost.config.addresses import host_of_url
from secondpost.config.files import OpenToRead, open_to_read
from secondpost.config.records import Config
from secondpost.mail.alarm import AlarmKind
from secondpost.protocols.osv.circumstances import Circumstance
from secondpost.protocols.osv.inventory import inventory_of
from secondpost.roles.parts import SERVICES, Parts, opened
from secondpost.roles.web_services import needs_fetch
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.watch.advisories import AdvisoryRounds, WhatRuns
from secondpost.world.background import Background
from secondpost.world.ports import Clock
from secondpost.world.sockets.services import ServiceAsker


def circumstances_of(config: Config) -> dict[Circumstance, bool]:
    return {
        Circumstance.PAGES: config.has_web,
        Circumstance.NEWSLETTER: len(config.newsletters) > 0,
        Circumstance.ACME: config.tls.acme is not None,
        Circumstance.FETCHING: needs_fetch(config),
        Circumstance.METRICS: len(config.metrics.listen) > 0,
    }


def what_runs(
    config: Config | None,
    also: Sequence[str] = (),
    open_file: OpenToRead = open_to_read,
    *,
    runs_programs: bool = False,
) -> WhatRuns:
    """What is installed now, and how it is set up, which is not known without a configuration.

    `also`: mail servers of this machine; `runs_programs`: whether other programs may be asked, which no
    role may.
    """
    from secondpost.store.sqlite.connection import library_version
    from secondpost.world.real.inventory import machine_contents, mail_server_circumstances
    from secondpost.world.real.machine import library_versions

    libraries = {"SQLite": library_version(), **library_versions()}
    contents = machine_contents(libraries, open_file, runs_programs=runs_programs)
    here = {} if config is None else circumstances_of(config)
    if runs_programs and len(also) > 0:
        here |= mail_server_circumstances()
    return WhatRuns(inventory_of(contents, also), here)


def service_host(config: Config) -> str:
    return host_of_url(config.watch.advisories_url)


class AdvisoryWatch:
    """Does nothing unless the configuration wants it.

    What is installed is looked at once: what is upgraded afterwards does not run before a reload.
    """

    def __init__(self, parts: Parts, clock: Clock, background: Background) -> None:
        self._parts = parts
        self._clock = clock
        self._background = background

    def start(self) -> None:
        if self._parts.config.watch.advisories:
            self._background(self._run())

    async def _run(self) -> None:
        parts, world = self._parts, self._parts.world
        config, alarms = parts.config, parts.alarms
        runs = await world.work.run(lambda: what_runs(config, open_file=parts.open_file))
        asker = ServiceAsker(world.net, world.disk.path(SERVICES))
        host = service_host(config)
        rounds = AdvisoryRounds(opened(parts.mail), self._clock, alarms, asker.ask, runs, host)
        while True:
            try:
                await rounds.look()
                alarms.end(AlarmKind.HOUSEKEEPING_WAITS, "advisories")
            except (StoreUnavailable, StoreFull) as error:
                alarms.begin(AlarmKind.HOUSEKEEPING_WAITS, "advisories", str(error))
            await asyncio.sleep(parts.rhythms.advisories_seconds)

"""The product on its machine: its roles are built, watched and restarted as by the supervisor."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from secondpost.config.records import Config
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.maillog import MailLog
from secondpost.roles.deliver import DeliverRole, newsletter_delivery
from secondpost.roles.fetch import FetchRole
from secondpost.roles.parts import USUAL, Parts, Rhythms, Role, World
from secondpost.roles.publish import PublishRole
from secondpost.roles.receive import ReceiveRole
from secondpost.roles.web import public_pages
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from simulation.daylog import DayLog
from simulation.internet.blog import SimBlog, SimFetcher
from simulation.keys import reader_keys
from simulation.machine import Machine, Process
from simulation.people.pages import Pages, Posted
from simulation.scenario import STRIKES_SECONDS_MAX
from simulation.steps import CallWatch, watched
from simulation.trace import Trace
from simulation.work import in_thread

MAIL_ROLES = ("receive", "deliver")
NEWS_ROLES = ("publish", "fetch")
WEB_ROLES = ("web",)
RESTART_SECONDS = 2.0
POST_SECONDS = 0.05  # from a reader's browser to us


Wiring = Callable[[str, Parts], Parts]


def as_built(role: str, parts: Parts) -> Parts:
    """The wiring that changes nothing; planted bugs have others."""
    return parts


@dataclass(slots=True)
class SimService:
    machine: Machine
    config: Config
    blog: SimBlog
    log: DayLog
    trace: Trace
    wiring: Wiring
    rhythms: Rhythms = USUAL
    powered: bool = True
    steps: CallWatch = field(default_factory=CallWatch)
    open_at_death: int = 0  # connections that deliver had, over all its deaths
    _pages: tuple[Process, Pages] | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        news = NEWS_ROLES if self._has_newsletter else ()
        web = WEB_ROLES if self._has_newsletter and self.config.web.url is not None else ()
        return (*MAIL_ROLES, *news, *web)

    @property
    def _has_newsletter(self) -> bool:
        return len(self.config.newsletters) > 0

    def start_all(self) -> None:
        self.powered = True
        for role in self.roles:
            self.start(role)

    def start(self, role: str) -> None:
        process = self.machine.process(role)
        process.start(self._run(process, role))

    def after_words(self, role: str, words: int, later_seconds: float, strike: Callable[[], None]) -> None:
        """Call `strike` shortly after the role's n-th next write to a peer, or when
        STRIKES_SECONDS_MAX is nearly over.
        """
        loop = self.machine.internet.loop
        net = self.machine.processes[role].net
        left = words
        struck = False

        def once() -> None:
            nonlocal struck
            net.wrote = None
            if not struck:
                struck = True
                strike()

        def wrote() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                loop.call_later(later_seconds, once)

        net.wrote = wrote
        loop.call_later(STRIKES_SECONDS_MAX - 1.0, once)

    def crash(self, role: str) -> None:
        """kill -9; the role is restarted after RESTART_SECONDS."""
        self._count_open()
        self.machine.processes[role].kill()
        self._again(role)

    def _count_open(self) -> None:
        deliver = self.machine.processes["deliver"]
        if deliver.running:
            self.open_at_death += len(deliver.net.ends)

    def stop_gracefully(self, role: str) -> None:
        """SIGTERM: the role drains and is restarted."""
        self.machine.processes[role].stopping.set()

    def power_cut(self) -> None:
        self._count_open()
        self.powered = False
        self.machine.power_cut(self.machine.dice.scheduling)

    def power_on(self) -> None:
        self.machine.power_on()
        self.start_all()

    def _again(self, role: str) -> None:
        def start() -> None:
            if self.powered and not self.machine.processes[role].running:
                self.start(role)

        self.machine.internet.loop.call_later(RESTART_SECONDS, start)

    async def _run(self, process: Process, role: str) -> None:
        died: asyncio.Future[str] = process.loop.create_future()

        def failed(fault: BaseException) -> None:
            if not died.done():
                died.set_result(f"{type(fault).__name__}: {fault}")

        stop = asyncio.ensure_future(process.stopping.wait())
        ends = AsyncExitStack()
        try:
            await self._wire(process, role, failed, ends)
        except Exception as fault:  # noqa: BLE001
            self._note(role, f"role-not-started role={role} reason={type(fault).__name__}: {fault}")
            self.machine.internet.loop.call_soon(self._ended, process, role)
            return
        try:
            await asyncio.wait((died, stop), return_when=asyncio.FIRST_COMPLETED)
            if not died.done():
                await ends.aclose()
        except Exception as fault:  # noqa: BLE001
            failed(fault)
        reason = died.result() if died.done() else "stopped"
        self._note(role, f"role-ended role={role} reason={reason}")
        # The process ends: the kernel closes its connections.
        self.machine.internet.loop.call_soon(self._ended, process, role)

    def _ended(self, process: Process, role: str) -> None:
        if process.running and role == "deliver":
            self._count_open()
        process.kill()
        if self.powered:
            self._again(role)

    async def _wire(
        self, process: Process, role: str, failed: Callable[[BaseException], None], ends: AsyncExitStack
    ) -> None:
        parts = self.wiring(role, self._parts(process, role, failed, ends))
        if parts.readers is not None:
            parts = replace(parts, readers=watched(parts.readers, partial(self.steps.took, role)))
        built = self._role(role, parts)
        await built.start()
        ends.push_async_callback(built.drain)
        if isinstance(built, Pages):
            self._pages = (process, built)

    def _parts(
        self, process: Process, role: str, failed: Callable[[BaseException], None], ends: AsyncExitStack
    ) -> Parts:
        machine = self.machine
        disk, work, clock = process.disk, process.work, machine.clock
        world = World(
            clock=clock,
            dice=machine.dice.product,
            net=process.net,
            resolver=process.resolver,
            work=work,
            disk=disk,
        )
        mail: SqliteStore | None = None
        readers: SqliteNewsletterStore | None = None
        if role in ("receive", "deliver"):
            mail = in_thread(
                process.loop.timeline,
                lambda: SqliteStore.open(disk, work, clock, role=role, failed=failed),
            )
            ends.callback(mail.close)
        if self._has_newsletter and role in ("deliver", "publish", "web"):
            readers = in_thread(
                process.loop.timeline,
                lambda: SqliteNewsletterStore.open(disk, work, clock, role=role, failed=failed),
            )
            ends.callback(readers.close)
        sink = partial(self._note, role)
        log = MailLog(sink)
        alarms = StandingAlarms(log.alarm, clock.now_ms, say_over=log.alarm_over)
        return Parts(self.config, world, sink, failed, alarms, mail, readers, self.rhythms)

    def _role(self, role: str, parts: Parts) -> Role:
        match role:
            case "receive":
                return ReceiveRole(parts)
            case "deliver":
                return DeliverRole(parts, newsletter_delivery(parts, reader_keys()))
            case "publish":
                return PublishRole(parts)
            case "fetch":
                asked = partial(self.steps.took, role, "get")
                fetcher = SimFetcher(self.blog, self.machine.dice.scheduling, asked)
                return FetchRole(parts, fetcher, fetcher, fetcher)
            case "web":
                return Pages(public_pages(parts, reader_keys().links))
        raise LookupError(f"there is no role {role}")

    # -- readers' browsers
    def post(self, posted: Posted, answered: Callable[[int], None]) -> None:
        """Post a form. `answered` gets the status, unless the web role is down or dies."""
        if self._pages is None or not self._pages[0].running:
            return
        process, pages = self._pages

        async def serve() -> None:
            status = await pages.post(posted)
            self.machine.internet.loop.call_later(POST_SECONDS, answered, status)

        process.loop.call_later(POST_SECONDS, lambda: process.loop.create_task(serve()))

    def _note(self, role: str, text: str) -> None:
        seconds = self.machine.internet.timeline.now
        self.log.note(seconds, role, text)
        self.trace.note(seconds, f"{role}: {text}")

"""A supervisor becomes another program, and no caller notices.

The supervisor runs the new program in its own process (handed_over), which then does what a reload
does: it prepares a successor of each role and gives it the place, while the former processes finish
what they had. The sockets stay open all the time. Until the command that asked says `keep`, the former
program is there to go back to, which is the same change in the other direction.

A new program that changes the schema of the store cannot run beside the old one. Then the roles end
first, with callers waiting in the queues of the sockets; the databases are copied and migrated; and the
new roles begin only after `keep`. Nothing is accepted or sent in between, so going back puts the copies
back and loses nothing (held_store, which is large: only a supervisor that becomes another imports it).
"""

import asyncio
import os
import signal
from collections.abc import Callable
from functools import partial

import msgspec

from secondpost import __version__
from secondpost.config.records import Config
from secondpost.maillog import MailLog
from secondpost.processes.crew import Crew
from secondpost.processes.handed_over import (
    FORM,
    HandedOver,
    SuccessionStep,
    become_program,
)
from secondpost.processes.instance import SecondInstance
from secondpost.processes.own_rooms import log_migrated
from secondpost.processes.program_trial import NotTaken, Reasons, file_as_read_here, reasons_of, tried
from secondpost.processes.reload import PreparedRoles, Reload, ReloadRefused
from secondpost.processes.upgrade_asker import answer, connected, is_kept
from secondpost.processes.upgrade_talk import (
    Upgrade,
    UpgradeState,
    why_not_run,
)
from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.world.ports import DiskFailed, DiskFull, Work
from secondpost.world.sockets.one_line import OneLine

# Their default would end the process while it is not yet ready to hear them; they wait meanwhile.
AWAITED_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STORE_FAULTS = (StoreFull, StoreRefused, StoreUnavailable, SecondInstance, DiskFull, DiskFailed)
UNITS_RESTART = "this version changes the schema of the store, for which units have to be restarted"


class Succession:
    """`lock`: the descriptor of the service's lock; `write_log` writes all lines of the log."""

    def __init__(
        self,
        crew: Crew,
        reload: Reload,
        log: MailLog,
        lock: int,
        write_log: Callable[[], None],
        work: Work,
    ) -> None:
        self._crew = crew
        self._reload = reload
        self._log = log
        self._lock = lock
        self._write_log = write_log
        self._work = work

    # ------------------------------------------------------------ in the program so far

    async def hand_to(self, upgrade: Upgrade, asker: OneLine) -> None:
        """Become another program. Returns if that was refused, and says why to the asker."""
        try:
            async with self._reload.one_at_a_time:
                for program in (upgrade.program, upgrade.back):
                    why = why_not_run(program, self._crew.accepted.config.store)
                    if why is not None:
                        raise NotTaken(why)
                handed = self._handed(SuccessionStep.TAKE, upgrade.back, asker)
                await tried(upgrade.program, handed)
                async with self._crew.unchanging():
                    handed = msgspec.structs.replace(handed, roles=self._crew.handed())
                    self._become(upgrade.program, handed)
        except NotTaken as refused:
            self._refuse(refused.why, asker)

    def _handed(
        self, step: SuccessionStep, back: str, asker: OneLine | None, why: Reasons = ()
    ) -> HandedOver:
        accepted = self._crew.accepted
        connection = None if asker is None or asker.transport is None else asker.transport
        return HandedOver(
            form=FORM,
            step=step,
            program=back,
            version=__version__,
            only=self._crew.only,
            path=os.path.abspath(accepted.config.path),
            text=accepted.config.text,
            copies=accepted.copies,
            doors={str(at): door.fileno() for at, door in self._crew.doors.items()},
            lock=self._lock,
            roles=(),
            asker=None if connection is None else connection.get_extra_info("socket").fileno(),
            why=why,
        )

    def _become(self, program: str, handed: HandedOver) -> None:
        """Raises NotTaken if it could not be run."""
        self._write_log()
        signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED_SIGNALS)
        try:
            become_program(program, handed)
        except OSError as error:
            hear_signals()
            raise NotTaken(f"{program} cannot be run: {error.strerror}") from None

    def _refuse(self, why: Reasons, asker: OneLine | None) -> None:
        for each in why:
            self._log.not_upgraded(each)
        answer(asker, UpgradeState.REFUSED, why)

    # ------------------------------------------------------------ in the program that comes

    async def go_on(self, handed: HandedOver) -> None:
        """Do what the step says, after the processes were adopted. Nothing else changes them meanwhile."""
        async with self._reload.one_at_a_time:
            asker = None if handed.asker is None else await connected(handed.asker)
            match handed.step:
                case SuccessionStep.TAKE:
                    await self._take(handed, asker)
                case SuccessionStep.RESUME:
                    self._refuse(handed.why, asker)
                case SuccessionStep.RETURN:
                    await self._return(handed, asker)
            if asker is not None:
                asker.close_soon()

    async def standing(self, asker: OneLine) -> None:
        """Say which version runs, once it is certain."""
        async with self._reload.one_at_a_time:
            answer(asker, UpgradeState.KEPT, missing=self._missing())

    async def _take(self, handed: HandedOver, asker: OneLine | None) -> None:
        from secondpost.processes.held_store import is_schema_to_change

        before = self._crew.accepted.config
        try:
            config = file_as_read_here(before, self._crew.only)
            is_held = is_schema_to_change(config)
            if is_held and self._crew.only is not None:
                raise NotTaken(UNITS_RESTART)
        except (NotTaken, *STORE_FAULTS) as error:
            await self._give_back(handed, SuccessionStep.RESUME, reasons_of(error), asker)
            return
        if is_held:
            await self._take_held(handed, config, asker)
        else:
            await self._take_beside(handed, before, asker)

    async def _take_beside(self, handed: HandedOver, before: Config, asker: OneLine | None) -> None:
        """While the former roles serve."""
        try:
            prepared = await self._reload.prepared(before)
        except ReloadRefused as refused:
            await self._give_back(handed, SuccessionStep.RESUME, reasons_of(refused), asker)
            return
        await self._reload.relieve(prepared)
        missing = self._missing()
        if len(missing) > 0:
            why = tuple(f"the {role} role of version {__version__} does not serve" for role in missing)
            await self._give_back(handed, SuccessionStep.RETURN, why, asker)
            return
        answer(asker, UpgradeState.SERVING)
        if not await is_kept(asker):
            await self._give_back(handed, SuccessionStep.RETURN, (), asker)
            return
        self._kept(handed, asker)

    async def _take_held(self, handed: HandedOver, config: Config, asker: OneLine | None) -> None:
        """After the former roles have ended, and with the new ones waiting."""
        from secondpost.processes.held_store import hold_store, let_go, take_store_back

        self._log.upgrade_holds(__version__)
        await self._crew.finish()
        prepared: PreparedRoles | None = None
        try:
            migrated = await self._work.run(partial(hold_store, config))
            prepared = await self._reload.prepared(config)
            answer(asker, UpgradeState.HELD)
            if not await is_kept(asker):
                raise NotTaken
            await self._work.run(partial(let_go, config))
        except (NotTaken, ReloadRefused, *STORE_FAULTS) as error:
            if prepared is not None:
                await asyncio.gather(*(one.stopped_within(0) for one in prepared.successors))
            await self._work.run(partial(take_store_back, config))
            await self._give_back(handed, SuccessionStep.RETURN, reasons_of(error), asker)
            return
        log_migrated(self._log, migrated)
        await self._reload.relieve(prepared)
        self._kept(handed, asker)

    def _kept(self, handed: HandedOver, asker: OneLine | None) -> None:
        self._log.upgraded(handed.version, __version__)
        answer(asker, UpgradeState.KEPT, missing=self._missing())

    def _missing(self) -> tuple[str, ...]:
        serving = {process.role for process in self._crew.serving()}
        return tuple(role for role in self._crew.roles_of(self._crew.accepted.config) if role not in serving)

    async def _give_back(
        self, handed: HandedOver, step: SuccessionStep, why: Reasons, asker: OneLine | None
    ) -> None:
        """Become the former program again. If it cannot be run any more, this one stays."""
        try:
            async with self._crew.unchanging():
                back = self._handed(step, handed.program, asker, why)
                self._become(handed.program, msgspec.structs.replace(back, roles=self._crew.handed()))
        except NotTaken as lost:
            self._refuse((*why, *lost.why), asker)
            if step is SuccessionStep.RETURN:
                self._crew.begin()

    async def _return(self, handed: HandedOver, asker: OneLine | None) -> None:
        """The other program was not kept: put this one's roles in the place of its roles."""
        for each in handed.why:
            self._log.not_upgraded(each)
        self._log.went_back(handed.version, __version__)
        why = handed.why
        if len(handed.roles) > 0:
            try:
                await self._reload.relieve(await self._reload.prepared(self._crew.accepted.config))
            except ReloadRefused as refused:
                why = (*why, *reasons_of(refused))
        else:
            await self._crew.settled()
        answer(asker, UpgradeState.BACK, why, self._missing())


def hear_signals() -> None:
    """Hear those that wait since the program changed, and all that come."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, AWAITED_SIGNALS)

"""The receive role: SMTP in."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from secondpost.config.recipients import read_recipients
from secondpost.mail.metrics import Metric
from secondpost.mail.store_rooms import StoreRoom
from secondpost.maillog import MailLog
from secondpost.policy.domains import own_domains
from secondpost.protocols.dkim.verifying import Proof, PublicKey
from secondpost.receive.arrivals import NOTE_SECONDS, ArrivalNotes
from secondpost.receive.authenticating import Authenticator
from secondpost.receive.disk_room import DiskRoom
from secondpost.receive.knowledge import PolicyKnowledge, RecipientKnowledge
from secondpost.receive.listener import Listener
from secondpost.receive.lists import RecipientLists
from secondpost.receive.names import SenderNames
from secondpost.receive.offers import PrimaryOffers
from secondpost.receive.reception import Reception
from secondpost.receive.refusals import WRITE_SECONDS, RefusalTally
from secondpost.receive.under_way import UnderWay
from secondpost.receive.unverified import UnverifiedMail
from secondpost.roles.parts import HINTS, QUESTIONS, Parts, opened
from secondpost.spool.accept import Acceptance
from secondpost.spool.attack_tally import STORE_SECONDS, AttackTally
from secondpost.spool.free_room import free_octets
from secondpost.world.background import BackgroundTasks
from secondpost.world.ports import DiskFailed, Listening
from secondpost.world.real.files import file_stamp
from secondpost.world.room_disk import RoomDisk
from secondpost.world.sockets.hints import Hinter
from secondpost.world.sockets.questions import RoleAsker


def _proves(key: PublicKey, digest: bytes, signature: bytes) -> Proof:
    """Imports what verifies signatures when the first one comes: it takes 10 MB."""
    from secondpost.world.real.keys import proves

    return proves(key, digest, signature)


class ReceiveRole:
    def __init__(self, parts: Parts, *, watches_attacks: bool = True) -> None:
        """`watches_attacks`: False only to measure what that costs."""
        config, world, failed = parts.config, parts.world, parts.failed
        store = opened(parts.mail)
        log = MailLog(parts.sink, config.bounces)
        self._world = world
        self._background = BackgroundTasks(failed)
        read = partial(read_recipients, open_file=parts.open_file)
        lists = RecipientLists(config, world.clock, parts.alarms, file_stamp, read, parts.copies)
        self._refusals = RefusalTally(
            frozenset(backup.domain for backup in config.backups), store, world.clock
        )
        self._attacks = AttackTally(store, world.clock)
        self._arrivals = ArrivalNotes(store, config.watch.hour_ms)
        self._note_seconds = min(NOTE_SECONDS, config.watch.hour_ms / 1000)  # tests let hours pass faster
        self._asker = RoleAsker(world.net, world.disk.path(QUESTIONS))
        free = DiskRoom(partial(self._free_octets, config.reserve, failed), world.clock).free
        self._offers = PrimaryOffers(config, store, world.clock)
        self._offers_seconds = parts.rhythms.offers_seconds
        under_way, room = UnderWay(), RoomDisk(world.disk, StoreRoom.MAIL)
        recipients = RecipientKnowledge(store, world.clock, self._asker.knows)
        bringing = UnverifiedMail(world.clock)
        knowledge = PolicyKnowledge(recipients, store, under_way, bringing, free)
        hinter = Hinter(partial(world.net.hint, world.disk.path(HINTS)))
        self._names = SenderNames(self._asker.records)
        self._listener = Listener(
            Reception(
                config=config,
                clock=world.clock,
                net=world.net,
                disk=room,
                work=world.work,
                intake=store,
                spool=Acceptance(store, room, world.work, log, hinter.arrived),
                ids=store.ids,
                log=log,
                alarms=parts.alarms,
                answerer=knowledge.answer,
                authenticator=Authenticator(config.hostname.name, self._names, _proves, world.clock),
                recipients=lists.domains,
                own=own_domains(config),
                offers=self._offers,
                under_way=under_way,
                refusals=self._refusals,
                attacks=self._attacks if watches_attacks else None,
                arrivals=self._arrivals,
                free=free,
                failed=failed,
                background=self._background.run,
                tally=parts.tally,
            )
        )
        parts.tally.measure(Metric.LISTENING, lambda: len(self._listener.doors))
        parts.tally.measure(Metric.CONNECTIONS_OPEN, lambda: self._listener.connections)
        parts.tally.measure(Metric.ROOM, free)

    def _free_octets(self, reserve: int, failed: Callable[[BaseException], None]) -> int:
        """Free disk space. If the disk cannot be asked, reports the failure, which ends the role,
        and returns 0.
        """
        try:
            return free_octets(self._world.disk, reserve)
        except DiskFailed as error:
            failed(error)
            return 0

    @property
    def doors(self) -> tuple[Listening, ...]:
        return self._listener.doors

    async def start(self) -> None:
        await self._offers.look()
        await self._listener.open()
        self._background.run(self._every(self._offers_seconds, self._offers.look))
        self._background.run(self._every(WRITE_SECONDS, self._refusals.write))
        self._background.run(self._every(STORE_SECONDS, self._attacks.write))
        self._background.run(self._every(self._note_seconds, self._arrivals.write))

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await work()

    def rest(self) -> None:
        """Its successor listens on the same sockets, so nothing need rest."""

    async def hand_over(self) -> None:
        await self._listener.hand_over()

    async def drain(self) -> None:
        await self._listener.drain()
        await self._refusals.write()
        self._names.close()
        await self._attacks.write()
        await self._arrivals.write()
        self._asker.close()
        self._background.cancel()

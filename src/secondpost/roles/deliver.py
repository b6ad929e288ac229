"""The deliver role: SMTP out, for relayed mail and mail to readers.

Large modules that only a newsletter needs are imported where they are used.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from secondpost.bounce.complaints import Complaints
from secondpost.bounce.intake import BounceIntake, ReadOldForm, old_form_in_thread
from secondpost.bounce.judge import judged
from secondpost.config.files import read_password
from secondpost.config.records import Config
from secondpost.deliver.context import DeliverySetup
from secondpost.deliver.entrances import Entrances
from secondpost.deliver.hostile_servers import HostileServers
from secondpost.deliver.inside import InsideDoor, refuse_all
from secondpost.deliver.logins import Logins
from secondpost.deliver.loop import DeliverLoop
from secondpost.deliver.marks import CommitMarks, ReaderSending
from secondpost.deliver.name_questions import NameQuestions
from secondpost.deliver.places import UpLately
from secondpost.deliver.stuck import StuckMail
from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.mail.issue_content import IssueContent
from secondpost.mail.metrics import Metric
from secondpost.mail.questions import Knowledge
from secondpost.mail.queue_id import QueueId
from secondpost.mail.signed_mail import SignedMail, Unsignable
from secondpost.mail.store_rooms import StoreRoom
from secondpost.maillog import MailLog
from secondpost.policy.domains import own_domains
from secondpost.protocols.dkim.signing import Algorithm
from secondpost.protocols.tokens import Ring
from secondpost.roles.advisories import AdvisoryWatch
from secondpost.roles.duties import DutyWatch
from secondpost.roles.housekeeping import Housekeeping
from secondpost.roles.monitor import Monitor
from secondpost.roles.own_certificate import OwnCertificate
from secondpost.roles.parts import HINTS, QUESTIONS, Parts, opened
from secondpost.roles.policy_files import PolicyFiles
from secondpost.roles.reach import ReachWatch
from secondpost.roles.watch import OwnersWatch
from secondpost.route.destination import ourselves
from secondpost.signing.assembly import OwnAddresses, ReaderKeys
from secondpost.signing.orders import MailSigner
from secondpost.signing.pool import SigningPool
from secondpost.signing.reader_mails import ReaderMails
from secondpost.spool.attack_tally import AttackTally
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.subscribers.reader_desk import ReadersDesk
from secondpost.subscribers.signup import CrowdLog, SignUps
from secondpost.subscribers.writing import ReadersWriting
from secondpost.world.asking import names_from
from secondpost.world.background import BackgroundTasks
from secondpost.world.ports import Listening, Workshop
from secondpost.world.room_disk import RoomDisk
from secondpost.world.sockets.questions import RoleAnswerer, RoleKnowledge
from secondpost.world.steady_clock import SteadyClock


@dataclass(frozen=True, slots=True)
class NewsletterDelivery:
    """The parts of the deliver role for mail to readers."""

    store: NewsletterStore
    keys: ReaderKeys
    confirmation: Callable[[Claimed], Awaitable[IssueContent]]
    workshop: Workshop | None = None  # signing processes; None: sign in threads of the role
    read_old_form: ReadOldForm | None = None  # in a process of its own; None: in threads of the role


def newsletter_delivery(
    parts: Parts,
    keys: ReaderKeys,
    workshop: Workshop | None = None,
    read_old_form: ReadOldForm | None = None,
) -> NewsletterDelivery | None:
    """The parts for mail to readers; None without a newsletter."""
    from secondpost.compose.confirmations import Confirmations

    if parts.readers is None:
        return None
    confirmation = Confirmations(parts.config, parts.readers, parts.readers).content
    return NewsletterDelivery(parts.readers, keys, confirmation, workshop, read_old_form)


def own_addresses(config: Config) -> OwnAddresses:
    return OwnAddresses(config.web.url, config.bounces)


class DeliverRole:
    """SMTP out, mail to ourselves, and housekeeping of the stores."""

    def __init__(self, parts: Parts, newsletter: NewsletterDelivery | None = None) -> None:
        config, world, store = parts.config, parts.world, opened(parts.mail)
        self._log = MailLog(parts.sink, config.bounces)
        # Never behind the clock by which mail arrives (the receive role uses wall time), and never
        # stepping back.
        self._clock = SteadyClock(world.clock)
        self._config = config
        self._world = world
        self._open_file = parts.open_file
        self._alarms = parts.alarms
        self._tally = parts.tally
        self._store = store
        self._own_keys = parts.own_keys
        self._reader_store = None if newsletter is None else newsletter.store
        self._background = BackgroundTasks(parts.failed)
        self._rounds = BackgroundTasks(parts.failed)  # what a successor does from its start
        self._attacks = AttackTally(store, self._clock)
        self._inside: InsideDoor | None = None
        self._reader_loop: DeliverLoop | None = None
        setup, rhythm = self._setup(), parts.rhythms.deliver
        if newsletter is not None:
            self._inside = self._inside_door(newsletter)
            context = setup.context(
                newsletter.store,
                RoomDisk(world.disk, StoreRoom.NEWSLETTER),
                self._reader_delivery(newsletter),
                newsletter.store,
            )
            self._reader_loop = DeliverLoop(context, (Lane.OWN, Lane.ISSUES), refuse_all, rhythm)
        inside = refuse_all if self._inside is None else self._inside.take
        lanes = (Lane.RELAY, Lane.UNVERIFIED, Lane.OWN)
        context = setup.context(store, RoomDisk(world.disk, StoreRoom.MAIL))
        self._loop = DeliverLoop(context, lanes, inside, rhythm)
        self._housekeeping = Housekeeping(
            parts,
            None if newsletter is None else newsletter.store,
            self._clock,
            self._log,
            self._loop.recipients.look_for_catch_alls,
            self._rounds.run,
        )
        names = names_from(world.resolver)
        self._policies = PolicyFiles(config, world.disk, names, parts.alarms, self._log)
        self._duties = (
            None if newsletter is None else DutyWatch(config, newsletter.store, self._clock, parts.alarms)
        )
        self._policies_seconds = parts.rhythms.policies_seconds
        self._watch = OwnersWatch(parts, self._hinted, self._rounds.run)
        self._certificate = OwnCertificate(parts, self._clock, self._log, self._rounds.run)
        self._advisories = AdvisoryWatch(parts, self._clock, self._rounds.run)
        self._reach = ReachWatch(parts, self._clock, self._rounds.run)
        self._monitor = Monitor(parts, self._log, self._background.run)
        knowledge = RoleKnowledge(self._knows, NameQuestions(world.resolver).records)
        self._answerer = RoleAnswerer(knowledge, self._background.run)
        self._doors: list[Listening] = []

    def _inside_door(self, newsletter: NewsletterDelivery) -> InsideDoor:
        """The handler of mail to ourselves, with the stations that act on it."""
        config, world, readers = self._config, self._world, newsletter.store
        # It logs a traceback of each mail that it trips over, and anyone can send one.
        logging.getLogger("flufl.bounce").disabled = True
        keys = {Ring.LINKS: newsletter.keys.links, Ring.ADDRESSES: newsletter.keys.addresses}
        complaints = Complaints(readers, self._clock, world.work, keys)
        read_old = newsletter.read_old_form
        if read_old is None:
            read_old = partial(old_form_in_thread, world.work)
        bounces = BounceIntake(readers, readers, self._clock, world.work, complaints, read_old)
        sign_ups = SignUps(
            readers,
            self._clock,
            readers.ids,
            self._hinted,
            own_domains(config).names,
            CrowdLog(self._log).met,
        )
        writing = ReadersWriting(sign_ups, ReadersDesk(readers, self._clock), config.bounces)
        return InsideDoor(
            bounces=config.bounces,
            keys=newsletter.keys.addresses,
            caller_of=self._caller_of,
            came_back=bounces.came_back,
            complains=complaints.complains,
            reported=complaints.reported,
            leaves=writing.leaves,
            confirms=writing.confirms,
            joins=writing.joins,
            now_named=self._now_named,
        )

    async def _now_named(self, name: str) -> str | None:
        named = [newsletter.name for newsletter in self._config.newsletters]
        if name in named or self._reader_store is None:
            return name if name in named else None
        now = await self._reader_store.now_named(name)
        return now if now in named else None

    async def _caller_of(self, id: QueueId) -> str:
        message = await self._store.message(id)
        return "" if message is None else message.peer_address

    async def _knows(self, mailbox: Mailbox, network: str) -> Knowledge:
        """Whether a mailbox exists: for our own addresses decided here, for all others by the
        primary.
        """
        if mailbox.domain != self._config.bounces:
            return await self._loop.recipients.knows(mailbox, network)
        return Knowledge.UNKNOWN if self._inside is None else await self._inside.knows(mailbox)

    def _setup(self) -> DeliverySetup:
        """The parts that delivering from both stores shares."""
        config, world = self._config, self._world
        return DeliverySetup(
            config=config,
            clock=self._clock,
            dice=world.dice,
            net=world.net,
            work=world.work,
            log=self._log,
            alarms=self._alarms,
            stuck=StuckMail(self._clock, self._alarms),
            answerer=names_from(world.resolver),
            us=ourselves(config, world.net.own_addresses()),
            entrances=Entrances(config.deliver.connections_per_site),
            logins=Logins(partial(read_password, open_file=self._open_file), world.work, world.dice),
            up_lately=UpLately(),
            background=self._background.run,
            tally=self._tally,
            # Every verifier of ARC knows RSA; RFC 8617 has no other algorithm.
            seal_key=next((key for key in self._own_keys if key.algorithm is Algorithm.RSA), None),
            judge=judged,
            look_at=HostileServers(self._attacks, self._log, self._background.run).look,
        )

    def _reader_delivery(self, newsletter: NewsletterDelivery) -> ReaderSending:
        config = self._config
        signer = MailSigner(newsletter.keys, own_addresses(config))
        pool = SigningPool(signer, self._world.work, newsletter.workshop, lambda: self._loop.has_work)
        mails = ReaderMails(newsletter.store, pool, newsletter.confirmation)

        async def sign(claimed: Sequence[Claimed]) -> list[SignedMail | Unsignable]:
            signed = await mails.sign(claimed)
            made = sum(isinstance(one, SignedMail) for one in signed)
            self._tally.count(Metric.SIGNED, many=made)
            return signed

        return ReaderSending(
            sign=sign,
            may_get=config.send.allows,
            marks=CommitMarks(newsletter.store, self._alarms, self._background.run),
        )

    def _hinted(self) -> None:
        for loop in self._loops():
            loop.hinted()

    async def start(self) -> None:
        disk, net = self._world.disk, self._world.net
        self._doors.append(await net.listen_hints(disk.path(HINTS), self._hinted))
        self._doors.append(await self._answerer.open(net, disk.path(QUESTIONS)))
        for loop in self._loops():
            await loop.start()
        self._housekeeping.start()
        self._rounds.run(self._policies.run(self._policies_seconds))
        if self._duties is not None:
            self._rounds.run(self._duties.run())
        await self._watch.start()
        await self._certificate.start()
        self._advisories.start()
        await self._reach.start()
        await self._monitor.start()

    def rest(self) -> None:
        self._rounds.cancel()
        for loop in self._loops():
            loop.rest()

    async def hand_over(self) -> None:
        """Finish the messages under way; the successor is asked about recipients from here on."""
        self._close_doors()
        await self._answerer.finish()
        await self._drain_loops()
        await self._attacks.write()
        await self._monitor.hand_over()

    async def drain(self) -> None:
        self._close_doors()
        await self._drain_loops()
        await self._attacks.write()
        self._rounds.cancel()
        self._background.cancel()

    def _close_doors(self) -> None:
        while len(self._doors) > 0:
            self._doors.pop().close()
        self._watch.stop_listening()
        self._certificate.stop_listening()
        self._reach.stop_listening()
        self._monitor.stop_listening()

    async def _drain_loops(self) -> None:
        for loop in self._loops():
            await loop.drain()

    def _loops(self) -> list[DeliverLoop]:
        return [self._loop] if self._reader_loop is None else [self._loop, self._reader_loop]

"""What all conversations share: the configuration, the services they use, and where mail goes."""

from collections.abc import Callable
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.policy.domains import OwnDomains, Recipients
from secondpost.policy.stages import STAGES, Stages
from secondpost.receive.arrivals import ArrivalNotes
from secondpost.receive.authenticating import Authenticator
from secondpost.receive.offers import PrimaryOffers
from secondpost.receive.refusals import RefusalTally
from secondpost.receive.under_way import UnderWay
from secondpost.spool.accept import Acceptance
from secondpost.spool.attack_tally import AttackTally
from secondpost.store.ports import Intake
from secondpost.world.asking import PolicyAnswerer
from secondpost.world.background import Background
from secondpost.world.ports import Clock, Disk, Net, Work


@dataclass(frozen=True, slots=True)
class Reception:
    config: Config
    clock: Clock
    net: Net
    disk: Disk
    work: Work
    intake: Intake
    spool: Acceptance
    ids: QueueIds
    log: MailLog
    alarms: StandingAlarms
    answerer: PolicyAnswerer
    authenticator: Authenticator
    recipients: Callable[[], dict[Domain, Recipients]]  # as of now: lists are re-read on change
    own: OwnDomains
    offers: PrimaryOffers
    under_way: UnderWay
    refusals: RefusalTally
    attacks: AttackTally | None  # None: sessions are not searched for attacks
    arrivals: ArrivalNotes
    free: Callable[[], int]  # octets on the disk beyond the reserve
    failed: Callable[[BaseException], None]  # ends the role
    background: Background  # runs a coroutine to its end, even without its caller
    tally: Tally
    stages: Stages = STAGES

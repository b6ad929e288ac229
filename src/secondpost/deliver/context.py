"""What the parts of this station share: the configuration, the world, and the verbs of the store."""

from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.deliver.connection import LookAt
from secondpost.deliver.contents import Contents
from secondpost.deliver.entrances import Entrances
from secondpost.deliver.learning import Learning
from secondpost.deliver.logins import Logins
from secondpost.deliver.marks import ReaderSending
from secondpost.deliver.opening import Opener
from secondpost.deliver.outcomes import JudgeRefusal, Outcomes
from secondpost.deliver.places import UpLately
from secondpost.deliver.primaries import Primaries
from secondpost.deliver.providers import ProviderTraffic, unbounded
from secondpost.deliver.routes import Routes
from secondpost.deliver.sealing import Seals
from secondpost.deliver.settling import Settler
from secondpost.deliver.site_record import SiteRecord
from secondpost.deliver.stuck import StuckMail
from secondpost.mail.envelope import Lane
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.mail.warm_up import day_bound
from secondpost.maillog import MailLog
from secondpost.protocols.dkim.signing import SigningKey
from secondpost.route.hosts import Ourselves
from secondpost.store.ports import Claims
from secondpost.store.provider_ports import Providers
from secondpost.world.asking import Answerer
from secondpost.world.background import Background
from secondpost.world.ports import Clock, Dice, Disk, Net, Work


@dataclass(frozen=True, slots=True)
class DeliverySetup:
    """What deliveries from all stores of this process share."""

    config: Config
    clock: Clock
    dice: Dice
    net: Net
    work: Work
    log: MailLog
    alarms: StandingAlarms
    stuck: StuckMail
    answerer: Answerer
    us: Ourselves
    entrances: Entrances
    logins: Logins
    up_lately: UpLately
    background: Background
    tally: Tally
    seal_key: SigningKey | None
    judge: JudgeRefusal
    look_at: LookAt | None = None  # at what servers send that is no reply

    def _seals(self, claims: Claims) -> Seals | None:
        if self.seal_key is None:
            return None
        return Seals(self.config, claims, self.seal_key, self.clock, self.work)

    def _traffic(self, providers: Providers) -> ProviderTraffic:
        return ProviderTraffic(
            self.config.deliver.connections_per_site,
            self.config.send.rate,
            providers,
            self.clock,
            self.alarms,
            self.background,
            day_bound if self.config.warms_up else unbounded,
        )

    def context(
        self,
        claims: Claims,
        disk: Disk,
        readers: ReaderSending | None = None,
        providers: Providers | None = None,
    ) -> "DeliveryContext":
        """The context for one store. `disk`: of its room; `readers` and `providers`: None if it has no
        mail to readers.
        """
        traffic = None if providers is None else self._traffic(providers)
        primaries = Primaries(self.config, claims, self.clock, self.alarms, self.background)
        learning = Learning(self.config, claims, self.alarms)
        return DeliveryContext(
            config=self.config,
            clock=self.clock,
            dice=self.dice,
            log=self.log,
            alarms=self.alarms,
            background=self.background,
            claims=claims,
            readers=readers,
            tally=self.tally,
            contents=Contents(claims, disk, self.work, self.stuck, self._seals(claims)),
            routes=Routes(self.config, self.answerer, self.us),
            sites=SiteRecord(
                self.config,
                claims,
                self.clock,
                self.log,
                primaries,
                self.up_lately,
                self.alarms,
                self.tally,
            ),
            learning=learning,
            traffic=traffic,
            outcomes=Outcomes(
                self.config,
                self.clock,
                self.dice,
                Settler(claims, self.alarms),
                learning,
                self.log,
                self.background,
                self.stuck,
                self.tally,
                self.judge,
                traffic,
            ),
            opener=Opener(
                self.net,
                self.config.hostname.name,
                self.background,
                self.entrances,
                self.logins,
                primaries.let_in,
                look_at=self.look_at,
            ),
        )


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """The context of deliveries from one store."""

    config: Config
    clock: Clock
    dice: Dice
    log: MailLog
    alarms: StandingAlarms
    background: Background
    claims: Claims
    readers: ReaderSending | None
    tally: Tally
    contents: Contents
    routes: Routes
    sites: SiteRecord
    learning: Learning
    traffic: ProviderTraffic | None  # of issues
    outcomes: Outcomes
    opener: Opener

    def traffic_in(self, lane: Lane) -> ProviderTraffic | None:
        """What bounds mail to providers; None in other lanes, which have no such bounds."""
        return self.traffic if lane is Lane.ISSUES else None

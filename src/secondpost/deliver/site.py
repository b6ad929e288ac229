"""Delivers to one site: claims its mail under a lease (lease), sends it over connections (pool),
and decides what their results mean.

A fault of the site stops the work: claimed rows go back untried, and one row says that the site is
down. Any other fault concerns its message, and the next one follows. A site without progress is
broken off when others need its room (see places).
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto

from secondpost.deliver.connection import Connection
from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.lease import LeasedMail
from secondpost.deliver.message import Job
from secondpost.deliver.opening import BROKEN_OFF
from secondpost.deliver.pauses import Pauses
from secondpost.deliver.pool import ConnectionPool
from secondpost.deliver.refusals import Refusals
from secondpost.deliver.results import (
    is_policy_refusal,
    outcome_of,
    outcome_of_break,
    speaks_of_connection,
    speaks_of_load,
)
from secondpost.deliver.unopened import Unopened
from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause, Deferred, Level, Outcome
from secondpost.mail.plan import UNSORTED
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.store.ports import Lease

JOBS_LOW = 50  # claim more if fewer messages are at hand


class SitePhase(Enum):
    WORKING = auto()
    HALTED = auto()  # finishes messages under way; works again if the site comes up meanwhile
    DRAINING = auto()  # finishes messages under way, as this process ends
    ENDED = auto()  # gives its lease back


class Site:
    """`ended` is called once, when the lease is given back; `elsewhere`, when rows went to another
    site.
    """

    def __init__(
        self,
        context: DeliveryContext,
        lease: Lease,
        refusals: Refusals,
        pauses: Pauses,
        ended: Callable[["Site"], None],
        elsewhere: Callable[[], None],
    ) -> None:
        self._context = context
        self.lease = lease
        self._refusals = refusals
        self._pauses = pauses
        self._ended = ended
        self._traffic = context.traffic_in(lease.lane)
        self._phase = SitePhase.WORKING
        self._faults = 0  # of the site, being stored
        self._hint_waits = False  # until a host accepts us
        self._linger: asyncio.TimerHandle | None = None
        self._mail = LeasedMail(context, lease, self._settle, elsewhere, self.poke, self._go_on)
        goes_first = self.is_known or lease.lane is Lane.RELAY
        self._pool = ConnectionPool(
            context, lease, self._mail, self, self._opened, self._go_on, goes_first=goes_first
        )

    @property
    def has_work(self) -> bool:
        """Whether a message is on its way or waits for a connection; not while idle connections
        linger.
        """
        return self._mail.at_hand > 0 or self._pool.sending > 0

    @property
    def is_known(self) -> bool:
        """Whether the site took mail lately; also true for mail whose site is not computed yet."""
        return self.lease.site == UNSORTED or self.lease.site in self._context.sites.up_lately

    @property
    def moved(self) -> float:
        return self._pool.moved

    @property
    def connections(self) -> int:
        """Number of connections open or being opened."""
        return self._pool.open_or_opening

    @property
    def patience_seconds(self) -> float:
        return self._pool.patience_seconds

    @property
    def stands_still(self) -> bool:
        """Whether more mail would be of no use, as all connections wait for answers."""
        return self._pool.stands_still

    def break_off(self) -> None:
        """Break off everything under way as if by time-out: others need the room."""
        if self.patience_seconds == 0.0:
            self._halt()
            return
        for connection in self._pool.break_off():
            if not self._gone(connection, Cause.LOST, BROKEN_OFF):
                self._site_fault(Cause.LOST, connection.host, BROKEN_OFF)

    def stop(self) -> None:
        """Finish the messages under way; leave the rest to the next worker."""
        if self._phase is not SitePhase.ENDED:
            self._phase = SitePhase.DRAINING
        self._pool.stop_opening()
        self._mail.stop_sorting()
        self._halt()

    def resume(self) -> None:
        """Work again: the site is up while an earlier message still keeps the lease."""
        if self._phase is SitePhase.HALTED:
            self._phase = SitePhase.WORKING
            self._pool.begin_anew()
            self.poke()

    def poke(self) -> None:
        """Look for due deliveries."""
        if self._phase is not SitePhase.WORKING:
            return
        # Until a host accepts us, one message is enough.
        if not self._mail.claim(1 if self._pool.only_opens else JOBS_LOW):
            self._hint_waits = True

    # ------------------------------------------------------------ going on, and the end

    def _go_on(self) -> None:
        if self._phase is SitePhase.WORKING:
            self._pool.assign()
        else:
            self._mail.put_back()
        self._end_if_done()

    def _halt(self) -> None:
        if self._phase is SitePhase.WORKING:
            self._phase = SitePhase.HALTED
        self._mail.put_back()
        self._pool.leave_idle()
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        busy = self._mail.is_busy or self._faults > 0 or self._pool.under_way > 0
        if busy or self._mail.at_hand > 0 or self._phase is SitePhase.ENDED:
            return
        if self._phase is not SitePhase.WORKING or self._pool.open == 0:
            # Rows handed back or moved to another site are looked for again at once.
            self._phase = SitePhase.ENDED
            self._context.background(self._give_back())
        else:
            self._linger = asyncio.get_running_loop().call_later(self._pool.linger_seconds, self._halt)

    async def _give_back(self) -> None:
        self._pool.close()
        await self._mail.finish()
        self._ended(self)

    def _opened(self, opened: Connection | Unopened) -> None:
        if self._phase is not SitePhase.WORKING:
            if isinstance(opened, Connection):
                opened.quit()  # too late
        elif isinstance(opened, Connection):
            self._let_in(opened)
        elif self._pool.open > 0:
            self._pool.pace.refused_one_more(self._pool.open_of_provider)
        elif self._pool.open_of_provider > 0 and opened.cause in (Cause.GREETING, Cause.SHUTDOWN):
            # Another site of the provider has all connections that it allows: mail waits for one.
            self._pool.pace.refused_one_more(self._pool.open_of_provider)
            self._halt()
        else:
            self._site_fault(opened.cause, opened.host, opened.reply)
        self._end_if_done()

    def _let_in(self, connection: Connection) -> None:
        self._pool.let_in(connection)
        self._pool.assign()
        if self._hint_waits:
            self._hint_waits = False
            self.poke()

    def _site_fault(self, cause: Cause, host: str, reply: Reply) -> None:
        self._faults += 1
        self._context.background(self._take_down(cause, host, reply))

    async def _take_down(self, cause: Cause, host: str, reply: Reply) -> None:
        await self._context.sites.mark_down(self.lease.site, cause, f"{host}: {reply}")
        self._faults -= 1
        if self._phase is SitePhase.WORKING:
            first = self._mail.first()
            for row in first.claimed if first is not None else ():
                self._settle(row, Deferred(cause, host, reply))
        self._halt()

    # ------------------------------------------------------------ what a connection says

    def message_done(self, connection: Connection, job: Job, results: tuple[RecipientResult, ...]) -> None:
        self._pool.moves()
        # Not for a reader's mail: the mark before its dot was for this attempt only.
        of_connection = connection.has_taken and speaks_of_connection(results)
        if of_connection and job.first.subscriber is None:
            self._mail.again(job)
            self._pool.leave(connection)
            self._go_on()
            return
        for claimed, result in zip(job.claimed, results, strict=True):
            self._settle(claimed, outcome_of(result, connection.host))
            self._note(result)
        if all(map(is_policy_refusal, results)):
            self._refused_by_policy(job.first)
        if self._traffic is not None and self._traffic.is_paused(self.lease.site):
            self._mail.put_back()
        self._pool.rest(connection, go=self._phase is not SitePhase.WORKING)
        if self._mail.at_hand < JOBS_LOW:
            self.poke()
        self._go_on()

    def _note(self, result: RecipientResult) -> None:
        """Adapt the pace to the result."""
        if result.reply.is_positive:
            self._pool.pace.delivered()
            self._context.sites.up_lately.note(self.lease.site, self._pool.moved)
        elif speaks_of_load(result.reply):
            self._pool.pace.pushed_back()

    def _refused_by_policy(self, claimed: Claimed) -> None:
        domain = claimed.recipient.domain
        if self._refusals.refused(claimed.lane, domain):
            self._context.background(self._pause(claimed))
            self._mail.put_back(lambda job: job.first.recipient.domain == domain)

    async def _pause(self, claimed: Claimed) -> None:
        if not await self._pauses.pause(claimed):
            self.poke()

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        if not self._gone(connection, cause, reply):
            self._go_on()

    def _gone(self, connection: Connection, cause: Cause, reply: Reply) -> bool:
        """Handle a connection that broke. Returns whether that is a fault of the site, which is
        then recorded.
        """
        self._pool.forget(connection)
        job, connection.job = connection.job, None
        if job is not None and connection.peer_had_enough and cause in (Cause.LOST, Cause.SHUTDOWN):
            self._mail.again(job)
        elif job is not None and self._broken_off(connection, job, cause, reply):
            self._site_fault(cause, connection.host, reply)
            return True
        return False

    def _broken_off(self, connection: Connection, job: Job, cause: Cause, reply: Reply) -> bool:
        """Settle a message whose connection broke. Returns whether that is a fault of the site."""
        for claimed, so_far in zip(job.claimed, connection.results_so_far, strict=True):
            outcome = outcome_of_break(so_far, connection.dot_sent, cause, connection.host, reply)
            self._settle(claimed, outcome)
        if connection.was_refusing and cause in (Cause.LOST, Cause.SHUTDOWN):
            # The site closed the connection because of refusals; it is not down.
            self._context.sites.budget_of(self.lease.site).parted(self._context.clock.now_ms())
            return False
        return self._pool.pace.lost_one() if cause is Cause.LOST else cause.level is Level.SITE

    def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        self._context.outcomes.conclude(self.lease, claimed, self._refusals.weighed(claimed, outcome))

"""Works one site off: claims what is due under the site's lease, opens as many connections as its pace
allows, hands each a message at a time, and writes down what came of it.

A fault of the site stops the work: what was claimed goes back untried, and the site is one row that says
it is down. Any other fault belongs to its message, and the next one goes on. A site that does not get on
is broken off when others need its room: see places.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from secondpost.deliver.ahead import Made, MailsAhead
from secondpost.deliver.opening import BROKEN_OFF, Unopened
from secondpost.deliver.outside import Connection, Job, Personal
from secondpost.deliver.pace import STALL_SECONDS, Pace
from secondpost.deliver.pauses import Pauses
from secondpost.deliver.places import MESSAGE_SECONDS, STILL_SECONDS, TimeLimits
from secondpost.deliver.post import Post
from secondpost.deliver.readers import Unreadable
from secondpost.deliver.refusal_budget import REFUSALS_IN_GROUPS_MAX
from secondpost.deliver.refusals import Refusals
from secondpost.deliver.results import (
    is_policy_refusal,
    outcome_of,
    outcome_of_break,
    speaks_of_connection,
    speaks_of_load,
)
from secondpost.deliver.sorting import Sorting
from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause, Deferred, Level, Outcome
from secondpost.mail.plan import UNSORTED, Plan
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Result
from secondpost.spool.schedule import handed_back
from secondpost.store.ports import Lease, StoreFull, StoreUnavailable

CLAIM_AT_ONCE = 200  # rows: what a crash may leave claimed, and so maybe delivered
JOBS_LOW = 50  # claim more when fewer messages than this are at hand
LINGER_SECONDS = 5.0  # how long an idle connection and its lease wait for more
CONNECT_SECONDS = 30.0


class Site:
    """`ended` is called once, when the lease is given back; `elsewhere`, when rows went to another site."""

    def __init__(
        self,
        post: Post,
        lease: Lease,
        refusals: Refusals,
        pauses: Pauses,
        ended: Callable[["Site"], None],
        elsewhere: Callable[[], None],
    ) -> None:
        self._post = post
        self.lease = lease
        self._refusals = refusals
        self._pauses = pauses
        self._ended = ended
        self.moved = asyncio.get_running_loop().time()
        goes_first = self.is_known or lease.lane is Lane.RELAY
        self._opener = post.opener(CONNECT_SECONDS, goes_first)
        self._openings = TimeLimits()
        self._sorting = Sorting(post, lease, self._take, self._settle, elsewhere, self._sorted)
        self._pace = Pace(post.config.deliver.connections_per_site)
        self._jobs: deque[Job] = deque()
        self._ahead: MailsAhead | None = None  # the jobs of a store of mail to readers are made first
        if post.readers is not None:
            self._ahead = MailsAhead(post.readers.mails_for, post.background, self._go_on, self._cannot_make)
        self._connections: dict[Connection, None] = {}  # in order: a set has none
        self._idle: list[Connection] = []
        self._connecting = 0
        self._faults = 0  # of the site, being written down
        self._claiming = False
        self._claim_again = False
        self._hint_waits = False  # until a host lets us in
        self._stopping = False
        self._told_to_stop = False
        self._ended_once = False
        self._plan: Plan | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    @property
    def has_work(self) -> bool:
        """A message is on its way, or waits for a connection; not while the last ones linger."""
        return self._at_hand() > 0 or len(self._connections) > len(self._idle)

    @property
    def is_known(self) -> bool:
        """It took mail lately; those whose site is not known yet go with it."""
        return self.lease.site == UNSORTED or self.lease.site in self._post.up_lately

    @property
    def connections(self) -> int:
        """That are open, or being opened."""
        return len(self._connections) + self._connecting

    @property
    def patience_seconds(self) -> float:
        """How long it may stand still before it can be broken off; 0: it is idle."""
        if any(connection.job is not None for connection in self._connections):
            return MESSAGE_SECONDS
        return STILL_SECONDS if self._connecting > 0 else 0.0

    @property
    def stands_still(self) -> bool:
        """It waits for answers alone, and has not got on for a while: with more mail it could do nothing."""
        waits = len(self._idle) == 0 and self.connections > 0
        return waits and asyncio.get_running_loop().time() - self.moved >= STILL_SECONDS

    def _moves(self) -> None:
        self.moved = asyncio.get_running_loop().time()

    def break_off(self) -> None:
        """Others need the room: as if time was over for all that is under way."""
        if self.patience_seconds == 0.0:
            self._halt()
            return
        self._openings.end()
        for connection in [one for one in self._connections if one.job is not None]:
            connection.abort()
            if not self._gone(connection, Cause.LOST, BROKEN_OFF):
                self._site_fault(Cause.LOST, connection.host, BROKEN_OFF)

    def stop(self) -> None:
        """Finish the messages under way, leave the rest to whoever comes next."""
        self._told_to_stop = True
        self._openings.end()
        self._sorting.stop()
        self._halt()

    def resume(self) -> None:
        """The site is up again, while a message of before is still under way and keeps the lease."""
        if self._stopping and not self._told_to_stop and not self._ended_once:
            self._stopping = False
            self._pace = Pace(self._post.config.deliver.connections_per_site)
            self.poke()

    def _halt(self) -> None:
        self._stopping = True
        self._put_back_jobs()
        for connection in list(self._idle):
            self._leave(connection)
        self._end_if_done()

    # ------------------------------------------------------------ claiming

    def poke(self) -> None:
        """There may be something due."""
        if self._stopping:
            return
        if self._claiming:
            self._claim_again = True
        elif self._wants_more():
            self._claiming = True
            self._post.background(self._claim())
        else:
            self._hint_waits = True

    def _wants_more(self) -> bool:
        if self._sorting.is_full:
            return False
        # Before the first host lets us in, there is no use for more.
        enough = JOBS_LOW if len(self._connections) > 0 or self._connecting == 0 else 1
        return self._at_hand() < enough

    async def _claim(self) -> None:
        try:
            claimed = await self._post.claims.claim(self.lease, self._post.clock.now_ms(), CLAIM_AT_ONCE)
        except (StoreUnavailable, StoreFull) as error:
            self._post.log.alarm("claim-waits", str(error))
            claimed = []
        self._sorting.sort(claimed)
        self._claiming = False
        again, self._claim_again = self._claim_again, False
        self._assign()
        nothing_to_do = len(claimed) > 0 and self._at_hand() + self._sorting.rows == 0
        more = len(claimed) > CLAIM_AT_ONCE // 2 and self._at_hand() == 0
        if nothing_to_do or more or (again and len(claimed) == 0):
            self.poke()
        self._end_if_done()

    def _sorted(self) -> None:
        self._assign()
        if self._at_hand() == 0:
            self.poke()
        self._end_if_done()

    def _take(self, plan: Plan, jobs: Iterable[Job]) -> None:
        self._plan = plan
        self._jobs.extend(jobs)

    def _at_hand(self) -> int:
        """Messages that are claimed and not on their way."""
        return len(self._jobs) + (self._ahead.count if self._ahead is not None else 0)

    def _put_back_jobs(self, of: Callable[[Job], bool] = lambda job: True) -> None:
        made = self._ahead.take_back(of) if self._ahead is not None else []
        for job in (*made, *filter(of, self._jobs)):
            self._hand_back(job.claimed)
        self._jobs = deque(job for job in self._jobs if not of(job))

    def _hand_back(self, rows: Iterable[Claimed]) -> None:
        now_ms = self._post.clock.now_ms()
        for row in rows:
            self._post.settler.add(self.lease, handed_back(row, now_ms))

    # ------------------------------------------------------------ connections

    def _assign(self) -> None:
        if self._stopping:
            self._put_back_jobs()
            return
        while len(self._idle) > 0 and self._send_next(self._idle[-1]):
            self._idle.pop()
        if self._ahead is not None:
            self._ahead.make(self._jobs, self._pace.allowed)
        at_hand = self._at_hand()
        if at_hand == 0:
            return
        wanted = min(at_hand, self._limit() - len(self._connections)) - self._connecting
        for _ in range(wanted):
            self._connecting += 1
            self._post.background(self._open())
        if self._stall is None:
            self._stall = asyncio.get_running_loop().call_later(STALL_SECONDS, self._look_for_stalled)

    def _send_next(self, connection: Connection) -> bool:
        """Whether there was something to send."""
        if self._ahead is None:
            if len(self._jobs) == 0:
                return False
            connection.send(self._jobs.popleft(), self)
            return True
        made = self._ahead.next()
        if made is None:
            return False
        self._send_personal(connection, made)
        return True

    def _send_personal(self, connection: Connection, made: Made) -> None:
        assert self._post.readers is not None
        mark = self._post.readers.mark(self.lease, made.job.first)
        mail = made.mail
        connection.send(made.job, self, Personal(mail.sender, mail.stuffed, mail.size, mark))

    def _cannot_make(self, claimed: Claimed, unreadable: Unreadable) -> None:
        self._post.log.alarm("content-unreadable", f"{claimed.id}: {unreadable.why}")
        self._settle(claimed, Deferred(Cause.MESSAGE, "", Reply.of(451, "4.3.0", unreadable.why)))

    def _go_on(self) -> None:
        self._assign()
        self._end_if_done()

    def _limit(self) -> int:
        """A peer that does not get on with one message must not hold up the others."""
        since = asyncio.get_running_loop().time() - STALL_SECONDS
        stalled = sum(c.job is not None and c.job_since <= since for c in self._connections)
        return self._pace.limit(stalled)

    def _look_for_stalled(self) -> None:
        self._stall = None
        self._assign()

    async def _open(self) -> None:
        assert self._plan is not None
        opened = await self._opener.open_within(self._openings, self._plan, self)
        self._connecting -= 1
        if self._stopping:
            self._turn_away(opened)
        elif isinstance(opened, Connection):
            self._let_in(opened)
        elif len(self._connections) > 0:
            self._pace.refused_one_more(len(self._connections))
        else:
            self._site_fault(opened.cause, opened.host, opened.reply)
        self._end_if_done()

    def _let_in(self, connection: Connection) -> None:
        self._moves()
        self._connections[connection] = None
        self._idle.append(connection)
        self._assign()
        if self._hint_waits:
            self._hint_waits = False
            self.poke()

    def _turn_away(self, opened: Connection | Unopened) -> None:
        """It comes too late: the work has ended meanwhile."""
        if isinstance(opened, Connection):
            opened.quit()

    def _site_fault(self, cause: Cause, host: str, reply: Reply) -> None:
        self._faults += 1
        self._post.background(self._take_down(cause, host, reply))

    async def _take_down(self, cause: Cause, host: str, reply: Reply) -> None:
        detail = f"{host}: {reply}"
        await self._post.mark_down(self.lease.site, cause, detail)
        self._faults -= 1
        if not self._stopping:
            first = self._first_at_hand()
            for row in first.claimed if first is not None else ():
                self._settle(row, Deferred(cause, host, reply))
        self._halt()

    def _first_at_hand(self) -> Job | None:
        made = self._ahead.next() if self._ahead is not None else None
        if made is not None:
            return made.job
        return self._jobs.popleft() if len(self._jobs) > 0 else None

    def _leave(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        if connection in self._idle:
            self._idle.remove(connection)
        connection.quit()

    def _end_if_done(self) -> None:
        under_way = self._connecting + self._faults + len(self._connections) - len(self._idle)
        busy = self._claiming or self._sorting.rows > 0 or under_way > 0
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        if busy or self._at_hand() > 0:
            return
        if self._stopping or len(self._connections) == 0:
            # Rows that were handed back, or that went to another site, are looked for again at once.
            self._stopping = True
            self._post.background(self._give_back())
        else:
            self._linger = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._halt)

    async def _give_back(self) -> None:
        if self._ended_once:
            return
        self._ended_once = True
        if self._stall is not None:
            self._stall.cancel()
        await self._post.settler.finished(self.lease)
        await self._post.give_back(self.lease)
        self._ended(self)

    # ------------------------------------------------------------ what a connection says

    def body_pieces(self, job: Job) -> Iterator[bytes]:
        return self._post.body_pieces(job.first)

    def message_done(self, connection: Connection, job: Job, results: tuple[Result, ...]) -> None:
        refused = 0
        self._moves()
        # Not of a reader's mail: whether its dot may be sent was written down for this very attempt.
        of_connection = connection.has_taken and speaks_of_connection(results)
        if of_connection and job.first.subscriber is None:
            self._jobs.appendleft(job)
            self._leave(connection)
            self._go_on()
            return
        for claimed, result in zip(job.claimed, results, strict=True):
            refused += is_policy_refusal(result)
            self._settle(claimed, outcome_of(result, connection.host))
            if result.reply.is_positive:
                self._pace.delivered()
                self._post.up_lately.note(self.lease.site)
            elif speaks_of_load(result.reply):
                self._pace.pushed_back()
        if refused == len(results):
            self._refused_by_policy(job.first)
        too_many = len(self._connections) > self._pace.allowed and len(self._connections) > self._limit()
        if self._stopping or too_many or connection.refused >= REFUSALS_IN_GROUPS_MAX:
            self._leave(connection)
        else:
            self._idle.append(connection)
        if self._at_hand() < JOBS_LOW:
            self.poke()
        self._assign()
        self._end_if_done()

    def _refused_by_policy(self, claimed: Claimed) -> None:
        domain = claimed.recipient.domain
        if self._refusals.refused(claimed.lane, domain):
            self._post.background(self._pause(claimed))
            self._put_back_jobs(lambda job: job.first.recipient.domain == domain)

    async def _pause(self, claimed: Claimed) -> None:
        if not await self._pauses.pause(claimed):
            self.poke()

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        if not self._gone(connection, cause, reply):
            self._assign()
            self._end_if_done()

    def _gone(self, connection: Connection, cause: Cause, reply: Reply) -> bool:
        """Whether it is a fault of the site, which is seen to."""
        self._connections.pop(connection, None)
        if connection in self._idle:
            self._idle.remove(connection)
        job, connection.job = connection.job, None
        if job is not None and connection.peer_had_enough and cause in (Cause.LOST, Cause.SHUTDOWN):
            self._jobs.appendleft(job)
        elif job is not None and self._broken_off(connection, job, cause, reply):
            self._site_fault(cause, connection.host, reply)
            return True
        return False

    def _broken_off(self, connection: Connection, job: Job, cause: Cause, reply: Reply) -> bool:
        """In mid-message. Whether it is a fault of the site."""
        for claimed, so_far in zip(job.claimed, connection.results_so_far, strict=True):
            outcome = outcome_of_break(so_far, connection.dot_sent, cause, connection.host, reply)
            self._settle(claimed, outcome)
        if connection.was_refusing and cause in (Cause.LOST, Cause.SHUTDOWN):
            # It has had enough of our refusals, and is not down for that.
            self._post.budgets.of(self.lease.site).parted(self._post.clock.now_ms())
            return False
        return self._pace.lost_one() if cause is Cause.LOST else cause.level is Level.SITE

    # ------------------------------------------------------------ outcomes

    def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        self._post.conclude(self.lease, claimed, self._refusals.weighed(claimed, outcome))

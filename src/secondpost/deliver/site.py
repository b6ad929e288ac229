"""Works one site off: claims what is due under the site's lease, opens as many connections as its pace
allows, hands each a message at a time, and writes down what came of it.

A fault of the site stops the work: what was claimed goes back untried, and the site is one row that says
it is down. Any other fault belongs to its message, and the next one goes on.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from secondpost.deliver.ahead import Made, MailsAhead
from secondpost.deliver.opening import Opener
from secondpost.deliver.outside import Connection, ContentUnreadable, Job, Personal
from secondpost.deliver.pace import STALL_SECONDS, Pace
from secondpost.deliver.post import Post
from secondpost.deliver.readers import Unreadable
from secondpost.deliver.refusals import PAUSE_MS, Refusals
from secondpost.deliver.results import is_policy_refusal, outcome_of, outcome_of_break, speaks_of_load
from secondpost.mail.address import Domain
from secondpost.mail.delivery import Claimed
from secondpost.mail.outcome import Cause, Deferred, Failed, Level, Outcome
from secondpost.mail.plan import Inside, NoPlan, Plan
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp_client import Result
from secondpost.spool.schedule import handed_back, not_for
from secondpost.store.ports import Lease, StoreFull, StoreUnavailable

CLAIM_AT_ONCE = 200  # rows: what a crash may leave claimed, and so maybe delivered
JOBS_LOW = 50  # claim more when fewer messages than this are at hand
RECIPIENTS_PER_TRANSACTION_MAX = 100  # RFC 5321 §4.5.3.1.8
LINGER_SECONDS = 5.0  # how long an idle connection and its lease wait for more
CONNECT_SECONDS = 30.0
PLAN_SECONDS = 10.0  # how long a route computed for one message serves the next ones of its domain
PLANS_MAX = 1000


class Site:
    """`ended` is called once, when the lease is given back."""

    def __init__(self, post: Post, lease: Lease, refusals: Refusals, ended: Callable[["Site"], None]) -> None:
        self._post = post
        self.lease = lease
        self._refusals = refusals
        self._ended = ended
        self._opener = Opener(post.net, post.config.hostname.name, post.background, CONNECT_SECONDS)
        self._pace = Pace(post.config.deliver.connections_per_site)
        self._jobs: deque[Job] = deque()
        self._ahead: MailsAhead | None = None  # the jobs of a store of mail to readers are made first
        if post.readers is not None:
            self._ahead = MailsAhead(post.readers.mails_for, post.background, self._go_on, self._cannot_make)
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._connecting = 0
        self._faults = 0  # of the site, being written down
        self._claiming = False
        self._claim_again = False
        self._stopping = False
        self._told_to_stop = False
        self._ended_once = False
        self._plan: Plan | None = None
        self._plans: dict[Domain, tuple[float, Plan | NoPlan | Inside]] = {}
        self._linger: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    @property
    def has_work(self) -> bool:
        """A message is on its way, or waits for a connection; not while the last ones linger."""
        return self._at_hand() > 0 or len(self._connections) > len(self._idle)

    def stop(self) -> None:
        """Finish the messages under way, leave the rest to whoever comes next."""
        self._told_to_stop = True
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
        elif self._at_hand() < JOBS_LOW:
            self._claiming = True
            self._post.background(self._claim())

    async def _claim(self) -> None:
        try:
            claimed = await self._post.claims.claim(self.lease, self._post.clock.now_ms(), CLAIM_AT_ONCE)
        except (StoreUnavailable, StoreFull) as error:
            self._post.log.alarm("claim-waits", str(error))
            claimed = []
        for domain, rows in groupby(claimed, key=lambda row: row.recipient.domain):
            await self._sort(domain, list(rows))
        self._claiming = False
        again, self._claim_again = self._claim_again, False
        self._assign()
        nothing_to_do = len(claimed) > 0 and self._at_hand() == 0  # all of it was for somebody else
        if nothing_to_do or (again and len(claimed) == 0):
            self.poke()
        self._end_if_done()

    async def _sort(self, domain: Domain, rows: list[Claimed]) -> None:
        """Rows whose route leads to this site become jobs; the others go where they belong."""
        routed = await self._route(domain)
        if isinstance(routed, NoPlan):
            await self._nowhere(domain, rows, routed)
        elif isinstance(routed, Inside) or routed.site != self.lease.site:
            # The hint was wrong, or the route has changed: correct it and hand the rows back.
            await self._hint(domain, routed.site)
            self._hand_back(rows)
        else:
            self._plan = routed
            self._jobs.extend(jobs_of(self._that_may_go(rows)))

    def _that_may_go(self, rows: list[Claimed]) -> list[Claimed]:
        """`[send] only_to` keeps a staging copy from mailing anyone else."""
        readers = self._post.readers
        if readers is None:
            return rows
        may_go = []
        for row in rows:
            if readers.may_get(row.recipient):
                may_go.append(row)
            else:
                self._post.settler.add(self.lease, not_for(row, self._post.clock.now_ms()))
        return may_go

    def _at_hand(self) -> int:
        """Messages that are claimed and not on their way."""
        return len(self._jobs) + (self._ahead.count if self._ahead is not None else 0)

    async def _route(self, domain: Domain) -> Plan | NoPlan | Inside:
        now = asyncio.get_running_loop().time()
        known = self._plans.get(domain)
        if known is not None and now - known[0] < PLAN_SECONDS:
            return known[1]
        if len(self._plans) >= PLANS_MAX:
            self._plans.clear()
        routed = await self._post.route(self.lease.lane, domain)
        self._plans[domain] = (now, routed)
        return routed

    async def _nowhere(self, domain: Domain, rows: list[Claimed], routed: NoPlan) -> None:
        """For a backup domain no answer of DNS is final: its site is down, with an alarm."""
        if routed.reply.is_permanent:
            for row in rows:
                self._settle(row, Failed(routed.cause, "", routed.reply))
            return
        await self._hint(domain, routed.site)
        await self._post.mark_down(routed.site, routed.cause, routed.reply.text)
        for row in rows:
            self._settle(row, Deferred(routed.cause, "", routed.reply))

    async def _hint(self, domain: Domain, site: str) -> None:
        await self._post.hint(self.lease.lane, domain, site)

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
            connection.send(self._jobs.popleft())
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
        connection.send(made.job, Personal(mail.sender, mail.stuffed, mail.size, mark))

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
        opened = await self._opener.open(self._plan, self)
        self._connecting -= 1
        if isinstance(opened, Connection):
            self._connections.add(opened)
            self._idle.append(opened)
            self._assign()
        elif len(self._connections) > 0:
            self._pace.refused_one_more(len(self._connections))
        else:
            self._site_fault(opened.cause, opened.host, opened.reply)
        self._end_if_done()

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
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        connection.quit()

    def _end_if_done(self) -> None:
        under_way = self._connecting + self._faults + len(self._connections) - len(self._idle)
        busy = self._claiming or under_way > 0
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
        await self._post.settler.finished()
        await self._post.give_back(self.lease)
        self._ended(self)

    # ------------------------------------------------------------ what a connection says

    def connection_ready(self, connection: Connection) -> None:
        raise AssertionError("a connection is ready before it is the site's")

    def body_pieces(self, job: Job) -> Iterator[bytes]:
        try:
            yield from self._post.content_pieces(job.first)
        except (LookupError, StoreUnavailable) as error:
            self._post.log.alarm("content-unreadable", f"{job.first.id}: {error}")
            raise ContentUnreadable(str(error)) from error

    def message_done(self, connection: Connection, job: Job, results: tuple[Result, ...]) -> None:
        refused = 0
        for claimed, result in zip(job.claimed, results, strict=True):
            refused += is_policy_refusal(result)
            self._settle(claimed, outcome_of(result, connection.host))
            if result.reply.is_positive:
                self._pace.delivered()
            elif speaks_of_load(result.reply):
                self._pace.pushed_back()
        if refused == len(results):
            self._refused_by_policy(job.first)
        if self._stopping or (
            len(self._connections) > self._pace.allowed and len(self._connections) > self._limit()
        ):
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
            until_ms = self._post.clock.now_ms() + PAUSE_MS
            self._post.log.alarm("domain-paused", f"{domain} refuses every message of ours")
            self._post.background(self._pause(claimed, until_ms))
            self._put_back_jobs(lambda job: job.first.recipient.domain == domain)

    async def _pause(self, claimed: Claimed, until_ms: int) -> None:
        domain = claimed.recipient.domain
        await self._post.pause(claimed.lane, domain, until_ms)

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        job, connection.job = connection.job, None
        if job is not None and connection.peer_had_enough and cause in (Cause.LOST, Cause.SHUTDOWN):
            self._jobs.appendleft(job)
        elif job is not None and self._broken_off(connection, job, cause, reply):
            self._site_fault(cause, connection.host, reply)
            return
        self._assign()
        self._end_if_done()

    def _broken_off(self, connection: Connection, job: Job, cause: Cause, reply: Reply) -> bool:
        """In mid-message. Whether it is a fault of the site. It may be the message that brings it about, so
        for the message it counts as lost: it steps back, and does not stand before the others again.
        """
        of_message = Cause.LOST if cause.level is Level.SITE else cause
        for claimed, so_far in zip(job.claimed, connection.results_so_far, strict=True):
            outcome = outcome_of_break(so_far, connection.dot_sent, of_message, connection.host, reply)
            self._settle(claimed, outcome)
        return self._pace.lost_one() if cause is Cause.LOST else cause.level is Level.SITE

    # ------------------------------------------------------------ outcomes

    def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        self._post.conclude(self.lease, claimed, self._refusals.weighed(claimed, outcome))


def jobs_of(rows: list[Claimed]) -> Iterator[Job]:
    """Recipients of one message, which lie beside each other, go in one transaction; each reader of an
    issue has a mail of their own.
    """
    for personal, together in groupby(rows, key=lambda row: row.subscriber is not None):
        if personal:
            yield from (Job((row,)) for row in together)
        else:
            yield from _shared_jobs(together)


def _shared_jobs(rows: Iterable[Claimed]) -> Iterator[Job]:
    for _, together in groupby(rows, key=lambda row: row.id.queue_id):
        recipients = list(together)
        for start in range(0, len(recipients), RECIPIENTS_PER_TRANSACTION_MAX):
            yield Job(tuple(recipients[start : start + RECIPIENTS_PER_TRANSACTION_MAX]))

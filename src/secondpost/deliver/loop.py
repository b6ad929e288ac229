"""The deliver station: finds the sites that have mail due, and starts to deliver to them.

It looks on each hint, when the next delivery falls due, and every few seconds: correctness never
depends on a hint. Each lane has its own places, so that an issue to thousands of servers delays no
confirmation. It also takes care of sites that are down, of mail whose time is over, and of rows of
workers that died.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.idle import IdleLooks
from secondpost.deliver.inside import InsideSite, InsideTaker
from secondpost.deliver.pauses import Pauses
from secondpost.deliver.places import STILL_SECONDS, Room
from secondpost.deliver.recipient_probe import RecipientProbe
from secondpost.deliver.refusal_budget import QUEUE
from secondpost.deliver.refusals import Refusals
from secondpost.deliver.rhythm import DeliverRhythm
from secondpost.deliver.site import Site
from secondpost.deliver.sites_down import SitesDown
from secondpost.deliver.unverified import UnverifiedSite
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import INSIDE, UNSORTED
from secondpost.spool.schedule import JITTER, WAIT_MS_MAX, term_of
from secondpost.store.ports import SiteDue, StoreFull, StoreUnavailable

DUE_SEEN_MAX = 10_000  # due sites, of which those that took mail lately are picked
UNVERIFIED_SECONDS = 1.0  # between two checks whether a site's other mail is gone
LOOK_SECONDS_MIN = 0.05  # between two looks, however many hints come
DRAIN_SECONDS_MAX = 30.0
AHEAD_MS_MAX = int(WAIT_MS_MAX * (1 + JITTER))  # nothing is ever scheduled further ahead


AnySite = Site | UnverifiedSite | InsideSite


class DeliverLoop:
    def __init__(
        self,
        context: DeliveryContext,
        lanes: tuple[Lane, ...],
        inside: InsideTaker,
        rhythm: DeliverRhythm,
    ) -> None:
        self._context = context
        self._lanes = lanes
        self._inside = inside
        self._rhythm = rhythm
        self._down = SitesDown(context, rhythm, self._is_up)
        self.recipients = RecipientProbe(context)
        self._idle = IdleLooks(context, self._is_busy)
        self._pauses = Pauses(context, self.recipients)
        self._refusals = Refusals(self._pauses.over)
        self._sites: dict[tuple[Lane, str], AnySite] = {}
        self._leasing: set[tuple[Lane, str]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = 0.0  # loop time; kept, as uvloop gives no when() for a delay of 0
        self._looked = 0.0
        self._stopping = False
        self._rounds: list[asyncio.Task[None]] = []
        self._wait_for_provider = 0  # sites due of which nothing may be claimed for now
        # Loop time of the last call of `_begin_known`, by lane.
        self._seen_far = dict.fromkeys(lanes, 0.0)

    async def start(self) -> None:
        await self._sweep()
        while await self._context.claims.set_aside_copied() > 0:
            pass
        await self._mend_clock()
        await self._context.sites.primaries.load()
        loop, rhythm = asyncio.get_running_loop(), self._rhythm
        for work, seconds in (
            (self._sweep, rhythm.sweep_seconds),
            (self._expire, rhythm.expire_seconds),
            (self._look_at_sites_standing_still, rhythm.standing_still_seconds),
            (self._down.look, self._down.every_seconds),
        ):
            self._rounds.append(loop.create_task(self._every(seconds, work)))
        if Lane.RELAY in self._lanes:
            self._idle.begin()
            self._rounds.append(loop.create_task(self._every(rhythm.idle_seconds, self._idle.look)))
        await self._down.start()
        await self._look()

    @property
    def has_work(self) -> bool:
        """Whether mail of these lanes is being sent to other servers, or about to be."""
        return any(not isinstance(site, InsideSite) and site.has_work for site in self._sites.values())

    def _is_busy(self, site: str) -> bool:
        return any(
            not isinstance(leased, InsideSite) and leased.lease.site == site and leased.has_work
            for leased in self._sites.values()
        )

    def hinted(self) -> None:
        """React to a hint: the spool has something new."""
        for site in self._sites.values():
            # Sites that stand still would each query the store on every hint.
            if not site.stands_still:
                site.poke()
        self._look_within(0.0)

    def rest(self) -> None:
        """Begin no message and claim nothing any more; questions about recipients are answered."""
        self._stopping = True
        for task in self._rounds:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        for site in list(self._sites.values()):
            site.stop()

    async def drain(self) -> None:
        """Finish the messages under way; hand back rows that were claimed and not begun."""
        self.rest()
        self.recipients.close()
        loop = asyncio.get_running_loop()
        until = loop.time() + DRAIN_SECONDS_MAX
        while len(self._sites) + len(self._leasing) > 0 and loop.time() < until:
            await asyncio.sleep(0.05)
        await self._context.outcomes.settler.all_finished()

    # ------------------------------------------------------------ looking for sites

    def _look_within(self, seconds: float) -> None:
        if self._stopping:
            return
        loop = asyncio.get_running_loop()
        at = max(loop.time() + seconds, self._looked + LOOK_SECONDS_MIN)
        if self._timer is not None:
            if self._looks_at <= at:
                return
            self._timer.cancel()
        self._looks_at = at
        self._timer = loop.call_at(at, self._begin_look)

    def _begin_look(self) -> None:
        self._timer = None
        self._context.background(self._look())

    async def _look(self) -> None:
        self._looked = asyncio.get_running_loop().time()
        if self._stopping:
            return
        now_ms = self._context.clock.now_ms()
        wait = min([await self._begin_due(lane, now_ms) for lane in self._lanes])
        next_ms = await self._context.claims.next_due_ms(self._lanes)
        if next_ms is not None and next_ms > now_ms:
            wait = min(wait, (next_ms - now_ms) / 1000)
        self._look_within(wait)

    async def _begin_due(self, lane: Lane, now_ms: int) -> float:
        """Begin the lane's due sites; returns the seconds to the next look."""
        room = self._room(lane)
        traffic = self._context.traffic_in(lane)
        if traffic is not None:
            await traffic.refresh()
        most = room.strangers
        if traffic is not None:
            # Sites that waited for their provider at the last look take no room from the others.
            most = min(room.strangers + self._wait_for_provider, DUE_SEEN_MAX)
        due = await self._context.claims.sites_due((lane,), now_ms, most)
        wait, begun, waiting = self._rhythm.due_seconds_max, 0, 0
        for one in due:
            seconds = self._wait_seconds(one)
            wait = min(wait, seconds) if seconds > 0 else wait
            if seconds > 0:
                waiting += one.lane is Lane.ISSUES
            elif begun < room.strangers:
                begun += 1
                self._begin(one)
        if traffic is not None:
            self._wait_for_provider = waiting
        if len(due) < most:
            return wait
        # There may be more due sites than there is room for.
        if self._looked - self._seen_far[lane] >= STILL_SECONDS:
            self._seen_far[lane] = self._looked
            await self._begin_known(lane, now_ms)
        return min(wait, STILL_SECONDS)

    async def _begin_known(self, lane: Lane, now_ms: int) -> None:
        """Begin sites that took mail lately, ahead of all strangers due before them."""
        room = self._room(lane).known
        for due in await self._context.claims.sites_due((lane,), now_ms, DUE_SEEN_MAX):
            is_known = due.site in (INSIDE, UNSORTED) or due.site in self._context.sites.up_lately
            if room > 0 and is_known and self._wait_seconds(due) == 0:
                self._begin(due)
                room -= 1

    def _room(self, lane: Lane) -> Room:
        sites = [
            site
            for site in self._sites.values()
            if site.lease.lane is lane and not isinstance(site, InsideSite)
        ]
        room = self._rhythm.sites.room(sites, self._looked)
        leasing = sum(of_lane is lane for of_lane, _ in self._leasing)
        return Room(max(room.known - leasing, 0), max(room.strangers - leasing, 0))

    def _begin(self, due: SiteDue) -> None:
        key = (due.lane, due.site)
        if key in self._sites:
            self._sites[key].poke()
        elif key not in self._leasing and not self._stopping:
            self._leasing.add(key)
            traffic = self._context.traffic_in(due.lane)
            if traffic is not None:
                traffic.begins(due.site)
            self._context.background(self._lease(due))

    async def _lease(self, due: SiteDue) -> None:
        key = (due.lane, due.site)
        try:
            lease = await self._context.claims.lease(due.lane, due.site)
        except (StoreUnavailable, StoreFull) as error:
            self._context.alarms.begin(AlarmKind.LEASE_WAITS, "", f"{due.site}: {error}")
            lease = None
        if lease is not None and self._stopping:
            await self._context.sites.give_back(lease)  # drain waits for it
            lease = None
        self._leasing.discard(key)
        if lease is None:
            self._has_ended(due.lane, due.site)
            return
        site: AnySite
        if lease.site == INSIDE:
            site = InsideSite(self._context, lease, self._inside, self._ended)
        elif lease.lane is Lane.UNVERIFIED:
            yields = partial(self._has_known_mail, lease.site)
            site = UnverifiedSite(self._context, lease, self._refusals, yields, self._ended)
        else:
            site = Site(self._context, lease, self._refusals, self._pauses, self._ended, self._look_at_once)
        self._sites[key] = site
        site.poke()

    def _has_known_mail(self, site: str) -> bool:
        """Whether relay mail is on its way to the site; its unverified mail waits for that."""
        relay = self._sites.get((Lane.RELAY, site))
        return isinstance(relay, Site) and relay.has_work

    def _wait_seconds(self, due: SiteDue) -> float:
        """Seconds until mail of the site may go, or is looked at again; 0: now."""
        traffic = self._context.traffic_in(due.lane)
        if traffic is not None and (due.lane, due.site) not in self._sites:
            return traffic.wait_seconds(due.site)
        if due.lane is not Lane.UNVERIFIED:
            return 0.0
        if self._has_known_mail(due.site):
            return UNVERIFIED_SECONDS
        return self._context.sites.budget_of(due.site).wait_ms(QUEUE, self._context.clock.now_ms()) / 1000

    def _ended(self, site: AnySite) -> None:
        self._sites.pop((site.lease.lane, site.lease.site), None)
        self._has_ended(site.lease.lane, site.lease.site)
        self._look_within(0.0)

    def _has_ended(self, lane: Lane, site: str) -> None:
        traffic = self._context.traffic_in(lane)
        if traffic is not None:
            traffic.ends(site)

    def _look_at_once(self) -> None:
        self._look_within(0.0)

    # ------------------------------------------------------------ rounds

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except (StoreUnavailable, StoreFull) as error:
                self._context.alarms.begin(AlarmKind.ROUND_WAITS, "", str(error))

    async def _sweep(self) -> None:
        swept = await self._context.claims.sweep()
        if swept.workers > 0:
            self._context.log.swept(swept.workers, len(swept.maybe_duplicates), swept.files)
            for id in swept.maybe_duplicates:
                self._context.log.maybe_duplicate(id, "worker-died")
            self._look_within(0.0)

    async def _mend_clock(self) -> None:
        """Correct due times that are too far ahead: the clock may have been set back while the
        process was down. While it runs, its clock does not step.
        """
        now_ms = self._context.clock.now_ms()
        mended = await self._context.claims.mend_due(now_ms + AHEAD_MS_MAX, now_ms)
        if mended > 0:
            detail = f"{mended} deliveries were due too late, and are due now"
            self._context.alarms.begin(AlarmKind.CLOCK_SET_BACK, "", detail)

    async def _expire(self) -> None:
        now_ms = self._context.clock.now_ms()
        waiting = await self._context.claims.waiting_domains()
        self._pauses.look(waiting)
        if self._context.traffic is not None:
            await self._context.traffic.refresh()
            await self._context.traffic.keep_days()
        self._context.outcomes.stuck.look()
        for lane, domain in waiting:
            backup = self._context.config.backup_for(domain)
            term = term_of(lane, backup.keep_ms if backup is not None else None)
            end = State.KEPT if term.ends_kept else State.EXPIRED
            kind_of = self._context.outcomes.kind_of_end(lane, domain)
            expire = partial(
                self._context.claims.expire, lane, domain, now_ms - term.waits_ms, now_ms, end, kind_of
            )
            expired = 0
            while (batch := await expire()) > 0:
                expired += batch
            if expired > 0:
                self._context.log.expired(domain.name, expired)

    async def _look_at_sites_standing_still(self) -> None:
        """Poke sites that stand still and have mail due. They are not poked on each hint, as they
        can do nothing before their server answers.
        """
        now_ms = self._context.clock.now_ms()
        for site in list(self._sites.values()):
            if site.stands_still and await self._context.claims.is_due(site.lease, now_ms):
                site.poke()

    def _is_up(self, site: str) -> None:
        for leased in self._sites.values():
            if leased.lease.site == site:
                leased.resume()
        self._look_within(0.0)

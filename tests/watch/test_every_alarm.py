"""A row for each kind of alarm: what rings it, and what ends it.

Rows of the town run the whole service in simulation. A kind that only a real process can ring names
the test that does.
"""

import ast
import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from secondpost.cli.subscribers_import import LONG_IMPORT_MS, tell_of_import
from secondpost.config.networks import read_networks
from secondpost.config.recipients import RecipientFaults, RecipientList
from secondpost.config.records import LearnedRecipients, RecipientFile, RecipientSource, Route
from secondpost.deliver.disk_alarms import DiskAlarms, Filling
from secondpost.deliver.settling import Settler
from secondpost.deliver.stuck import StuckMail
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmEnds, AlarmKind
from secondpost.mail.article import FeedUnreadable
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Issue, IssueId, IssueKind, IssueState
from secondpost.mail.owner_notice import OwnerPost
from secondpost.mail.queue_id import QueueId
from secondpost.maillog import MailLog
from secondpost.newsletter.issue_alarms import IssueAlarms
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.turns import Turns
from secondpost.processes.health import HEALTHY_SECONDS, RoleHealth
from secondpost.processes.supervisor import alarm_of_root
from secondpost.protocols.certificate_questions import CertificateNotIssued, CertificateWish
from secondpost.protocols.osv.judging import PYPI, Installed
from secondpost.protocols.post_questions import PostAccepted, PostNotAccepted, PostOutcome
from secondpost.receive.attacks import QUIET_SECONDS, WINDOW_SECONDS, Attack, Attacks
from secondpost.receive.callers import caller_at
from secondpost.receive.lists import LOOK_MS, RecipientLists, Stamp
from secondpost.roles.origins import TableOrigins
from secondpost.roles.parts import Parts
from secondpost.roles.unnamed import UnnamedNewsletters
from secondpost.setup.certificate_alarm import CertificateAlarm, Validity
from secondpost.store.alarm_ports import AlarmsKeeping
from secondpost.store.naming_ports import FormerName, KnownNewsletter, Naming, NewsletterNames
from secondpost.store.newsletter_ports import Leading
from secondpost.store.ports import Claims, Lease, MailStore, Settlement, StoreUnavailable
from secondpost.subscribers.import_report import ImportReport
from secondpost.subscribers.weighing import BounceStore, BounceWeighing
from secondpost.watch.advisories import SILENT_MS_MAX, AdvisoryRounds, WhatRuns
from secondpost.watch.reach.words import state_alarms
from secondpost.watch.webhook import Webhook
from secondpost.world.real.files import file_stamp
from secondpost.world.real.work import RealWork
from simulation.clock import Timeline, fence, run
from simulation.internet.dns import Lie
from tests.alarms import logged_alarms
from tests.clock import START_MS, SetClock
from tests.days.test_smart_hosts import route, smart_host, write_password
from tests.days.town import ANYBODY, DOMAIN, MINUTE, READER, Primary, Town
from tests.newsletter.blog import URL, WEEKLY, Bench, Blog, articles
from tests.setup.certificate_world import CertificateWorld
from tests.stations.test_outages import CONFIG, HELD_AFTER_MS, watched
from tests.stations.test_outages import Watch as OutageWatch
from tests.stations.test_provider_traffic import Sender
from tests.stations.test_provider_traffic import refuses as refuses_us
from tests.stations.test_provider_traffic import takes as takes_it
from tests.store.place import SqlitePlace
from tests.watch.osv import Osv, answering
from tests.watch.reach.seen import after_rounds
from tests.watch.test_arrivals_watch import EAST, ORIGINS, Months

MAIN_HOST, MAIN_ADDRESS = "mx.provider.example", "198.51.100.40"
SERVICE = Path(__file__).parent.parent / "service"


class Faulty:
    """A store whose named verbs fail, or find no content."""

    def __init__(self, store: MailStore, failing: set[str], lost: set[str]) -> None:
        self._store = store
        self._failing = failing
        self._lost = lost

    def __getattr__(self, name: str) -> object:
        if name in self._failing:
            return self._refuse
        return self._nothing if name in self._lost else getattr(self._store, name)

    async def _refuse(self, *_: object, **__: object) -> None:
        raise StoreUnavailable("it is busy")

    async def _nothing(self, *_: object, **__: object) -> dict[QueueId, bytes]:
        return {}


@dataclass
class Stage:
    folder: Path
    ends: ExitStack
    clock: SetClock = field(default_factory=SetClock)
    station_lines: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)  # verbs of the deliver role's store
    lost: set[str] = field(default_factory=set)
    towns: list[Town] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alarms = logged_alarms(self.station_lines, self.clock.now_ms)  # of one station

    def town(
        self, *, opened: bool = True, recipients: RecipientSource = ANYBODY, routes: tuple[Route, ...] = ()
    ) -> tuple[Town, Primary]:
        """The service with one primary."""
        town = Town(self.folder / "store")
        self.ends.enter_context(fence(town.timeline))
        self.ends.callback(town.machine.scrap)
        self.towns.append(town)
        primary = town.primary(MAIN_HOST, MAIN_ADDRESS, DOMAIN)
        if opened:
            primary.open()
        town.start(DOMAIN, recipients=recipients, routes=routes, wiring=self._wiring)
        return town, primary

    def advisory_round(self, osv: Osv) -> None:
        """Advisories are asked for, about one package that runs here."""
        place = SqlitePlace(str(self.folder), self.clock)
        runs = WhatRuns([Installed("idna", PYPI, "idna", "3.6")], {})

        async def story() -> None:
            await AdvisoryRounds(place.open(), self.clock, self.alarms, osv.ask, runs, "osv.example").look()
            await place.close()

        asyncio.run(story())

    def _wiring(self, role: str, parts: Parts) -> Parts:
        if role != "deliver" or parts.mail is None:
            return parts
        return replace(parts, mail=cast(MailStore, Faulty(parts.mail, self.failing, self.lost)))

    def lines(self, what: str, kind: AlarmKind) -> list[str]:
        lines = [*self.station_lines, *(line.text for town in self.towns for line in town.log.lines)]
        return [line for line in lines if line.startswith(f"{what} about={kind.word} ")]


Row = Callable[[Stage], Iterator[None]]
ROWS: dict[AlarmKind, Row] = {}
# The test that rings the kind in a real service, and the words by which it finds it.
IN_A_REAL_SERVICE = {
    AlarmKind.CANNOT_START: ("test_cannot_start.py", "about=cannot-start"),
    AlarmKind.DISK_FAILED: ("test_failing_disk.py", "about=disk-failed"),
    AlarmKind.MAKER_LOST: ("test_workshop.py", "shop.lost == ["),
    AlarmKind.NOT_RELOADED: ("test_reload_refused.py", "alarm-over about=not-reloaded"),
    AlarmKind.SENDING_HELD: ("test_snapshot.py", "alarm-over about=sending-held"),
    AlarmKind.ROLE_FAILED: ("test_failing_disk.py", "about=role-failed"),
}
ENDS_WITH_THE_SERVICE = {AlarmKind.RUNS_AS_ROOT}


def row(kind: AlarmKind) -> Callable[[Row], Row]:
    def add(play: Row) -> Row:
        assert kind not in ROWS
        ROWS[kind] = play
        return play

    return add


def busy(kind: AlarmKind, verb: str, seconds: float, *, posts: bool) -> None:
    """A row in which a verb of the store fails, until the end of the row."""

    def play(stage: Stage) -> Iterator[None]:
        town, _ = stage.town(recipients=LearnedRecipients() if kind is AlarmKind.NOT_LEARNED else ANYBODY)
        stage.failing.add(verb)
        if posts:
            town.post("letter", READER)
        town.pass_by(seconds)
        stage.failing.clear()
        yield

    row(kind)(play)


busy(AlarmKind.CLAIM_WAITS, "claim", 5.0, posts=True)
busy(AlarmKind.LEASE_WAITS, "lease", 5.0, posts=True)
busy(AlarmKind.ROUND_WAITS, "sweep", 20.0, posts=False)
busy(AlarmKind.HOUSEKEEPING_WAITS, "counts", 40.0, posts=False)
busy(AlarmKind.STORE_WAITS, "settle", 5.0, posts=True)
busy(AlarmKind.PROBE_WAITS, "is_down", 400.0, posts=False)
busy(AlarmKind.NOT_LEARNED, "learn_catch_all", 90.0, posts=False)


@row(AlarmKind.NO_ROUTE)
def names_are_lost_and_found(stage: Stage) -> Iterator[None]:
    town, _ = stage.town()
    town.dns.lies["here", DOMAIN] = Lie()
    town.pass_by(10 * MINUTE)
    yield
    town.dns.lies.clear()
    town.pass_by(10 * MINUTE)


@row(AlarmKind.MAIL_HELD)
def a_primary_is_down_and_comes_back(stage: Stage) -> Iterator[None]:
    town, primary = stage.town(opened=False)
    town.post("letter", READER)
    town.pass_by(15 * MINUTE)
    yield
    primary.open()
    town.pass_by(5 * MINUTE)


@row(AlarmKind.DOMAIN_PAUSED)
def a_primary_refuses_us_and_thinks_better_of_it(stage: Stage) -> Iterator[None]:
    town, primary = stage.town()
    primary.refusal = "550 5.7.1 you are on a list"
    for number in range(3):
        town.post(f"letter{number}", READER)
    town.pass_by(10 * MINUTE)
    yield
    primary.refusal = ""
    town.pass_by(90 * MINUTE)


@row(AlarmKind.CONTENT_UNREADABLE)
def content_is_gone_and_there_again(stage: Stage) -> Iterator[None]:
    town, primary = stage.town()
    stage.lost.add("contents")
    town.post("letter", READER)
    town.pass_by(MINUTE)
    yield
    stage.lost.clear()
    town.pass_by(10 * MINUTE)
    assert len(primary.taken) == 1


@row(AlarmKind.CLOCK_SET_BACK)
def the_clock_is_set_back_while_deliver_is_dead(stage: Stage) -> Iterator[None]:
    town, primary = stage.town()
    primary.refusal = "451 4.3.0 later"
    town.post("letter", READER)
    town.pass_by(MINUTE)
    town.service.crash("deliver")
    town.machine.clock.step_ms = -2 * DAY_MS
    town.pass_by(MINUTE)
    yield


@row(AlarmKind.LOGIN_REFUSED)
def a_password_is_wrong_and_mended(stage: Stage) -> Iterator[None]:
    town = Town(stage.folder / "store")
    stage.ends.enter_context(fence(town.timeline))
    stage.ends.callback(town.machine.scrap)
    stage.towns.append(town)
    smart_host(town, me="right").open()
    write_password(stage.folder, "me", "wrong")
    town.start(DOMAIN, routes=(route(stage.folder, DOMAIN, "me"),))
    town.post("letter", READER)
    town.pass_by(MINUTE)
    yield
    write_password(stage.folder, "me", "right")
    town.pass_by(5 * MINUTE)


@row(AlarmKind.KEEP_RUNS_OUT)
def mail_waits_for_weeks(stage: Stage) -> Iterator[None]:
    ended = []

    async def story(watch: OutageWatch) -> None:
        watch.lines = stage.station_lines
        watch.alarms = logged_alarms(watch.lines, watch.place.clock.now_ms)
        watch.restart()
        await watch.letters.send("one@example.net")
        await watch.down()
        await watch.later(6 * DAY_MS)
        ended.append(len(stage.lines("alarm-over", AlarmKind.KEEP_RUNS_OUT)))
        await watch.up()
        await watch.deliver(1)
        await watch.later(HELD_AFTER_MS)

    watched(stage.folder, story)
    assert ended == [0]
    yield


@row(AlarmKind.FENCE_FELL)
def an_outcome_comes_too_late(stage: Stage) -> Iterator[None]:
    class Overtaken:
        async def settle(self, lease: Lease, settlements: object) -> int:
            return 0

    async def story() -> None:
        settler = Settler(cast(Claims, Overtaken()), stage.alarms)
        lease = Lease(Lane.RELAY, "mx1", 0, 1)
        settler.add(lease, Settlement(DeliveryId(QueueId(1), 1), State.DELIVERED, at_ms=1))
        await settler.finished(lease)

    asyncio.run(story())
    yield


@row(AlarmKind.FILLING_UP)
def a_disk_fills_and_empties(stage: Stage) -> Iterator[None]:
    disk = DiskAlarms(stage.alarms)
    disk.look([Filling("disk", 75, 100)])
    yield
    disk.look([Filling("disk", 10, 100)])


@row(AlarmKind.NO_ROOM)
def a_disk_is_full_and_empties(stage: Stage) -> Iterator[None]:
    disk = DiskAlarms(stage.alarms)
    disk.look([Filling("disk", 1_000_000, 1_000_000)])
    yield
    disk.look([Filling("disk", 10, 1_000_000)])


@row(AlarmKind.MAIL_NOT_UNDERSTOOD)
def mail_to_ourselves_meets_a_bug(stage: Stage) -> Iterator[None]:
    stuck = StuckMail(stage.clock, stage.alarms)
    stuck.add(AlarmKind.MAIL_NOT_UNDERSTOOD, DeliveryId(QueueId(7), 1), "RecursionError")
    yield
    stuck.ended(QueueId(7))


@row(AlarmKind.RECIPIENTS_FILE)
def a_recipients_file_is_broken_and_mended(stage: Stage) -> Iterator[None]:
    path, stamps, faults = "recipients", dict[str, Stamp | None](), [True]
    backup = replace(CONFIG.backups[0], recipients=(RecipientFile(path),))

    def read(path: str, domain: Domain) -> RecipientList:
        if faults[0]:
            raise RecipientFaults(())
        return RecipientList(frozenset({"me@example.net"}))

    config = replace(CONFIG, backups=(backup,))
    lists = RecipientLists(config, stage.clock, stage.alarms, stamps.get, read, {})
    stamps[path] = (1, 1, 1)
    lists.domains()
    yield
    faults[0] = False
    stamps[path] = (2, 2, 2)
    stage.clock.ms += LOOK_MS
    lists.domains()


@row(AlarmKind.NETWORKS_FILE)
def a_table_of_networks_is_broken_and_mended(stage: Stage) -> Iterator[None]:
    path = stage.folder / "table.tsv"
    path.write_text("what?\n")
    read, stamp = partial(read_networks, str(path)), partial(file_stamp, str(path))
    table = TableOrigins(str(path), RealWork(), stamp, read, stage.alarms)
    assert asyncio.run(table.look_up([EAST])) == {}
    yield
    path.write_text("192.0.2.0\t192.0.2.255\t64500\tRU\tEAST-TELECOM\n")
    assert asyncio.run(table.look_up([EAST])) == {EAST: ORIGINS[EAST]}


@row(AlarmKind.PRIMARY_BLOCKED)
def a_network_is_blocked_for_some_hours(stage: Stage) -> Iterator[None]:
    months = Months(lines=stage.station_lines)
    months.pass_by(100)
    months.pass_by(6, {EAST: ("a.example", "b.example")})
    yield
    months.pass_by(30)


@row(AlarmKind.CERTIFICATE_ENDS)
def a_certificate_ends_and_a_fresh_one_comes(stage: Stage) -> Iterator[None]:
    alarm = CertificateAlarm("/etc/ssl/mx2.pem", stage.clock, stage.alarms)
    alarm.look(Validity(START_MS - 80 * DAY_MS, START_MS + 10 * DAY_MS))
    yield
    alarm.look(Validity(START_MS, START_MS + 90 * DAY_MS))


@row(AlarmKind.VULNERABLE)
def a_hole_becomes_known_and_is_taken_back(stage: Stage) -> Iterator[None]:
    osv = Osv(("GHSA-jjg7-2v4v-x38h",))
    stage.advisory_round(osv)
    yield
    osv.ids = ()
    stage.clock.ms += DAY_MS
    stage.advisory_round(osv)


@row(AlarmKind.ADVISORIES_SILENT)
def a_service_of_advisories_refuses_and_thinks_better_of_it(stage: Stage) -> Iterator[None]:
    osv = Osv(misbehaves=answering(403))
    stage.advisory_round(osv)
    stage.clock.ms += SILENT_MS_MAX
    stage.advisory_round(osv)
    yield
    osv.misbehaves = None
    stage.clock.ms += DAY_MS
    stage.advisory_round(osv)


@row(AlarmKind.BLOCKED_ABROAD)
def two_networks_abroad_are_blocked_and_opened(stage: Stage) -> Iterator[None]:
    seen = after_rounds([("1- 2-", "90+"), ("1- 2-", "90+"), ("1+ 2+", "90+"), ("1+ 2+", "90+")])
    state_alarms(stage.alarms, [seen[1]], "DE", [])
    yield
    state_alarms(stage.alarms, [seen[3]], "DE", [])


@row(AlarmKind.CERTIFICATE_REFUSED)
def the_authority_refuses_and_then_issues(stage: Stage) -> Iterator[None]:
    world = CertificateWorld(stage.clock, refusal=CertificateNotIssued("too many"), alarms=stage.alarms)
    asyncio.run(world.live(DAY_MS))
    yield
    world.refusal = None
    asyncio.run(world.live(DAY_MS))


@row(AlarmKind.KEY_CHANGE)
def the_key_changes_once_its_record_is_published(stage: Stage) -> Iterator[None]:
    world = CertificateWorld(stage.clock, published=["k1"], alarms=stage.alarms)
    asyncio.run(world.settle())
    asyncio.run(world.asked(CertificateWish.ROLL))
    asyncio.run(world.live(DAY_MS))
    yield
    world.published = ["k1", "k2"]
    asyncio.run(world.live(DAY_MS))
    world.published = ["k2"]
    asyncio.run(world.live(DAY_MS))


@row(AlarmKind.ATTACKED)
def attackers_come_and_go(stage: Stage) -> Iterator[None]:
    timeline = Timeline()
    loop = timeline.loop("receive")
    attacks: list[Attacks] = []

    async def siege() -> None:
        attacks.append(Attacks(stage.alarms, asyncio.get_running_loop().time, None))
        for _ in range(Attack.FAULTS.burst):
            attacks[0].count(Attack.FAULTS, caller_at("192.0.2.1"))

    async def peace() -> None:
        await asyncio.sleep(QUIET_SECONDS + 2 * WINDOW_SECONDS)

    run(siege(), timeline, loop)
    yield
    run(peace(), timeline, loop)


@row(AlarmKind.ROLE_DIED)
def a_role_dies_and_recovers(stage: Stage) -> Iterator[None]:
    timeline = Timeline()
    loop = timeline.loop("supervisor")
    health = RoleHealth("deliver", stage.alarms)

    async def crash_loop() -> None:
        for _ in range(3):
            health.started()
            await asyncio.sleep(HEALTHY_SECONDS / 2)
            health.died("it was ended by SIGKILL; it is started again in 1 s")
        health.started()

    async def healthy() -> None:
        await asyncio.sleep(HEALTHY_SECONDS + 1)

    run(crash_loop(), timeline, loop)
    yield
    run(healthy(), timeline, loop)


@row(AlarmKind.RUNS_AS_ROOT)
def there_is_no_user_to_become(stage: Stage) -> Iterator[None]:
    alarm_of_root(None, 1_000, stage.alarms)
    assert stage.lines("alarm", AlarmKind.RUNS_AS_ROOT) == []
    alarm_of_root(None, 0, stage.alarms)
    yield


@row(AlarmKind.IMPORT_FINISHED)
def an_import_takes_long(stage: Stage) -> Iterator[None]:
    tell_of_import(stage.alarms, "weekly", ImportReport(added=5), LONG_IMPORT_MS)
    yield


@row(AlarmKind.NEWSLETTER_UNNAMED)
def a_newsletter_loses_its_name_and_is_retired(stage: Stage) -> Iterator[None]:
    class Names:
        def __init__(self) -> None:
            self.known = [KnownNewsletter("weekly", 0, 12, 3)]

        async def left_behind(self, named: object) -> list[KnownNewsletter]:
            return self.known

        async def former_names(self) -> list[FormerName]:
            return []

    names = Names()
    unnamed = UnnamedNewsletters(CONFIG, cast(NewsletterNames, names), stage.alarms)
    asyncio.run(unnamed.look())
    yield
    names.known = []
    asyncio.run(unnamed.look())


@row(AlarmKind.PUBLISH_WAITS)
def the_lead_cannot_be_taken(stage: Stage) -> Iterator[None]:
    class Busy:
        async def lead(self, name: str) -> Lease | None:
            raise StoreUnavailable("it is busy")

    async def nothing() -> None:
        """Not reached."""

    async def story() -> None:
        turns = Turns(
            newsletters=(),
            publisher=cast(Publisher, None),
            leading=cast(Leading, Busy()),
            naming=cast(Naming, None),
            alarms=stage.alarms,
            turn_seconds=2.0,
            weigh_bounces=nothing,
            over=lambda: None,
        )
        task = asyncio.ensure_future(turns.run())
        await asyncio.sleep(1.0)
        task.cancel()

    timeline = Timeline()
    run(story(), timeline, timeline.loop("publish"))
    yield


@row(AlarmKind.ARTICLES_HELD)
def articles_are_held_and_skipped(stage: Stage) -> Iterator[None]:
    alarms, why = IssueAlarms(stage.alarms), frozenset({"its date is long ago"})
    alarms.articles_held(WEEKLY, frozenset(), why)
    assert stage.lines("alarm", AlarmKind.ARTICLES_HELD) == []
    alarms.articles_held(WEEKLY, why, why)
    yield
    alarms.articles_held(WEEKLY, why, frozenset())


def a_blog(stage: Stage, *, approve: bool = False) -> tuple[Bench, Blog]:
    bench = Bench(stage.folder, stage.ends.enter_context(asyncio.Runner()))
    stage.ends.callback(bench.close)
    blog = bench.blog(replace(WEEKLY, approve=approve))
    blog.lines = stage.station_lines
    blog.restart()
    return bench, blog


@row(AlarmKind.FEED_IN_DOUBT)
def a_feed_is_doubtful_and_good_again(stage: Stage) -> Iterator[None]:
    bench, blog = a_blog(stage)
    for _ in range(3):
        bench.run(blog.says(FeedUnreadable("It is an HTML page.")))
        blog.clock.ms += 1
    yield
    bench.run(blog.says(articles(1)))


@row(AlarmKind.ISSUE_LATE)
def an_issue_is_due_while_the_one_before_it_is_being_sent(stage: Stage) -> Iterator[None]:
    bench, blog = a_blog(stage)
    blog.newsletter = replace(WEEKLY, every="daily 09:00", undo_ms=0)
    for hours, newest in ((0, 2), (10, 2), (24, 4)):  # from a midnight: the last two are at ten o'clock
        blog.clock.ms += hours * HOUR_MS
        blog.found[URL] = articles(*range(newest, 0, -1))
        bench.run(blog.turn())
    yield
    bench.run(blog.sees_through())
    bench.run(blog.turn())


@row(AlarmKind.ISSUE_WAITS)
def an_issue_waits_for_the_owner(stage: Stage) -> Iterator[None]:
    bench, blog = a_blog(stage, approve=True)
    blog.found[URL] = articles(2, 1)
    bench.run(blog.turn())
    yield
    bench.run(blog.publisher.send_now(blog.newsletter, bench.run(blog.leader())))
    bench.run(blog.turn())


@row(AlarmKind.MANY_BOUNCES)
def many_mailboxes_are_refused_and_the_owner_decides(stage: Stage) -> Iterator[None]:
    waiting = [(IssueId(2), 7)]
    issue = Issue(
        IssueId(2), "weekly", 2, IssueKind.LETTER, IssueState.DONE, "s", QueueId(9), "", "Hello", 0, 0, 100, 1
    )

    class Bounces:
        async def bounced_issues(self, before_ms: int) -> list[IssueId | None]:
            return []

        async def undecided(self) -> list[tuple[IssueId, int]]:
            return waiting

        async def issue(self, id: IssueId) -> Issue | None:
            return issue

    log = MailLog(stage.station_lines.append)
    weighing = BounceWeighing(cast(BounceStore, Bounces()), stage.clock, log, stage.alarms)
    asyncio.run(weighing.look())
    yield
    waiting.clear()
    asyncio.run(weighing.look())


@row(AlarmKind.PROVIDER_PAUSED)
def a_provider_refuses_us_and_the_owner_resumes(stage: Stage) -> Iterator[None]:
    sender = Sender()
    sender.alarms = stage.alarms
    sender.begin()
    with asyncio.Runner() as runner:
        runner.run(sender.seconds(60, refuses_us))
        yield
        sender.store.pauses.clear()
        runner.run(sender.seconds(30, takes_it))


@row(AlarmKind.ISSUE_HELD)
def an_issue_cannot_be_made_and_is_stopped(stage: Stage) -> Iterator[None]:
    bench, blog = a_blog(stage)
    leader = bench.run(blog.leader())
    blog.is_template_broken = True
    blog.found[URL] = articles(2, 1)
    bench.run(blog.turn())
    bench.run(blog.publisher.go_on([blog.newsletter], leader))
    yield
    (issue,) = bench.run(blog.store.issues_under_way())
    bench.run(blog.store.stop(issue.id, blog.clock.ms, "by hand"))
    bench.run(blog.turn())
    bench.run(blog.publisher.go_on([blog.newsletter], leader))


class OnePost:
    """A store with one post for the webhook."""

    def __init__(self) -> None:
        self.post: OwnerPost | None = OwnerPost(START_MS, 0, "{}", START_MS)

    async def post_due(self, now_ms: int) -> OwnerPost | None:
        return self.post if self.post is not None and self.post.due_ms <= now_ms else None

    async def post_again(self, post: OwnerPost, due_ms: int) -> None:
        self.post = replace(post, due_ms=due_ms, attempts=post.attempts + 1)

    async def drop_post(self, post: OwnerPost) -> None:
        self.post = None


@row(AlarmKind.WEBHOOK_FAILS)
def the_webhook_refuses_a_post_and_takes_it(stage: Stage) -> Iterator[None]:
    outcomes: list[PostOutcome] = [PostNotAccepted("the webhook answers 500")] * 5 + [PostAccepted()]

    async def post(body: str) -> PostOutcome:
        return outcomes.pop(0)

    webhook = Webhook(cast(AlarmsKeeping, OnePost()), stage.clock, stage.alarms, post)
    while len(outcomes) > 1:
        asyncio.run(webhook.send_due())
        stage.clock.ms += DAY_MS // 24
    yield
    asyncio.run(webhook.send_due())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as ends:
        yield Stage(tmp_path, ends)


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.word)
def test_it_rings_once_and_ends(kind: AlarmKind, stage: Stage) -> None:
    play = ROWS[kind](stage)
    next(play)
    rung = stage.lines("alarm", kind)
    assert len(rung) > 0
    if kind.ends is AlarmEnds.BY_ITSELF or kind in ENDS_WITH_THE_SERVICE:
        assert stage.lines("alarm-over", kind) == []
        return
    assert len(rung) == 1, rung
    assert kind is AlarmKind.KEEP_RUNS_OUT or stage.lines("alarm-over", kind) == []
    assert next(play, "the row is over") == "the row is over"
    assert len(stage.lines("alarm-over", kind)) == 1
    assert len(stage.lines("alarm", kind)) == 1


def test_every_kind_has_a_row_or_a_test_with_a_real_service() -> None:
    assert ROWS.keys() | IN_A_REAL_SERVICE.keys() == set(AlarmKind)
    assert ROWS.keys() & IN_A_REAL_SERVICE.keys() == set()


@pytest.mark.parametrize("kind", IN_A_REAL_SERVICE, ids=lambda kind: kind.word)
def test_a_real_service_rings_it(kind: AlarmKind) -> None:
    file, words = IN_A_REAL_SERVICE[kind]
    assert kind.ends is AlarmEnds.BY_ITSELF or words.startswith("alarm-over "), "it has to be seen to end"
    source = (SERVICE / file).read_text(encoding="utf-8")
    tests = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert any(words in (ast.get_source_segment(source, test) or "") for test in tests)

"""A day as data, drawn from a seed: the machines, the letters and the faults.

All of it is drawn from the fault dice before the day begins, so that nothing the product does can
change the scenario.
"""

from dataclasses import dataclass, replace

from secondpost.mail.duration import DAY_MS, HOUR_MS
from simulation.dice import SimDice
from simulation.faults import (
    Blocked,
    ClockWrong,
    Crash,
    CrashAtStep,
    InboxDown,
    InboxMoody,
    InjectedFault,
    Moody,
    NamesLie,
    NoRoom,
    PowerCut,
    PrimaryDown,
    Restart,
    Storm,
    TlsBroken,
    What,
)
from simulation.internet.dns import NXDOMAIN, SERVFAIL, SLOW, ZERO
from simulation.internet.net import Weather
from simulation.internet.primaries import CHARACTERS, MUTE
from simulation.internet.senders import Manners
from simulation.people.news import NewsPlan, draw_news
from simulation.work import JobDurations

HOUR = 3600.0
DAY_SECONDS = 4 * HOUR  # without the idle hours of a real day
LETTERS_MIN = 300

OUR_NAME = "mx2.ours.example"
OUR_ADDRESS = "192.0.2.25"
OUR_NETWORK = "harbour"
COUNTRY = "country"  # its regulator blocks networks
ELSEWHERE = "elsewhere"
SENDER_NETWORKS = (COUNTRY, ELSEWHERE)
PROVIDERS = ("provider-a", "provider-b", "provider-c")
SENDER_DOMAIN = "sender.example"
SENDERS_NETWORK = "203.0.113.0/26"
VICTIM_DOMAIN = "victim.example"  # not ours: an open relay would send there
STRIKES_SECONDS_MAX = 120.0  # a crash waits this long for its trigger
MAILBOXES = ("anna", "bert", "carl", "dora", "erik")
NO_MAILBOX = "missing"  # local part of an address that no primary accepts


@dataclass(frozen=True, slots=True)
class PrimaryPlan:
    name: str
    address: str
    network: str
    domains: tuple[str, ...]
    preference: int
    offers_tls: bool


@dataclass(frozen=True, slots=True)
class DomainPlan:
    name: str
    recipients: str  # "any", "listed" or "learn"
    named_primary: bool  # the configuration names the primary, instead of asking DNS


@dataclass(frozen=True, slots=True)
class SenderPlan:
    name: str
    address: str
    network: str
    manners: Manners


@dataclass(frozen=True, slots=True)
class LetterPlan:
    at_seconds: float
    sender_server: int
    recipients: tuple[str, ...]
    octets: int
    from_nobody: bool  # with the null path as sender


@dataclass(frozen=True, slots=True)
class Scenario:
    domains: tuple[DomainPlan, ...]
    primaries: tuple[PrimaryPlan, ...]
    senders: tuple[SenderPlan, ...]
    letters: tuple[LetterPlan, ...]
    news: NewsPlan
    faults: tuple[InjectedFault, ...]  # in order of their start
    disk: JobDurations
    fault_free_from: float  # every fault has ended by then


def draw(dice: SimDice) -> Scenario:
    domains = tuple(
        DomainPlan(f"d{number}.example", dice.one_of(("any", "any", "listed", "learn")), dice.chance(0.3))
        for number in range(dice.whole(3, 5))
    )
    primaries = _primaries(dice, domains)
    senders = _senders(dice)
    faults = _faults(dice, domains, primaries)
    letters = _letters(dice, domains, senders, faults)
    disk = dice.one_of((JobDurations(), JobDurations(), JobDurations(0.5, 0.3)))
    news = draw_news(dice, DAY_SECONDS, (ELSEWHERE, *PROVIDERS[1:]))
    # From separate dice, so that these faults do not change the other draws.
    silence = _silence(SimDice(f"silence {letters[0].at_seconds}"), primaries, len(news.inboxes))
    faults = tuple(sorted(_apart([*faults, *news.faults, *silence]), key=lambda fault: fault.start))
    ends = [fault.end for fault in faults if not isinstance(fault.what, CrashAtStep)]
    return Scenario(domains, primaries, senders, letters, news, faults, disk, max(ends))


def _primaries(dice: SimDice, domains: tuple[DomainPlan, ...]) -> tuple[PrimaryPlan, ...]:
    """The first two domains share one host, the third has two hosts, the others one each."""
    groups = [(domains[:2], 10), (domains[2:3], 10), (domains[2:3], 20)]
    groups += [(domains[number : number + 1], 10) for number in range(3, len(domains))]
    return tuple(
        PrimaryPlan(
            name=f"mx{number}.{PROVIDERS[min(number, 2)]}.example",
            address=f"198.51.100.{10 + number}",
            network=PROVIDERS[0] if number == 0 else dice.one_of(PROVIDERS[1:]),
            domains=tuple(domain.name for domain in group),
            preference=preference,
            offers_tls=dice.chance(0.7),
        )
        for number, (group, preference) in enumerate(groups)
    )


def _senders(dice: SimDice) -> tuple[SenderPlan, ...]:
    plans = []
    for number in range(6):
        manners = Manners(
            extended=dice.chance(0.9),
            pipelines=dice.chance(0.5),
            uses_tls=dice.chance(0.7),
            per_connection=dice.one_of((1, 1, 5, 50)),
            vanishes_chance=dice.one_of((0.0, 0.0, 0.05)),
            breaks_chance=dice.one_of((0.0, 0.0, 0.05)),
            # The last two ignore preferences, as spammers do and servers with a fixed route.
            only_to=OUR_ADDRESS if number >= 4 else None,
            ends_with_dot=number in (1, 4),
        )
        network = SENDER_NETWORKS[number % 2]
        plans.append(SenderPlan(f"out{number}.{SENDER_DOMAIN}", f"203.0.113.{10 + number}", network, manners))
    return tuple(plans)


def _letters(
    dice: SimDice,
    domains: tuple[DomainPlan, ...],
    senders: tuple[SenderPlan, ...],
    faults: tuple[InjectedFault, ...],
) -> tuple[LetterPlan, ...]:
    count = LETTERS_MIN + dice.whole(0, 40)
    bursts = [fault.start + dice.between(-10.0, 300.0) for fault in faults]
    letters = []
    for _ in range(count):
        at = (
            dice.one_of(bursts) + dice.between(0.0, 60.0)
            if dice.chance(0.5)
            else dice.between(0, DAY_SECONDS)
        )
        server = dice.whole(0, len(senders) - 1)
        homes = [dice.one_of(domains).name]
        if senders[server].manners.only_to is not None and dice.chance(0.3):
            homes.append(dice.one_of((*(domain.name for domain in domains), VICTIM_DOMAIN)))
        recipients = {
            f"{NO_MAILBOX if dice.chance(0.03) else dice.one_of(MAILBOXES)}@{home}"
            for home in homes
            for _ in range(dice.one_of((1, 1, 1, 2, 4)))
        }
        octets = dice.one_of((600, 1500, 4000, 4000, 20_000)) if dice.chance(0.97) else 200_000
        letters.append(LetterPlan(max(1.0, at), server, tuple(sorted(recipients)), octets, dice.chance(0.05)))
    return tuple(sorted(letters, key=lambda letter: letter.at_seconds))


def _faults(
    dice: SimDice, domains: tuple[DomainPlan, ...], primaries: tuple[PrimaryPlan, ...]
) -> tuple[InjectedFault, ...]:
    faults = [
        _spell(dice, PrimaryDown(server, dice.chance(0.5)), 0.1 * HOUR, 1.5 * HOUR)
        for server in range(len(primaries))
        for _ in range(dice.whole(1, 2))
    ]
    faults.append(_spell(dice, Blocked(COUNTRY, dice.one_of(primaries).network), 0.5 * HOUR, 2.5 * HOUR))
    if dice.chance(0.3):
        network = dice.one_of(primaries).network
        faults.append(_spell(dice, Blocked(OUR_NETWORK, network), 0.2 * HOUR, 2 * HOUR))
    faults.extend(_crashes(dice))
    kinds = dice.some_of(range(6), dice.whole(3, 5))
    faults.extend(_trouble(dice, kind, domains, primaries) for kind in kinds)
    return tuple(sorted(_apart(faults), key=lambda fault: fault.start))


def _silence(dice: SimDice, primaries: tuple[PrimaryPlan, ...], inboxes: int) -> list[InjectedFault]:
    """Mute servers, which accept connections and never reply: primaries or readers' servers."""
    mute: list[What] = [Moody(number, MUTE) for number in range(len(primaries))]
    mute += [InboxMoody(number, MUTE) for number in range(inboxes)]
    return [_spell(dice, what, 0.1 * HOUR, 1.5 * HOUR) for what in dice.some_of(mute, dice.whole(0, 3))]


def _crashes(dice: SimDice) -> list[InjectedFault]:
    crashes = []
    for _ in range(dice.whole(1, 4)):
        at = dice.between(0.0, DAY_SECONDS)
        # After a write, since an idle process has nothing to lose.
        soon = (dice.whole(1, 40), dice.between(0.0, 0.02))
        match dice.whole(0, 4):
            case 0 | 1:
                dark = dice.one_of((5.0, dice.between(20.0, 0.5 * HOUR)))
                crashes.append(InjectedFault(PowerCut(*soon, dark), at, at + STRIKES_SECONDS_MAX + dark))
            case 2 | 3:
                crashes.append(InjectedFault(Crash("deliver", *soon), at, at + STRIKES_SECONDS_MAX))
            case _:
                crashes.append(InjectedFault(Crash("receive", *soon), at, at + STRIKES_SECONDS_MAX))
    if dice.chance(0.3):
        at = dice.between(0.0, DAY_SECONDS)
        crashes.append(InjectedFault(Restart(dice.one_of(("receive", "deliver"))), at, at + 1.0))
    return crashes


def _trouble(
    dice: SimDice, kind: int, domains: tuple[DomainPlan, ...], primaries: tuple[PrimaryPlan, ...]
) -> InjectedFault:
    server = dice.whole(0, len(primaries) - 1)
    match kind:
        case 0:
            return _spell(dice, Moody(server, dice.one_of(CHARACTERS)), 0.5 * HOUR, 3 * HOUR)
        case 1:
            name = dice.one_of((*(domain.name for domain in domains), *(p.name for p in primaries)))
            lies = (SERVFAIL, NXDOMAIN, SLOW)
            host_lies = (*lies, ZERO, replace(ZERO, addresses=(OUR_ADDRESS,)))
            lie = dice.one_of(host_lies if name.startswith("mx") else lies)
            viewpoint = dice.one_of((OUR_NETWORK, OUR_NETWORK, "*", COUNTRY))
            return _spell(dice, NamesLie(viewpoint, name, lie), 0.1 * HOUR, 2 * HOUR)
        case 2:
            weather = Weather(
                latency_seconds=(0.02, dice.between(0.05, 0.5)),
                loss_chance=dice.between(0.0, 0.1),
                reset_chance=dice.between(0.0, 0.3),
                silence_chance=dice.between(0.0, 0.1),
            )
            return _spell(dice, Storm(weather), 0.2 * HOUR, 2 * HOUR)
        case 3:
            return _spell(dice, TlsBroken(server, dice.one_of(("fails", "hangs"))), 0.5 * HOUR, 2 * HOUR)
        case 4:
            return _spell(dice, NoRoom(dice.chance(0.5)), 0.1 * HOUR, 0.5 * HOUR)
        case _:
            step_ms = dice.one_of((-DAY_MS, -HOUR_MS, HOUR_MS, DAY_MS))
            return _spell(dice, ClockWrong(step_ms), 0.3 * HOUR, 2 * HOUR)


def _spell(dice: SimDice, what: What, shortest: float, longest: float) -> InjectedFault:
    lasts = dice.between(shortest, longest)
    start = dice.between(0.0, DAY_SECONDS - lasts)
    return InjectedFault(what, start, start + lasts)


def _apart(faults: list[InjectedFault]) -> list[InjectedFault]:
    """Drop faults that overlap another of the same scope: the end of one would end the other."""
    kept: list[InjectedFault] = []
    for fault in faults:
        if not any(
            _scope(other.what) == _scope(fault.what)
            and other.start < fault.end + 60.0
            and fault.start < other.end + 60.0
            for other in kept
        ):
            kept.append(fault)
    return kept


def _scope(what: What) -> tuple[str, ...]:
    match what:
        case PrimaryDown(server) | Moody(server) | TlsBroken(server) | InboxDown(server) | InboxMoody(server):
            return (type(what).__name__, str(server))
        case NamesLie(_, name):
            return ("names", name)
        case Blocked(network_a, network_b):
            return ("blocked", network_a, network_b)
        case Crash() | PowerCut() | Restart():
            return ("process",)
        case CrashAtStep(role, verb):
            return ("step", role, verb)
        case _:
            return (type(what).__name__,)

"""Looks at the primary of one backup domain: its hosts, TLS, what it offers, and whether it takes mail
from us. Nothing is sent: recipients are asked about with RCPT only.
"""

from collections.abc import Iterator, Sequence

from secondpost.config.records import Backup, Config
from secondpost.mail.address import Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Hop, NoPlan, Plan, TlsDemand
from secondpost.mail.size import size_text
from secondpost.route.destination import ByHosts, ByMx, Road, road_to
from secondpost.route.hosts import Ourselves, plan_for_hosts, plan_for_mx
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.looks import (
    Looking,
    SmtpLook,
    SmtpLooks,
    SmtpSeen,
    TurnedAway,
    Unreached,
    Visited,
)
from secondpost.setup.primary_answers import StoredFacts, examine_answers, examine_stored, untrusted
from secondpost.setup.trust_settings import Relay

HOSTS_MAX = 5  # that are looked at


def routed(config: Config, lane: Lane, road: Road, us: Ourselves) -> Looking[Plan | NoPlan | None]:
    """The plan of a road; None if it leads to ourselves."""
    match road:
        case ByHosts(hosts, tls):
            return (yield from plan_for_hosts(hosts, tls, us))
        case ByMx(domain, as_backup):
            return (yield from plan_for_mx(domain, as_backup, config.deliver.port, us))
    return None


def looks_at(plan: Plan, recipients: tuple[Mailbox, ...] = ()) -> SmtpLooks:
    """A look at every address of the plan's best hosts."""
    hops = plan.hops[:HOSTS_MAX]
    return SmtpLooks(
        tuple(SmtpLook(endpoint, hop.name, recipients) for hop in hops for endpoint in hop.endpoints())
    )


def examine_primary(
    config: Config, backup: Backup, us: Ourselves, relay: Relay, stored: StoredFacts | None, made_up: str
) -> Looking[tuple[Diagnosis, ...]]:
    """`relay`: this server, as the primary has to enter it; `stored`: None without a store; `made_up`:
    a random local part that cannot exist.
    """
    domain = str(backup.domain)
    found = list(examine_stored(backup, stored)) if stored is not None else []
    road = road_to(config, Lane.RELAY, backup.domain)
    plan = yield from routed(config, Lane.RELAY, road, us)
    if not isinstance(plan, Plan):
        why = "its mail leads back to this server" if plan is None else plan.reply.text
        remedy = f'primary = ["mx1.provider.example"] in the [[backup]] of {domain} in {config.path}'
        text = f"There is no way to the primary of {domain}: {why}."
        return (*found, Diagnosis(Check.PRIMARY_REACHABLE, domain, Grade.FAULT, text, remedy))
    looks = looks_at(plan)
    seen = yield from looks.ask()
    found.extend(_reached(backup, looks.looks, seen, relay))
    visited = [(look, one) for look, one in zip(looks.looks, seen, strict=True) if isinstance(one, Visited)]
    found.extend(_tls(backup, plan.hops, visited))
    if len(visited) > 0:
        found.append(_offers(backup, visited[0][1]))
    # A smart host with a login says nothing of recipients to one that does not log in.
    if len(visited) > 0 and not (isinstance(road, ByHosts) and road.login is not None):
        asked = (Mailbox("postmaster", backup.domain), Mailbox(made_up, backup.domain))
        [answer] = yield from SmtpLooks((_with(visited[0][0], asked),)).ask()
        if isinstance(answer, Visited) and len(answer.answers) == len(asked):
            found.extend(examine_answers(config, backup, visited[0][0].host, answer.answers, relay))
    return tuple(found)


def _with(look: SmtpLook, recipients: tuple[Mailbox, ...]) -> SmtpLook:
    return SmtpLook(look.endpoint, look.host, recipients)


def named(look: SmtpLook) -> str:
    """A host with its address, as in the log."""
    address = str(look.endpoint)
    return address if look.host == look.endpoint.host else f"{look.host}[{address}]"


def missed(seen: SmtpSeen) -> str:
    """Why a look came to nothing, as the rest of a sentence."""
    match seen:
        case Unreached(why):
            return why
        case TurnedAway(reply):
            return f"it refuses to talk to us: {reply}"
        case Visited():
            return ""


def _reached(
    backup: Backup, looks: Sequence[SmtpLook], seen: Sequence[SmtpSeen], relay: Relay
) -> Iterator[Diagnosis]:
    check, domain = Check.PRIMARY_REACHABLE, str(backup.domain)
    failed = [(look, one) for look, one in zip(looks, seen, strict=True) if not isinstance(one, Visited)]
    for look, one in failed:
        if isinstance(one, TurnedAway) and one.reply.is_permanent:
            yield untrusted(backup, look.host, one.reply, relay)
            break
    if len(failed) == len(looks):
        text = f"No host of the primary can be reached: {_list(failed)}."
        remedy = "mail is held until it answers; if it is meant to, look at its firewall and its own log"
        yield Diagnosis(check, domain, Grade.FAULT, text, remedy)
        return
    silent_v6 = [one for one in failed if ":" in one[0].endpoint.host]
    if len(failed) > len(silent_v6):
        remedy = "nothing has to be done here: the other hosts take the mail"
        yield Diagnosis(
            check, domain, Grade.WARNING, f"Some hosts cannot be reached: {_list(failed)}.", remedy
        )
    elif len(failed) > 0:
        text = f"Its IPv6 addresses cannot be reached from here: {_list(failed)}."
        yield Diagnosis(check, domain, Grade.NOTE, text, "ip -6 route show default")
    else:
        names = ", ".join(dict.fromkeys(look.host for look in looks))
        yield Diagnosis(check, domain, Grade.WELL, f"The primary answers: {names}.")


def _list(failed: Sequence[tuple[SmtpLook, SmtpSeen]]) -> str:
    return "; ".join(f"{named(look)}: {missed(one)}" for look, one in failed)


def _tls(
    backup: Backup, hops: Sequence[Hop], visited: Sequence[tuple[SmtpLook, Visited]]
) -> Iterator[Diagnosis]:
    check, domain = Check.PRIMARY_TLS, str(backup.domain)
    demands = {hop.name: hop.tls for hop in hops}
    for look, one in visited:
        demand = demands[look.host]
        if demand is TlsDemand.NONE:
            continue
        if one.tls is None:
            why = f"its STARTTLS fails: {one.distrust}" if len(one.distrust) > 0 else "it offers no STARTTLS"
            grade = Grade.FAULT if demand is not TlsDemand.OPPORTUNISTIC else Grade.WARNING
            text = f"Mail to {named(look)} is not encrypted: {why}."
            yield Diagnosis(
                check, domain, grade, text, f"give {look.host} a certificate and turn STARTTLS on"
            )
        elif len(one.distrust) > 0:
            grade = Grade.FAULT if demand is TlsDemand.VERIFY else Grade.NOTE
            text = f"Mail to {named(look)} is encrypted, but any server could pose as it: {one.distrust}."
            yield Diagnosis(check, domain, grade, text, f"give {look.host} a certificate of an authority")
        else:
            yield Diagnosis(check, domain, Grade.WELL, f"{named(look)} proves who it is ({one.tls}).")


def _offers(backup: Backup, visited: Visited) -> Diagnosis:
    offers = visited.offers
    size = "any size" if offers.size_max is None else f"mail up to {size_text(offers.size_max)}"
    utf8 = "addresses in UTF-8 too" if offers.smtputf8 else "no addresses in UTF-8"
    return Diagnosis(
        Check.PRIMARY_OFFERS, str(backup.domain), Grade.WELL, f"The primary takes {size}, {utf8}."
    )

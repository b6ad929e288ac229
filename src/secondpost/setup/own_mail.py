"""The roads of our own mail: to the owner, and to smart hosts."""

from secondpost.config.records import Config, Route
from secondpost.mail.address import Domain
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import NoPlan, Plan, TlsDemand
from secondpost.route.destination import ByHosts, road_to
from secondpost.route.hosts import Ourselves
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.looks import Looking, SmtpSeen, Visited
from secondpost.setup.primary_look import looks_at, missed, named, routed


def examine_owner_route(config: Config, domain: Domain, us: Ourselves) -> Looking[tuple[Diagnosis, ...]]:
    """The way of alarms to one of the owner's domains."""
    check, subject = Check.OWNER_ROUTE, str(domain)
    remedy = f"write an address at another provider into `owner` in {config.path}"
    plan = yield from routed(config, Lane.OWN, road_to(config, Lane.OWN, domain), us)
    if plan is None:
        text = f"Mail for the owner at {domain} stays on this server, where nobody reads it."
        return (Diagnosis(check, subject, Grade.FAULT, text, remedy),)
    if isinstance(plan, NoPlan):
        text = f"Mail for the owner at {domain} finds no way: {plan.reply.text}."
        return (Diagnosis(check, subject, Grade.FAULT, text, remedy),)
    looks = looks_at(plan)
    seen = yield from looks.ask()
    for look, one in zip(looks.looks, seen, strict=True):
        if isinstance(one, Visited):
            text = f"Mail for the owner at {domain} goes to {named(look)}."
            return (Diagnosis(check, subject, Grade.WELL, text),)
    text = f"Mail for the owner at {domain} cannot leave: {named(looks.looks[0])}: {missed(seen[0])}."
    return (Diagnosis(check, subject, Grade.FAULT, text, remedy),)


def smart_hosts(config: Config) -> tuple[Route, ...]:
    """One route for each smart host."""
    return tuple({route.host: route for route in config.routes}.values())


def examine_smart_host(config: Config, route: Route, us: Ourselves) -> Looking[tuple[Diagnosis, ...]]:
    check, subject = Check.SMART_HOST, str(route.host)
    plan = yield from routed(config, Lane.OWN, ByHosts((route.host,), route.tls), us)
    if not isinstance(plan, Plan):
        why = "it is this server itself" if plan is None else plan.reply.text
        text = f"There is no way to the smart host {route.host}: {why}."
        return (
            Diagnosis(check, subject, Grade.FAULT, text, f"correct host in the [[route]] in {config.path}"),
        )
    looks = looks_at(plan)
    seen = yield from looks.ask()
    best = next((one for one in seen if isinstance(one, Visited)), seen[0])
    return (_smart_host(config, route, plan.hops[0].tls, best),)


def _smart_host(config: Config, route: Route, tls: TlsDemand, seen: SmtpSeen) -> Diagnosis:
    check, subject = Check.SMART_HOST, str(route.host)
    if not isinstance(seen, Visited):
        text = f"The smart host {route.host} cannot be reached: {missed(seen)}."
        return Diagnosis(
            check, subject, Grade.FAULT, text, f"ask its provider, or correct host in {config.path}"
        )
    needs_tls = tls in (TlsDemand.ENCRYPT, TlsDemand.VERIFY) or route.username is not None
    if seen.tls is None and needs_tls:
        text = f"The smart host {route.host} offers no STARTTLS, and the route demands it."
        return Diagnosis(check, subject, Grade.FAULT, text, "ask its provider for the port with STARTTLS")
    if len(seen.distrust) > 0 and tls is TlsDemand.VERIFY:
        text = f"The smart host {route.host} does not prove who it is: {seen.distrust}."
        remedy = f"write the name in its certificate as host in the [[route]] in {config.path}"
        return Diagnosis(check, subject, Grade.FAULT, text, remedy)
    how = "in the clear" if seen.tls is None else f"over {seen.tls}"
    return Diagnosis(check, subject, Grade.WELL, f"The smart host {route.host} answers {how}.")

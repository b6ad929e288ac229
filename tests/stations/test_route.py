"""Routing: the world is a dict of DNS answers."""

from collections.abc import Mapping

import pytest

from secondpost.config.records import Backup, Config, Receive, Route, Web
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, Login, NoPlan, Plan, Routed, TlsDemand
from secondpost.mail.questions import (
    AddressAnswer,
    Addresses,
    Finding,
    Mx,
    MxAnswer,
    MxRecord,
    NameAnswer,
    NameQuestion,
)
from secondpost.route.destination import ByHosts, ByMx, ourselves, road_to
from secondpost.route.hosts import Ourselves, plan_for_hosts, plan_for_mx, unanswered_hosts
from secondpost.world.asking import answer_from

DOMAIN = Domain("example.net")
US = Ourselves(
    names=frozenset({"mx2.example.net"}),
    addresses=frozenset({"192.0.2.2"}),
    doors=frozenset({Endpoint("127.0.0.1", 2525)}),
)


def mx(*records: tuple[int, str]) -> MxAnswer:
    return MxAnswer(Finding.FOUND, tuple(MxRecord(preference, host) for preference, host in records))


def at(*addresses: str) -> AddressAnswer:
    return AddressAnswer(Finding.FOUND, addresses)


GONE = AddressAnswer(Finding.NO_NAME)
World = Mapping[NameQuestion, NameAnswer]


def backup_plan(world: World, port: int = 25) -> Routed:
    return answer_from(world, plan_for_mx(DOMAIN, True, port, US))


def outside_plan(world: World) -> Routed:
    return answer_from(world, plan_for_mx(DOMAIN, False, 25, US))


def names(routed: Routed) -> list[str]:
    assert isinstance(routed, Plan), routed
    return [hop.name for hop in routed.hops]


def test_the_primary_is_what_is_better_than_us() -> None:
    world: World = {
        Mx(DOMAIN): mx((20, "mx2.example.net"), (10, "mx1.provider.example"), (30, "mx3.example.org")),
        Addresses("mx1.provider.example"): at("192.0.2.10"),
        Addresses("mx2.example.net"): at("192.0.2.2"),
        Addresses("mx3.example.org"): at("192.0.2.30"),
    }
    assert names(backup_plan(world)) == ["mx1.provider.example"]


def test_a_host_of_our_own_preference_is_dropped_with_us() -> None:
    world: World = {
        Mx(DOMAIN): mx((10, "mx1.provider.example"), (20, "mx2.example.net"), (20, "twin.example.org")),
        Addresses("mx1.provider.example"): at("192.0.2.10"),
        Addresses("mx2.example.net"): at("192.0.2.2"),
        Addresses("twin.example.org"): at("192.0.2.20"),
    }
    assert names(backup_plan(world)) == ["mx1.provider.example"]


def test_we_know_ourselves_by_address_under_another_name() -> None:
    world: World = {
        Mx(DOMAIN): mx((10, "mx1.provider.example"), (20, "backup.example.org")),
        Addresses("mx1.provider.example"): at("192.0.2.10"),
        Addresses("backup.example.org"): at("2001:db8::2", "192.0.2.2"),
    }
    assert names(backup_plan(world)) == ["mx1.provider.example"]


def test_we_know_ourselves_by_name_when_the_name_does_not_resolve() -> None:
    world: World = {
        Mx(DOMAIN): mx((10, "mx1.provider.example"), (20, "mx2.example.net"), (30, "mx3.example.org")),
        Addresses("mx1.provider.example"): at("192.0.2.10"),
        Addresses("mx2.example.net"): GONE,
        Addresses("mx3.example.org"): at("192.0.2.30"),
    }
    assert names(backup_plan(world)) == ["mx1.provider.example"]


def test_a_server_on_another_port_of_our_address_is_not_us() -> None:
    world: World = {Mx(DOMAIN): mx((10, "primary.example")), Addresses("primary.example"): at("127.0.0.1")}
    assert names(backup_plan(world, port=2700)) == ["primary.example"]
    nowhere = backup_plan(world, port=2525)
    assert isinstance(nowhere, NoPlan)
    assert nowhere.cause is Cause.LOOP


@pytest.mark.parametrize(
    ("world", "cause"),
    [
        ({Mx(DOMAIN): MxAnswer(Finding.FAILED)}, Cause.DNS),
        ({Mx(DOMAIN): MxAnswer(Finding.NO_NAME)}, Cause.DNS),
        ({Mx(DOMAIN): MxAnswer(Finding.NO_DATA)}, Cause.DNS),
        ({Mx(DOMAIN): mx((0, "."))}, Cause.DNS),
        ({Mx(DOMAIN): mx((10, "mx1.provider.example")), Addresses("mx1.provider.example"): GONE}, Cause.DNS),
        (
            {Mx(DOMAIN): mx((10, "mx2.example.net")), Addresses("mx2.example.net"): at("192.0.2.2")},
            Cause.LOOP,
        ),
    ],
)
def test_for_a_backup_domain_no_answer_of_dns_is_final(world: World, cause: Cause) -> None:
    nowhere = backup_plan(world)
    assert isinstance(nowhere, NoPlan)
    assert nowhere.cause is cause
    assert nowhere.reply.is_temporary


def test_other_domains_can_say_that_they_take_no_mail() -> None:
    null = outside_plan({Mx(DOMAIN): mx((0, "."))})
    assert isinstance(null, NoPlan)
    assert (null.reply.code, null.reply.status) == (556, "5.1.10")
    missing = outside_plan({Mx(DOMAIN): MxAnswer(Finding.NO_NAME)})
    assert isinstance(missing, NoPlan)
    assert missing.reply.is_permanent


def test_servfail_is_never_final() -> None:
    failed = outside_plan({Mx(DOMAIN): MxAnswer(Finding.FAILED)})
    assert isinstance(failed, NoPlan)
    assert failed.reply.is_temporary


def test_without_mx_records_the_domain_itself_is_the_host() -> None:
    plan = outside_plan(
        {Mx(DOMAIN): MxAnswer(Finding.NO_DATA), Addresses("example.net"): at("2001:db8::1", "192.0.2.1")}
    )
    assert isinstance(plan, Plan)
    assert plan.hops[0].addresses == ("2001:db8::1", "192.0.2.1")


def test_when_mx_hosts_exist_but_none_resolves_the_domain_itself_is_not_tried() -> None:
    world: World = {Mx(DOMAIN): mx((10, "mx1.provider.example")), Addresses("mx1.provider.example"): GONE}
    nowhere = outside_plan(world)
    assert isinstance(nowhere, NoPlan)
    assert nowhere.reply.is_temporary


def test_the_site_is_the_set_of_hosts_whatever_their_order() -> None:
    one: World = {
        Mx(DOMAIN): mx((10, "b.example"), (20, "a.example")),
        Addresses("a.example"): at("192.0.2.10"),
        Addresses("b.example"): at("192.0.2.11"),
    }
    other = {**one, Mx(DOMAIN): mx((10, "a.example"), (20, "b.example"))}
    first, second = outside_plan(one), outside_plan(other)
    assert isinstance(first, Plan)
    assert isinstance(second, Plan)
    assert first.site == second.site
    assert names(first) == ["b.example", "a.example"]


def test_equals_are_tried_in_the_order_of_the_answer() -> None:
    world: World = {
        Mx(DOMAIN): mx((10, "c.example"), (10, "a.example"), (5, "z.example"), (10, "b.example")),
        **{Addresses(f"{name}.example"): at("192.0.2.10") for name in "abcz"},
    }
    assert names(outside_plan(world)) == ["z.example", "c.example", "a.example", "b.example"]


def test_named_hosts_need_no_question_when_they_are_addresses() -> None:
    hosts = (Endpoint("127.0.0.1", 2700), Endpoint("192.0.2.10", 25))
    plan = answer_from({}, plan_for_hosts(hosts, None, US))
    assert isinstance(plan, Plan)
    assert plan.site == "127.0.0.1:2700,192.0.2.10:25"
    assert [hop.tls for hop in plan.hops] == [TlsDemand.NONE, TlsDemand.OPPORTUNISTIC]


def test_a_named_host_that_does_not_resolve_is_left_out_while_another_does() -> None:
    hosts = (Endpoint("gone.example", 25), Endpoint("mx1.provider.example", 25))
    world: World = {Addresses("gone.example"): GONE, Addresses("mx1.provider.example"): at("192.0.2.10")}
    assert names(answer_from(world, plan_for_hosts(hosts, None, US))) == ["mx1.provider.example"]


def test_a_named_host_that_is_ourselves_is_a_loop() -> None:
    nowhere = answer_from({}, plan_for_hosts((Endpoint("192.0.2.2", 25),), None, US))
    assert isinstance(nowhere, NoPlan)
    assert nowhere.cause is Cause.LOOP


# ---------------------------------------------------------------- routes


def config(*routes: Route, primary: tuple[Endpoint, ...] = ()) -> Config:
    return Config(
        path="secondpost.toml",
        hostname=Domain("mx2.example.net"),
        store="/var/lib/secondpost",
        owner=(Mailbox.parse("me@elsewhere.example"),),
        bounces=Domain("mx2.example.net"),
        web=Web(url=None),
        receive=Receive(listen=(Endpoint("::", 25), Endpoint("127.0.0.1", 2525))),
        backups=(Backup(DOMAIN, primary=primary),),
        routes=routes,
        addresses=("192.0.2.99",),
    )


SMART = Endpoint("smtp.example", 587)


def test_a_backup_domain_goes_to_its_named_primary_else_to_its_mx() -> None:
    primary = (Endpoint("mx1.provider.example", 25),)
    assert road_to(config(primary=primary), Lane.RELAY, DOMAIN) == ByHosts(primary, None)
    assert road_to(config(), Lane.RELAY, DOMAIN) == ByMx(DOMAIN, as_backup=True)
    assert road_to(config(), Lane.OWN, Domain("example.org")) == ByMx(Domain("example.org"), as_backup=False)


def test_a_route_for_everything_never_means_the_relay_lane_unless_it_names_it() -> None:
    everything = Route(None, None, SMART)
    assert road_to(config(everything), Lane.RELAY, DOMAIN) == ByMx(DOMAIN, as_backup=True)
    assert road_to(config(everything), Lane.OWN, DOMAIN) == ByHosts((SMART,), None)
    named = Route(None, Lane.RELAY, SMART)
    assert road_to(config(named), Lane.RELAY, DOMAIN) == ByHosts((SMART,), None)


LOGIN = Login("me", "/etc/secondpost/password")
GONE_SMART: World = {Addresses("smtp.example"): GONE}
AT_SMART: World = {Addresses("smtp.example"): at("192.0.2.10")}


def test_the_login_goes_along_to_the_hop() -> None:
    route = Route(None, Lane.OWN, SMART, "me", "/etc/secondpost/password")
    road = road_to(config(route), Lane.OWN, DOMAIN)
    assert road == ByHosts((SMART,), None, LOGIN)
    plan = answer_from(AT_SMART, plan_for_hosts((SMART,), None, US, LOGIN))
    assert isinstance(plan, Plan)
    assert [hop.login for hop in plan.hops] == [LOGIN]


@pytest.mark.parametrize(
    ("named", "lanes"),
    [
        (None, {Lane.OWN, Lane.ISSUES}),
        (Lane.ISSUES, {Lane.ISSUES}),
        (Lane.RELAY, {Lane.RELAY, Lane.UNVERIFIED}),
    ],
)
def test_a_login_for_everything_serves_the_lanes_that_it_is_for(named: Lane | None, lanes: set[Lane]) -> None:
    routes = config(Route(None, named, SMART, "me", "/etc/secondpost/password"))
    roads = {lane: road_to(routes, lane, Domain("example.org")) for lane in Lane}
    with_login = {lane for lane, road in roads.items() if isinstance(road, ByHosts) and road.login == LOGIN}
    assert with_login == lanes


def test_two_logins_at_one_host_are_two_sites() -> None:
    other = Login("you", "/etc/secondpost/password")
    plans = [
        answer_from(AT_SMART, plan_for_hosts((SMART,), None, US, login)) for login in (None, LOGIN, other)
    ]
    sites = ["smtp.example:587", "smtp.example:587 as me", "smtp.example:587 as you"]
    assert [plan.site for plan in plans] == sites
    nowhere = [
        answer_from(GONE_SMART, plan_for_hosts((SMART,), None, US, login)) for login in (None, LOGIN, other)
    ]
    assert [plan.site for plan in nowhere] == sites
    assert [unanswered_hosts((SMART,), login).site for login in (None, LOGIN, other)] == sites


@pytest.mark.parametrize(
    ("host", "tls", "login", "demand"),
    [
        ("192.0.2.10:587", None, None, TlsDemand.OPPORTUNISTIC),
        ("192.0.2.10:587", None, LOGIN, TlsDemand.ENCRYPT),
        ("192.0.2.10:587", TlsDemand.VERIFY, LOGIN, TlsDemand.VERIFY),
        ("192.0.2.10:465", None, None, TlsDemand.ENCRYPT),
        ("127.0.0.1:587", None, None, TlsDemand.NONE),
        ("127.0.0.1:587", None, LOGIN, TlsDemand.ENCRYPT),
        ("127.0.0.1:587", TlsDemand.NONE, LOGIN, TlsDemand.NONE),
    ],
)
def test_a_password_is_never_sent_in_the_clear_by_default(
    host: str, tls: TlsDemand | None, login: Login | None, demand: TlsDemand
) -> None:
    plan = answer_from({}, plan_for_hosts((Endpoint.parse(host, 25),), tls, US, login))
    assert isinstance(plan, Plan)
    assert [hop.tls for hop in plan.hops] == [demand]


def test_on_port_465_tls_comes_first_unless_none_is_wanted() -> None:
    def tls_first(port: int, tls: TlsDemand) -> bool:
        return Hop("smtp.example", ("192.0.2.10",), port, tls).tls_first

    assert tls_first(465, TlsDemand.ENCRYPT)
    assert not tls_first(587, TlsDemand.ENCRYPT)
    assert not tls_first(465, TlsDemand.NONE)


def test_the_most_particular_route_wins() -> None:
    everything, lane = Route(None, None, SMART), Route(None, Lane.OWN, Endpoint("lane.example", 25))
    domain = Route(DOMAIN, None, Endpoint("domain.example", 25))
    both = Route(DOMAIN, Lane.OWN, Endpoint("both.example", 25))
    roads = [
        road_to(config(*routes), Lane.OWN, DOMAIN)
        for routes in ((everything, lane), (lane, domain), (both, domain, lane, everything))
    ]
    assert [road.hosts[0].host for road in roads if isinstance(road, ByHosts)] == [
        "lane.example",
        "domain.example",
        "both.example",
    ]


def test_doors_open_everywhere_are_known_at_every_address_of_the_machine() -> None:
    us = ourselves(config(), frozenset({"192.0.2.7"}))
    assert us.is_address("192.0.2.7", 25)
    assert us.is_address("127.0.0.1", 2525)
    assert us.is_address("192.0.2.99", 2700)
    assert not us.is_address("127.0.0.1", 2700)

"""Which records are visible already, asked of the zones' own name servers before any cache."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import dns.rcode
import pytest

from secondpost.config.records import Config, Dkim, Dns
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.dns_questions import AnswerOfZone, CaaRecord, Ds, DsAnswer, StsPolicyAnswer, ZoneQuestion
from secondpost.mail.questions import Finding, MxAnswer, MxRecord, Txt, TxtAnswer
from secondpost.roles.authoritative import Authoritative
from secondpost.roles.zones import needed_records, records_missing
from secondpost.setup.facts import Facts, Signing, StsFound
from secondpost.setup.records import PublishedBy, WantedRecord
from secondpost.setup.visible import still_missing
from secondpost.setup.wanted import records_wanted
from secondpost.world.asking import drive, within, zones_from
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.keys import make_missing_keys
from tests.setup.test_wanted import KEYS, NET, config
from tests.world.name_server import NameServer, Respond, Zone, refusal

OLD_POLICY = "version: STSv1\nmode: enforce\nmx: mx1.example.net\nmax_age: 86400\n"
FACTS = Facts(
    addresses=("192.0.2.25", "2001:db8::25"),
    tls_key="ab" * 32,
    authority="letsencrypt.org",
    mx={NET: MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.example.net"),))},
    host_signing=Signing.VALIDATED,
    sts={NET: StsFound(("v=STSv1; id=1",), StsPolicyAnswer(OLD_POLICY))},
    caa=(CaaRecord(0, "issue", "other.example"),),
    caa_name="example.net",
)


def published(records: tuple[WantedRecord, ...]) -> list[str]:
    return [record.zone_line for record in records if record.by is not PublishedBy.WEB]


def seen(records: tuple[WantedRecord, ...], lines: list[str], policy: str) -> tuple[WantedRecord, ...]:
    async def read(_: Domain) -> StsPolicyAnswer:
        return StsPolicyAnswer(policy)

    async def day() -> tuple[WantedRecord, ...]:
        server = await NameServer.truthful(*lines)
        resolver = RealResolver([server.endpoint], RealDice(1), has_ipv6=lambda: True)
        try:
            return await drive(still_missing(records), zones_from(resolver, read))
        finally:
            resolver.close()
            server.close()

    return asyncio.run(day())


RECORDS = records_wanted(config(), KEYS, FACTS)
POLICY = next(record.value for record in RECORDS if record.by is PublishedBy.WEB)


def test_every_kind_of_record_is_among_them() -> None:
    kinds = {"A", "AAAA", "PTR", "TXT", "TLSA", "CAA", "MX", "text"}
    assert {record.type for record in RECORDS} == kinds


def test_all_are_missing_at_first_and_none_when_all_are_published() -> None:
    assert seen(RECORDS, [], OLD_POLICY) == RECORDS
    assert seen(RECORDS, published(RECORDS), POLICY) == ()


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_each_record_is_missed_by_itself(number: int) -> None:
    one = RECORDS[number]
    rest = tuple(record for record in RECORDS if record is not one)
    policy = OLD_POLICY if one.by is PublishedBy.WEB else POLICY
    assert seen(RECORDS, published(rest), policy) == (one,)


def test_the_owners_own_wording_counts() -> None:
    own = (
        'mx2.example.net. 300 IN TXT "v=spf1 ip4:192.0.2.25 ~all"',
        '_dmarc.example.net. 300 IN TXT "v=DMARC1; p=reject"',
        '_smtp._tls.example.net. 300 IN TXT "v=TLSRPTv1; rua=mailto:tls@example.net"',
    )
    names = [line.partition(". ")[0] for line in own]
    ours = [
        line for line in published(RECORDS) if line.partition(". ")[0] not in names or " TXT " not in line
    ]
    assert seen(RECORDS, [*ours, *own], POLICY) == ()


Look = Callable[[Authoritative, NameServer], Awaitable[None]]


def with_a_cache_in_between(look: Look, respond: Respond) -> None:
    """The configured resolver knows the zone and its name server, but its cache has no newer records."""

    async def day() -> None:
        async with AsyncExitStack() as stack:
            authority = await NameServer.lying(respond)
            stack.callback(authority.close)
            stale = (
                "example.net. 300 IN SOA ns.example.net. hostmaster.example.net. 1 2 3 4 5",
                "example.net. 300 IN NS ns.example.net.",
                "ns.example.net. 300 IN A 127.0.0.1",
            )
            cache = await NameServer.truthful(*stale)
            stack.callback(cache.close)
            resolver = RealResolver([cache.endpoint], RealDice(1), has_ipv6=lambda: True)
            stack.callback(resolver.close)
            configured = zones_from(resolver, _no_policy)
            direct = Authoritative(configured, RealDice(1), authority.endpoint.port)
            stack.callback(direct.close)
            await look(direct, authority)

    asyncio.run(day())


async def _no_policy(_: Domain) -> StsPolicyAnswer:
    return StsPolicyAnswer(problem="nothing is served")


def test_the_zones_own_servers_are_asked_so_that_no_cache_hides_a_new_record() -> None:
    async def look(direct: Authoritative, _: NameServer) -> None:
        assert await direct.answer(Txt("new.example.net")) == TxtAnswer(Finding.FOUND, ("hello",))

    zone = Zone(('new.example.net. 300 IN TXT "hello"',))
    with_a_cache_in_between(look, lambda query, _: [zone.answer(query).to_wire()])


def test_if_they_do_not_answer_the_configured_server_is_asked_and_they_are_left_alone() -> None:
    async def look(direct: Authoritative, authority: NameServer) -> None:
        assert await direct.answer(Txt("new.example.net")) == TxtAnswer(Finding.NO_NAME)
        assert await direct.answer(Txt("other.example.net")) == TxtAnswer(Finding.NO_NAME)
        assert authority.asked == ["new.example.net. TXT udp"]

    with_a_cache_in_between(look, lambda query, _: [refusal(query, dns.rcode.REFUSED)])


def test_the_real_keys_and_answers_make_the_list(tmp_path: Path) -> None:
    store = str(tmp_path)
    make_missing_keys(store, Dkim(), RealDice())
    known = Facts(addresses=("192.0.2.25",))

    async def day() -> None:
        lines: list[str] = ["example.net. 300 IN MX 10 mx1.example.net."]
        server = await NameServer.lying(lambda query, _: [Zone(lines).answer(query).to_wire()])
        try:
            ours = _of(store, server.endpoint)
            records = await needed_records(ours, known)
            assert "20 mx2.example.net." in [record.value for record in records]
            assert await records_missing(ours, records) == records
            lines += published(records)
            assert await records_missing(ours, records) == ()
        finally:
            server.close()

    asyncio.run(day())


def _of(store: str, server: Endpoint) -> Config:
    return replace(config(), store=store, dns=Dns((server,)))


def test_after_the_time_for_all_questions_the_rest_is_not_answered() -> None:
    asked: list[ZoneQuestion] = []

    async def quick_once(question: ZoneQuestion) -> AnswerOfZone:
        asked.append(question)
        if len(asked) > 1:
            await asyncio.Event().wait()
        return TxtAnswer(Finding.NO_DATA)

    async def day() -> list[AnswerOfZone]:
        answerer = within(0.01, quick_once)
        return [
            await answerer(Txt("a.example")),
            await answerer(Txt("b.example")),
            await answerer(Ds("c.example")),
        ]

    assert asyncio.run(day()) == [
        TxtAnswer(Finding.NO_DATA),
        TxtAnswer(Finding.FAILED),
        DsAnswer(Finding.FAILED),
    ]

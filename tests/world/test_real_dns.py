"""The resolver against a small server on loopback, under both loops: truths, lies and silence."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace

import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.dns_questions import (
    AliasAnswer,
    CaaAnswer,
    CaaRecord,
    DsAnswer,
    NsAnswer,
    PtrAnswer,
    TlsaAnswer,
    TlsaRecord,
    ZoneAnswer,
)
from secondpost.mail.questions import AddressAnswer, Finding, MxAnswer, MxRecord, TxtAnswer
from secondpost.protocols.dns.lookup import DnsAnswer, DnsQuestion, RecordType
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.dns_message import read_reply, write_question
from secondpost.world.real.dns_upstream import STRAYS_MAX

from .conftest import Run
from .name_server import NameServer, Respond, Zone, refusal, truncated

NET = Domain("example.net")
LINES = (
    "example.net. 300 IN MX 20 MX2.example.net.",
    "example.net. 300 IN MX 10 mx1.example.net.",
    "mx1.example.net. 300 IN A 192.0.2.1",
    "many.example.net. 300 IN A 192.0.2.1",
    "many.example.net. 300 IN A 192.0.2.2",
    "many.example.net. 300 IN A 192.0.2.2",
    "mx1.example.net. 300 IN AAAA 2001:db8::1",
    "mx2.example.net. 300 IN A 192.0.2.3",
    "alias.example.net. 300 IN CNAME mx2.example.net.",
    "null.example. 300 IN MX 0 .",
    "mixed.example. 300 IN MX 0 .",
    "mixed.example. 300 IN MX 10 mx.example.",
    "mixed.example. 300 IN MX 20 192.0.2.9.",
    "mixed.example. 300 IN MX 30 b\\032d.example.",
    "useless.example. 300 IN MX 10 192.0.2.9.",
    "nowhere.example. 300 IN A 0.0.0.0",
    "mapped.example. 300 IN AAAA ::ffff:192.0.2.7",
    "circle.example. 300 IN CNAME circle2.example.",
    "circle2.example. 300 IN CNAME circle.example.",
    'text.example. 300 IN TXT "v=spf1 a " "-all"',
    'text.example. 300 IN TXT "other"',
    "also.example. 300 IN CNAME text.example.",
    "25.2.0.192.in-addr.arpa. 300 IN PTR Mx2.example.net.",
    "_25._tcp.mx1.example.net. 300 IN TLSA 3 1 1 " + "AB" * 32,
    "_25._tcp.mx1.example.net. 300 IN TLSA 2 0 0 CDEF",
    'caa.example. 300 IN CAA 128 ISSUE "authority.example; accounturi=x"',
    "signed.example. 300 IN SOA ns.signed.example. hostmaster.signed.example. 1 2 3 4 5",
    "signed.example. 300 IN DS 1 13 2 " + "AB" * 32,
    "signed.example. 300 IN NS NS1.signed.example.",
)
FOUND_MX = MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.example.net"), MxRecord(20, "mx2.example.net")))


def resolver_of(*servers: NameServer, has_ipv6: bool = True) -> RealResolver:
    return RealResolver([server.endpoint for server in servers], RealDice(1), has_ipv6=lambda: has_ipv6)


Check = Callable[[RealResolver, NameServer], Coroutine[object, object, None]]


def with_server(run: Run[object], check: Check, respond: Respond | None = None) -> None:
    async def day() -> None:
        server = await (NameServer.truthful(*LINES) if respond is None else NameServer.lying(respond))
        resolver = resolver_of(server)
        try:
            await check(resolver, server)
        finally:
            resolver.close()
            server.close()
            await asyncio.sleep(0)

    run(day())


def test_mail_hosts_come_in_order_in_lower_case_and_once_asked_from_memory(run: Run[object]) -> None:
    async def check(resolver: RealResolver, server: NameServer) -> None:
        assert await resolver.mx(NET) == FOUND_MX
        assert await resolver.mx(NET) == FOUND_MX
        assert server.asked == ["example.net. MX udp"]

    with_server(run, check)


@pytest.mark.parametrize(
    ("domain", "answer"),
    [
        ("null.example", MxAnswer(Finding.FOUND, (MxRecord(0, "."),))),
        (
            "mixed.example",
            MxAnswer(Finding.FOUND, (MxRecord(10, "mx.example"),), ("192.0.2.9", r"b\032d.example")),
        ),
        ("useless.example", MxAnswer(Finding.FAILED, (), ("192.0.2.9",))),
        ("mx1.example.net", MxAnswer(Finding.NO_DATA)),
        ("absent.example", MxAnswer(Finding.NO_NAME)),
        ("circle.example", MxAnswer(Finding.FAILED)),
        ("[192.0.2.1]", MxAnswer(Finding.NO_DATA)),
        ("a..b", MxAnswer(Finding.FAILED)),
        ("x" * 64 + ".example", MxAnswer(Finding.FAILED)),
    ],
)
def test_mail_hosts(run: Run[object], domain: str, answer: MxAnswer) -> None:
    async def check(resolver: RealResolver, _: NameServer) -> None:
        said = await resolver.mx(Domain(domain))
        assert replace(said, unusable=tuple(sorted(said.unusable))) == answer

    with_server(run, check)


def found(*addresses: str) -> AddressAnswer:
    return AddressAnswer(Finding.FOUND, addresses)


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("mx1.example.net", found("2001:db8::1", "192.0.2.1")),
        ("MX1.example.net.", found("2001:db8::1", "192.0.2.1")),
        ("alias.example.net", found("192.0.2.3")),
        ("mapped.example", found("192.0.2.7")),
        ("192.0.2.8", found("192.0.2.8")),
        ("example.net", AddressAnswer(Finding.NO_DATA)),
        ("absent.example", AddressAnswer(Finding.NO_NAME)),
        ("nowhere.example", AddressAnswer(Finding.FAILED)),
        (".", AddressAnswer(Finding.NO_DATA)),
        ("ü.example", AddressAnswer(Finding.NO_NAME)),
        ("\udcff.example", AddressAnswer(Finding.FAILED)),
    ],
)
def test_addresses(run: Run[object], host: str, answer: AddressAnswer) -> None:
    async def check(resolver: RealResolver, _: NameServer) -> None:
        assert await resolver.addresses(host) == answer

    with_server(run, check)


def test_all_addresses_of_a_host_are_told(run: Run[object]) -> None:
    async def check(resolver: RealResolver, _: NameServer) -> None:
        answer = await resolver.addresses("many.example.net")
        assert sorted(answer.addresses) == ["192.0.2.1", "192.0.2.2"]

    with_server(run, check)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Text.example.", TxtAnswer(Finding.FOUND, ("v=spf1 a -all", "other"))),
        ("also.example", TxtAnswer(Finding.FOUND, ("v=spf1 a -all", "other"))),
        ("mx1.example.net", TxtAnswer(Finding.NO_DATA)),
        ("absent.example", TxtAnswer(Finding.NO_NAME)),
    ],
)
def test_the_strings_of_a_text_are_one(run: Run[object], name: str, answer: TxtAnswer) -> None:
    async def check(resolver: RealResolver, _: NameServer) -> None:
        said = await resolver.txt(name)
        assert TxtAnswer(said.finding, tuple(sorted(said.texts, reverse=True))) == answer

    with_server(run, check)


def test_no_text_of_many_is_left_out(run: Run[object]) -> None:
    zone = Zone([f'many.example. 300 IN TXT "proof-{n}"' for n in range(150)])

    async def check(resolver: RealResolver, _: NameServer) -> None:
        said = await resolver.txt("many.example")
        assert set(said.texts) == {f"proof-{n}" for n in range(150)}

    def respond(query: dns.message.Message, is_tcp: bool) -> list[bytes]:
        return [zone.answer(query).to_wire(max_size=65_535) if is_tcp else truncated(query)]

    with_server(run, check, respond)


Asked = Callable[[RealResolver], Coroutine[object, object, object]]


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda it: it.address_records("MX1.example.net", 4), AddressAnswer(Finding.FOUND, ("192.0.2.1",))),
        (
            lambda it: it.address_records("mx1.example.net", 6),
            AddressAnswer(Finding.FOUND, ("2001:db8::1",)),
        ),
        (lambda it: it.address_records("mx2.example.net", 6), AddressAnswer(Finding.NO_DATA)),
        (lambda it: it.address_records("192.0.2.1", 4), AddressAnswer(Finding.NO_NAME)),
        (lambda it: it.ptr("192.0.2.25"), PtrAnswer(Finding.FOUND, ("mx2.example.net",))),
        (lambda it: it.ptr("2001:db8::25"), PtrAnswer(Finding.NO_NAME)),
        (lambda it: it.ptr("no address"), PtrAnswer(Finding.FAILED)),
        (
            lambda it: it.tlsa("_25._tcp.mx1.example.net"),
            TlsaAnswer(Finding.FOUND, (TlsaRecord(2, 0, 0, "cdef"), TlsaRecord(3, 1, 1, "ab" * 32))),
        ),
        (lambda it: it.tlsa("absent.example"), TlsaAnswer(Finding.NO_NAME)),
        (
            lambda it: it.caa("caa.example"),
            CaaAnswer(Finding.FOUND, (CaaRecord(128, "issue", "authority.example; accounturi=x"),)),
        ),
        (lambda it: it.caa("mx1.example.net"), CaaAnswer(Finding.NO_DATA)),
        (lambda it: it.alias("also.example"), AliasAnswer(Finding.FOUND, "text.example")),
        (lambda it: it.alias("text.example"), AliasAnswer(Finding.NO_DATA)),
        (lambda it: it.zone_of("signed.example"), ZoneAnswer(Finding.FOUND, "signed.example")),
        (lambda it: it.zone_of("caa.example"), ZoneAnswer(Finding.FOUND, "example")),
        (lambda it: it.zone_of("absent.example"), ZoneAnswer(Finding.FOUND, "example")),
        (lambda it: it.ds("signed.example"), DsAnswer(Finding.FOUND)),
        (lambda it: it.ds("example"), DsAnswer(Finding.NO_NAME)),
        (lambda it: it.ns("signed.example"), NsAnswer(Finding.FOUND, ("ns1.signed.example",))),
    ],
)
def test_what_a_check_of_a_zone_asks(run: Run[object], ask: Asked, answer: object) -> None:
    async def check(resolver: RealResolver, _: NameServer) -> None:
        said = await ask(resolver)
        if isinstance(said, TlsaAnswer):
            said = replace(said, records=tuple(sorted(said.records)))
        assert said == answer

    with_server(run, check)


@pytest.mark.parametrize("lies", [False, True], ids=["every reply", "not the alias"])
def test_an_answer_is_validated_if_every_reply_says_so(run: Run[object], lies: bool) -> None:
    """The alias and its target come in two replies; only one that was asked for gets the AD bit."""
    tlsa = Zone(
        (
            "_25._tcp.a.example. 300 IN CNAME _25._tcp.b.example.",
            "_25._tcp.b.example. 300 IN TLSA 3 0 0 ABCDEF",
        )
    )

    def respond(query: dns.message.Message, _: bool) -> list[bytes]:
        reply = tlsa.answer(query)
        leads = "a.example" in str(query.question[0].name)
        if leads:
            reply.answer = reply.answer[:1]
        if query.flags & dns.flags.AD and not (lies and leads):
            reply.flags |= dns.flags.AD
        return [reply.to_wire()]

    async def check(resolver: RealResolver, _: NameServer) -> None:
        assert (await resolver.tlsa("_25._tcp.a.example")).is_validated is not lies
        assert (await resolver.tlsa("_25._tcp.b.example")).is_validated

    with_server(run, check, respond)


def test_without_a_road_for_ipv6_the_other_comes_first(run: Run[object]) -> None:
    async def day() -> None:
        server = await NameServer.truthful(*LINES)
        resolver = resolver_of(server, has_ipv6=False)
        answer = await resolver.addresses("mx1.example.net")
        assert answer == found("192.0.2.1", "2001:db8::1")
        resolver.close()
        server.close()

    run(day())


def test_the_same_question_is_on_the_way_once(run: Run[object]) -> None:
    async def check(resolver: RealResolver, server: NameServer) -> None:
        impatient = asyncio.ensure_future(resolver.mx(NET))
        others = [asyncio.ensure_future(resolver.mx(NET)) for _ in range(50)]
        await asyncio.sleep(0)
        impatient.cancel()
        assert await asyncio.gather(*others) == [FOUND_MX] * 50
        assert server.asked == ["example.net. MX udp"]

    with_server(run, check)


def test_many_questions_at_once_each_get_their_own_answer(run: Run[object]) -> None:
    lines = [f"host{n}.example. 300 IN A 192.0.2.{n}" for n in range(200)]
    zone = Zone(lines)

    async def check(resolver: RealResolver, _: NameServer) -> None:
        answers = await asyncio.gather(*(resolver.addresses(f"host{n}.example") for n in range(200)))
        assert answers == [found(f"192.0.2.{n}") for n in range(200)]

    with_server(run, check, lambda query, _: [zone.answer(query).to_wire()])


# -- liars: each sends its lie and, where the truth must still be accepted, the truth after it
TRUTH = Zone(LINES)


def wrong_number(query: dns.message.Message) -> bytes:
    reply = TRUTH.answer(query)
    reply.id ^= 1
    return reply.to_wire()


def wrong_question(query: dns.message.Message) -> bytes:
    other = dns.message.make_query("evil.example.", "MX", id=query.id)
    return dns.message.make_response(other).to_wire()


def a_question_itself(query: dns.message.Message) -> bytes:
    return query.to_wire()


def garbage(query: dns.message.Message) -> bytes:
    return query.id.to_bytes(2) + random.Random(1).randbytes(60)


def half(query: dns.message.Message) -> bytes:
    wire = TRUTH.answer(query).to_wire()
    return wire[: len(wire) // 2]


def next_to_nothing(query: dns.message.Message) -> bytes:
    return query.id.to_bytes(2)


def foreign_records(query: dns.message.Message) -> bytes:
    """Right number and question, but records of another name: a useless answer."""
    reply = TRUTH.answer(dns.message.make_query("example.net.", "MX"))
    reply.id = query.id
    reply.question = query.question
    return reply.to_wire()


@pytest.mark.parametrize(
    "lie", [wrong_number, wrong_question, a_question_itself, garbage, half, next_to_nothing]
)
def test_a_lie_is_passed_over_and_the_truth_behind_it_believed(
    run: Run[object], lie: Callable[[dns.message.Message], bytes]
) -> None:
    async def check(resolver: RealResolver, server: NameServer) -> None:
        assert await resolver.mx(NET) == FOUND_MX
        assert len(server.asked) == 1

    with_server(run, check, lambda query, _: [lie(query), TRUTH.answer(query).to_wire()])


def test_records_of_another_name_are_not_taken(run: Run[object]) -> None:
    async def check(resolver: RealResolver, _: NameServer) -> None:
        assert await resolver.mx(Domain("victim.example")) == MxAnswer(Finding.NO_DATA)

    with_server(run, check, lambda query, _: [foreign_records(query)])


def test_a_storm_of_forged_replies_makes_us_change_the_port(run: Run[object]) -> None:
    storm_is_over = asyncio.Event()

    def respond(query: dns.message.Message, _: bool) -> list[bytes]:
        if storm_is_over.is_set():
            return [TRUTH.answer(query).to_wire()]
        storm_is_over.set()
        return [wrong_number(query)] * STRAYS_MAX + [TRUTH.answer(query).to_wire()]

    async def check(resolver: RealResolver, server: NameServer) -> None:
        assert await resolver.mx(NET) == FOUND_MX
        assert len(server.asked) == 2

    with_server(run, check, respond)


def test_what_is_too_long_for_udp_comes_over_tcp(run: Run[object]) -> None:
    def respond(query: dns.message.Message, is_tcp: bool) -> list[bytes]:
        return [TRUTH.answer(query).to_wire() if is_tcp else truncated(query)]

    async def check(resolver: RealResolver, server: NameServer) -> None:
        assert await resolver.mx(NET) == FOUND_MX
        assert server.asked == ["example.net. MX udp", "example.net. MX tcp"]

    with_server(run, check, respond)


@pytest.mark.parametrize("tcp_lie", [wrong_number, garbage, None])
def test_a_liar_over_tcp_is_a_failure_at_once(
    run: Run[object], tcp_lie: Callable[[dns.message.Message], bytes] | None
) -> None:
    def respond(query: dns.message.Message, is_tcp: bool) -> list[bytes]:
        if not is_tcp:
            return [truncated(query)]
        return [] if tcp_lie is None else [tcp_lie(query)]

    async def check(resolver: RealResolver, _: NameServer) -> None:
        assert await resolver.mx(NET) == MxAnswer(Finding.FAILED)

    with_server(run, check, respond)


@pytest.mark.parametrize(
    "rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.FORMERR, dns.rcode.NOTIMP]
)
def test_a_server_that_fails_is_followed_by_the_next(run: Run[object], rcode: dns.rcode.Rcode) -> None:
    async def day() -> None:
        broken = await NameServer.lying(lambda query, _: [refusal(query, rcode)])
        sound = await NameServer.truthful(*LINES)
        resolver = resolver_of(broken, sound)
        assert await resolver.mx(NET) == FOUND_MX
        assert len(broken.asked) == len(sound.asked) == 1
        resolver.close()
        alone = resolver_of(broken)
        assert await alone.mx(NET) == MxAnswer(Finding.FAILED)
        assert await alone.mx(NET) == MxAnswer(Finding.FAILED)
        assert len(broken.asked) == 2  # the failure was cached briefly
        for it in (alone, broken, sound):
            it.close()

    run(day())


def test_one_half_of_the_addresses_is_better_than_none(run: Run[object]) -> None:
    def respond(query: dns.message.Message, _: bool) -> list[bytes]:
        if query.question[0].rdtype == RecordType.AAAA.value:
            return [refusal(query, dns.rcode.SERVFAIL)]
        return [TRUTH.answer(query).to_wire()]

    async def check(resolver: RealResolver, _: NameServer) -> None:
        assert await resolver.addresses("mx2.example.net") == found("192.0.2.3")
        assert await resolver.addresses("absent.example") == AddressAnswer(Finding.FAILED)

    with_server(run, check, respond)


def test_nobody_at_the_port_is_known_at_once_and_when_somebody_comes_it_works(run: Run[object]) -> None:
    async def day() -> None:
        gone = await NameServer.truthful(*LINES)
        gone.close()
        sound = await NameServer.truthful(*LINES)
        resolver = resolver_of(gone, sound)
        assert await resolver.mx(NET) == FOUND_MX
        assert await resolver.addresses("mx2.example.net") == found("192.0.2.3")
        resolver.close()
        sound.close()

    run(day())


def test_a_server_that_was_gone_and_is_back_is_heard_again(run: Run[object]) -> None:
    async def day() -> None:
        server = await NameServer.truthful(*LINES)
        server.close()
        resolver = resolver_of(server)
        for n in range(3):
            assert await resolver.mx(Domain(f"gone{n}.example")) == MxAnswer(Finding.FAILED)
        await server.open()
        assert await resolver.mx(NET) == FOUND_MX
        assert len(server.asked) == 1
        resolver.close()
        server.close()

    run(day())


def test_a_silent_server_costs_one_wait_and_is_then_asked_last(run: Run[object]) -> None:
    async def day() -> None:
        silent = await NameServer.lying(lambda _query, _is_tcp: [])
        sound = await NameServer.truthful(*LINES)
        resolver = resolver_of(silent, sound)
        assert await resolver.mx(NET) == FOUND_MX
        assert await resolver.addresses("mx2.example.net") == found("192.0.2.3")
        assert silent.asked == ["example.net. MX udp"]
        for it in (resolver, silent, sound):
            it.close()

    run(day())


def test_closing_tells_whoever_waits(run: Run[object]) -> None:
    async def day() -> None:
        silent = await NameServer.lying(lambda _query, _is_tcp: [])
        resolver = resolver_of(silent)
        waiting = asyncio.ensure_future(resolver.mx(NET))
        await asyncio.sleep(0.01)
        resolver.close()
        assert await waiting == MxAnswer(Finding.FAILED)
        silent.close()

    run(day())


def test_a_cname_whose_target_is_elsewhere_is_asked_for(run: Run[object]) -> None:
    def respond(query: dns.message.Message, _: bool) -> list[bytes]:
        reply = TRUTH.answer(query)
        if str(query.question[0].name) == "alias.example.net.":
            reply.answer = reply.answer[:1]
            reply.authority = []
        return [reply.to_wire()]

    async def check(resolver: RealResolver, server: NameServer) -> None:
        assert await resolver.addresses("alias.example.net") == found("192.0.2.3")
        assert "mx2.example.net. A udp" in server.asked

    with_server(run, check, respond)


def test_the_life_of_a_negative_answer_is_the_lesser_of_the_soa() -> None:
    question = DnsQuestion("absent.example", RecordType.MX)
    query = dns.message.from_wire(write_question(question, 7))
    wire = TRUTH.answer(query).to_wire()
    assert read_reply(wire, 7, question) == DnsAnswer(Finding.NO_NAME, (), 120, zone="example")


def test_a_question_carries_edns_with_1232_octets_and_asks_for_recursion() -> None:
    query = dns.message.from_wire(write_question(DnsQuestion("example.net", RecordType.MX), 513))
    assert (query.id, query.edns, query.payload) == (513, 0, 1232)
    assert query.flags & dns.flags.RD


QUESTION = DnsQuestion("example.net", RecordType.MX)
GOOD = TRUTH.answer(dns.message.from_wire(write_question(QUESTION, 7))).to_wire()


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6), st.binary())
def test_no_bytes_make_the_reader_raise(changes: list[tuple[int, int]], tail: bytes) -> None:
    wire = bytearray(GOOD)
    for place, value in changes:
        wire[place] = value
    read_reply(bytes(wire), 7, QUESTION)
    read_reply(bytes(wire) + tail, 7, QUESTION)
    read_reply(GOOD[:12] + tail, 7, QUESTION)


def test_an_endpoint_that_is_no_address_is_a_failure_not_an_error(run: Run[object]) -> None:
    async def day() -> None:
        resolver = RealResolver([Endpoint("255.255.255.255", 53)], RealDice(1))
        assert await resolver.mx(NET) == MxAnswer(Finding.FAILED)
        resolver.close()

    run(day())

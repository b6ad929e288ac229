"""What a receiver makes of an SPF record, with dicts as DNS."""

import pytest

from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import AnswerOfZone, ZoneQuestion
from secondpost.mail.questions import (
    AddressAnswer,
    Addresses,
    Finding,
    Mx,
    MxAnswer,
    MxRecord,
    Txt,
    TxtAnswer,
)
from secondpost.protocols.spf import SpfResult
from secondpost.setup.spf_walk import TERMS_MAX, SpfSeen, walk_spf
from secondpost.world.asking import answer_from

FOUR, SIX = "192.0.2.25", "2001:db8::25"
NOTHING = AddressAnswer(Finding.NO_NAME)


def txt(name: str, *texts: str) -> dict[ZoneQuestion, AnswerOfZone]:
    return {Txt(name): TxtAnswer(Finding.FOUND if len(texts) > 0 else Finding.NO_DATA, texts)}


def host(name: str, *addresses: str) -> dict[ZoneQuestion, AnswerOfZone]:
    return {Addresses(name): AddressAnswer(Finding.FOUND, addresses) if len(addresses) > 0 else NOTHING}


WORLD: dict[ZoneQuestion, AnswerOfZone] = {
    **host("example.net", "192.0.2.1", SIX),
    Mx(Domain("example.net")): MxAnswer(Finding.FOUND, (MxRecord(10, "mx.example.net"),)),
    **host("mx.example.net", FOUR),
    **txt("pass.example", f"v=spf1 ip4:{FOUR} -all"),
    **txt("soft.example", "v=spf1 ~all"),
    **txt("none.example", "hello"),
    **txt("two.example", "v=spf1 -all", "v=spf1 -all"),
    **txt("bad.example", "v=spf1 ip4:none -all"),
    Txt("fails.example"): TxtAnswer(Finding.FAILED),
}


def seen(record: str, address: str = FOUR) -> SpfSeen:
    return answer_from({**WORLD, **txt("example.net", f"v=spf1 {record}")}, walk_spf("example.net", address))


@pytest.mark.parametrize(
    ("record", "result", "lookups"),
    [
        ("-all", SpfResult.FAIL, 0),
        ("", SpfResult.NEUTRAL, 0),
        ("mx -all", SpfResult.PASS, 1),
        ("a -all", SpfResult.FAIL, 1),
        ("a/24 -all", SpfResult.PASS, 1),
        ("?mx -all", SpfResult.NEUTRAL, 1),
        ("ip4:192.0.2.0/24 -all", SpfResult.PASS, 0),
        ("ip6:2001:db8::/32 -all", SpfResult.FAIL, 0),
        ("include:pass.example -all", SpfResult.PASS, 1),
        ("include:soft.example -all", SpfResult.FAIL, 1),
        ("-include:pass.example +all", SpfResult.FAIL, 1),
        ("include:none.example -all", SpfResult.PERMERROR, 1),
        ("include:two.example -all", SpfResult.PERMERROR, 1),
        ("include:bad.example -all", SpfResult.PERMERROR, 1),
        ("include:fails.example -all", SpfResult.TEMPERROR, 1),
        ("include:%{d}.example -all", SpfResult.FAIL, 1),
        ("redirect=pass.example", SpfResult.PASS, 1),
        ("redirect=soft.example", SpfResult.SOFTFAIL, 1),
        ("redirect=none.example", SpfResult.PERMERROR, 1),
        ("redirect=pass.example ~all", SpfResult.SOFTFAIL, 0),
        ("mx include:pass.example a -all", SpfResult.PASS, 3),  # counted to the end, for other senders
        ("exists:%{i}.example ptr -all", SpfResult.FAIL, 2),
    ],
)
def test_one_address(record: str, result: SpfResult, lookups: int) -> None:
    found = seen(record)
    assert (found.result, found.lookups) == (result, lookups)
    assert (found.reason != "") is (result in (SpfResult.PERMERROR, SpfResult.TEMPERROR))


def test_an_address_is_looked_for_among_those_of_its_kind() -> None:
    assert seen("a -all", SIX).result is SpfResult.PASS
    assert seen("a//64 -all", "2001:db8::1").result is SpfResult.PASS
    assert seen("mx -all", SIX).result is SpfResult.FAIL


def test_a_circle_of_includes_ends() -> None:
    world = {**WORLD, **txt("example.net", "v=spf1 include:example.net include:example.net -all")}
    found = answer_from(world, walk_spf("example.net", FOUR))
    assert found.lookups > TERMS_MAX - 1
    world = {**WORLD, **txt("example.net", "v=spf1 redirect=example.net")}
    assert answer_from(world, walk_spf("example.net", FOUR)).lookups == TERMS_MAX

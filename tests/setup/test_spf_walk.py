"""What a receiver makes of an SPF record, with dicts as DNS."""

import pytest

from secondpost.mail.address import Domain
from secondpost.mail.authentication import AuthResult
from secondpost.mail.dns_questions import AddressRecords, AnswerOfZone, Ptr, PtrAnswer, ZoneQuestion
from secondpost.mail.questions import (
    AddressAnswer,
    Finding,
    Mx,
    MxAnswer,
    MxRecord,
    Txt,
    TxtAnswer,
)
from secondpost.setup.spf_walk import TERMS_MAX, SpfSeen, walk_spf
from secondpost.world.asking import answer_from

FOUR, SIX = "192.0.2.25", "2001:db8::25"
NOTHING = AddressAnswer(Finding.NO_NAME)


def txt(name: str, *texts: str) -> dict[ZoneQuestion, AnswerOfZone]:
    return {Txt(name): TxtAnswer(Finding.FOUND if len(texts) > 0 else Finding.NO_DATA, texts)}


def host(name: str, *addresses: str) -> dict[ZoneQuestion, AnswerOfZone]:
    four = tuple(one for one in addresses if ":" not in one)
    six = tuple(one for one in addresses if ":" in one)
    return {
        AddressRecords(name, 4): AddressAnswer(Finding.FOUND, four) if len(four) > 0 else NOTHING,
        AddressRecords(name, 6): AddressAnswer(Finding.FOUND, six) if len(six) > 0 else NOTHING,
    }


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
    **host(f"{FOUR}.example"),
    Ptr(FOUR): PtrAnswer(Finding.NO_NAME),
    **txt("example.net.example", "v=spf1 ~all"),
}


def seen(record: str, address: str = FOUR) -> SpfSeen:
    return answer_from({**WORLD, **txt("example.net", f"v=spf1 {record}")}, walk_spf("example.net", address))


@pytest.mark.parametrize(
    ("record", "result", "lookups"),
    [
        ("-all", AuthResult.FAIL, 0),
        ("", AuthResult.NEUTRAL, 0),
        ("mx -all", AuthResult.PASS, 1),
        ("a -all", AuthResult.FAIL, 1),
        ("a/24 -all", AuthResult.PASS, 1),
        ("?mx -all", AuthResult.NEUTRAL, 1),
        ("ip4:192.0.2.0/24 -all", AuthResult.PASS, 0),
        ("ip6:2001:db8::/32 -all", AuthResult.FAIL, 0),
        ("include:pass.example -all", AuthResult.PASS, 1),
        ("include:soft.example -all", AuthResult.FAIL, 1),
        ("-include:pass.example +all", AuthResult.FAIL, 1),
        ("include:none.example -all", AuthResult.PERMERROR, 1),
        ("include:two.example -all", AuthResult.PERMERROR, 1),
        ("include:bad.example -all", AuthResult.PERMERROR, 1),
        ("include:fails.example -all", AuthResult.TEMPERROR, 1),
        ("include:%{d}.example -all", AuthResult.FAIL, 1),
        ("redirect=pass.example", AuthResult.PASS, 1),
        ("redirect=soft.example", AuthResult.SOFTFAIL, 1),
        ("redirect=none.example", AuthResult.PERMERROR, 1),
        ("redirect=pass.example ~all", AuthResult.SOFTFAIL, 0),
        ("mx include:pass.example a -all", AuthResult.PASS, 3),  # counted to the end, for other senders
        ("exists:%{i}.example ptr -all", AuthResult.FAIL, 2),
    ],
)
def test_one_address(record: str, result: AuthResult, lookups: int) -> None:
    found = seen(record)
    assert (found.result, found.lookups) == (result, lookups)
    assert (found.reason != "") is (result in (AuthResult.PERMERROR, AuthResult.TEMPERROR))


def test_an_address_is_looked_for_among_those_of_its_kind() -> None:
    assert seen("a -all", SIX).result is AuthResult.PASS
    assert seen("a//64 -all", "2001:db8::1").result is AuthResult.PASS
    assert seen("mx -all", SIX).result is AuthResult.FAIL


def test_a_circle_of_includes_ends() -> None:
    world = {**WORLD, **txt("example.net", "v=spf1 include:example.net include:example.net -all")}
    found = answer_from(world, walk_spf("example.net", FOUR))
    assert (found.result, found.lookups) == (AuthResult.PERMERROR, TERMS_MAX)
    world = {**WORLD, **txt("example.net", "v=spf1 redirect=example.net")}
    assert answer_from(world, walk_spf("example.net", FOUR)).lookups == TERMS_MAX

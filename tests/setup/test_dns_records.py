"""The DNS records that are needed, checked against a dict."""

import pytest

from secondpost.config.records import Config, Newsletter, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.questions import (
    AddressAnswer,
    Addresses,
    Finding,
    Mx,
    MxAnswer,
    MxRecord,
    NameAnswer,
    NameQuestion,
    Txt,
    TxtAnswer,
)
from secondpost.setup.dns_records import DkimKey, Examined, RecordState, examine
from secondpost.world.asking import answer_from

US, BOUNCES = Domain("mx2.example.net"), Domain("bounce.example.net")
KEYS = (DkimKey("sp-rsa", "v=DKIM1; k=rsa; p=AAAA"), DkimKey("sp-ed", "v=DKIM1; k=ed25519; p=BBBB"))
FEED = ("https://www.example.net/feed",)


def config(bounces: Domain = BOUNCES) -> Config:
    return Config(
        path="secondpost.toml",
        hostname=US,
        store="/var/lib/secondpost",
        owner=(Mailbox.parse("me@elsewhere.example"),),
        bounces=bounces,
        web=Web(url=None),
        newsletters=(
            Newsletter("weekly", "The Blog <newsletter@example.net>", FEED),
            Newsletter("daily", "daily@example.net", FEED),
        ),
    )


def texts(*said: str) -> TxtAnswer:
    return TxtAnswer(Finding.FOUND, said)


def a_right_world() -> dict[NameQuestion, NameAnswer]:
    return {
        Mx(BOUNCES): MxAnswer(Finding.FOUND, (MxRecord(10, "mx2.example.net"),)),
        Txt("bounce.example.net"): texts("v=spf1 mx -all", "some-proof=1"),
        Txt("sp-rsa._domainkey.example.net"): texts("v=DKIM1;k=rsa; p=AA AA"),
        Txt("sp-ed._domainkey.example.net"): texts("v=DKIM1; k=ed25519; p=BBBB"),
        Txt("_dmarc.example.net"): texts("v=DMARC1; p=quarantine"),
    }


def states(world: dict[NameQuestion, NameAnswer], of: Config | None = None) -> dict[str, RecordState]:
    return {f"{one.name} {one.type}": one.state for one in examined(world, of)}


def examined(world: dict[NameQuestion, NameAnswer], of: Config | None = None) -> tuple[Examined, ...]:
    return answer_from(world, examine(config() if of is None else of, KEYS))


def test_two_newsletters_of_one_domain_need_its_records_once() -> None:
    found = states(a_right_world())
    assert len(found) == 5
    assert set(found.values()) == {RecordState.RIGHT}


@pytest.mark.parametrize(
    ("question", "answer", "name", "state"),
    [
        (Mx(BOUNCES), MxAnswer(Finding.NO_NAME), "bounce.example.net MX", RecordState.MISSING),
        (
            Mx(BOUNCES),
            MxAnswer(Finding.FOUND, (MxRecord(10, "mx.provider.example"),)),
            "bounce.example.net MX",
            RecordState.WRONG,
        ),
        (Mx(BOUNCES), MxAnswer(Finding.FAILED), "bounce.example.net MX", RecordState.UNKNOWN),
        (Txt("bounce.example.net"), texts("hello"), "bounce.example.net TXT", RecordState.MISSING),
        (
            Txt("bounce.example.net"),
            texts("v=spf1 a -all", "V=SPF1 -all"),
            "bounce.example.net TXT",
            RecordState.WRONG,
        ),
        (
            Txt("sp-rsa._domainkey.example.net"),
            texts("v=DKIM1; k=rsa; p=OLD"),
            "sp-rsa._domainkey.example.net TXT",
            RecordState.WRONG,
        ),
        (
            Txt("sp-ed._domainkey.example.net"),
            TxtAnswer(Finding.NO_NAME),
            "sp-ed._domainkey.example.net TXT",
            RecordState.MISSING,
        ),
        (
            Txt("_dmarc.example.net"),
            TxtAnswer(Finding.NO_DATA),
            "_dmarc.example.net TXT",
            RecordState.MISSING,
        ),
    ],
)
def test_what_is_not_right_is_named(
    question: NameQuestion, answer: NameAnswer, name: str, state: RecordState
) -> None:
    found = states(a_right_world() | {question: answer})
    assert found.pop(name) is state
    assert set(found.values()) == {RecordState.RIGHT}


def test_a_host_without_mx_records_is_its_own_mail_host() -> None:
    world = a_right_world()
    world[Mx(US)] = MxAnswer(Finding.NO_DATA)
    world[Addresses("mx2.example.net")] = AddressAnswer(Finding.FOUND, ("192.0.2.20",))
    world[Txt("mx2.example.net")] = texts("v=spf1 a -all")
    assert set(states(world, config(US)).values()) == {RecordState.RIGHT}
    world[Addresses("mx2.example.net")] = AddressAnswer(Finding.NO_DATA)
    assert states(world, config(US))["mx2.example.net MX"] is RecordState.MISSING


def test_what_to_put_there_is_what_is_then_right() -> None:
    world = a_right_world()
    for record in examined(a_right_world()):
        if record.type == "TXT":
            world[Txt(record.name)] = texts(record.value)
    assert set(states(world).values()) == {RecordState.RIGHT}

"""Team Cymru's answers: the system that announces a network, asked for without the host's part."""

from secondpost.mail.arrivals import NetworkOrigin
from secondpost.mail.questions import Finding, NameAnswer, NameQuestion, Txt, TxtAnswer
from secondpost.protocols.cymru import NOWHERE, origin_asked
from secondpost.world.asking import answer_from

ORIGIN = "0.2.0.192.origin.asn.cymru.com"
FAILED, NO_NAME = TxtAnswer(Finding.FAILED), TxtAnswer(Finding.NO_NAME)


def found(text: str) -> TxtAnswer:
    return TxtAnswer(Finding.FOUND, (text,))


def of_ipv4(origin: TxtAnswer, name: TxtAnswer = NO_NAME) -> NetworkOrigin | None:
    world: dict[NameQuestion, NameAnswer] = {Txt(ORIGIN): origin, Txt("AS64500.asn.cymru.com"): name}
    return answer_from(world, origin_asked("192.0.2.0/24"))


def test_number_country_and_name_come_from_two_answers() -> None:
    name = found("64500 | NO | ripencc | 2002-01-04 | EXAMPLE - Example Telecom, NO")
    origin = of_ipv4(found("64500 64501 | 192.0.2.0/24 | NO | ripencc | 1998-09-25"), name)
    assert origin == NetworkOrigin(64500, "EXAMPLE - Example Telecom", "NO")
    assert of_ipv4(found("64500 | 192.0.2.0/24 | NO | ripencc |"), FAILED) == NetworkOrigin(64500, "", "NO")


def test_of_ipv6_the_nibbles_of_the_site_are_asked() -> None:
    nibbles = ".".join("0" * 20) + ".3.0.0.0.8.b.d.0.1.0.0.2"
    world: dict[NameQuestion, NameAnswer] = {
        Txt(f"{nibbles}.origin6.asn.cymru.com"): found("64500 | 2001:db8::/32 | SE | ripencc | 2005-03-14"),
        Txt("AS64500.asn.cymru.com"): NO_NAME,
    }
    assert answer_from(world, origin_asked("2001:db8:3::/48")) == NetworkOrigin(64500, "", "SE")


def test_what_is_announced_by_none_is_known_and_what_was_not_answered_is_not() -> None:
    assert of_ipv4(NO_NAME) == NOWHERE
    assert of_ipv4(FAILED) is None


def test_answers_of_another_form_do_no_harm() -> None:
    for text in (
        "",
        "|",
        "64500",
        "x | y | z",
        "99999999999999 | a | b",
        "64500 | 192.0.2.0/24 | \x1b[2J | |",
    ):
        origin = of_ipv4(found(text), found("\x1b | | | | \x1b]0;x\x07"))
        assert origin is not None
        assert origin.number in (0, 64500)
        assert origin.country == ""
        assert origin.name.isprintable()

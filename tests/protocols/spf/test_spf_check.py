"""SPF where the suite of the RFC has no test: what is reported, and records that are made to do harm."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.authentication import AuthResult, SpfFound, SpfIdentity
from secondpost.mail.dns_questions import AddressRecords, AnswerOfZone, Ptr, PtrAnswer, ZoneQuestion
from secondpost.mail.questions import AddressAnswer, Finding, Mx, MxAnswer, MxRecord, Txt, TxtAnswer
from secondpost.protocols.spf import CHARACTERS_MAX
from secondpost.protocols.spf_check import EXPLANATION_CHARACTERS_MAX, QUESTIONS_MAX, check_spf
from secondpost.world.asking import answer_from

FOUR, SIX = "192.0.2.25", "2001:db8::25"
SENDER = Mailbox("ann", Domain("example.net"))
FOUND, NO_DATA, NO_NAME, FAILED = Finding


class World(dict[ZoneQuestion, AnswerOfZone]):
    """What is not in it does not exist. Counts what is asked."""

    def __init__(self, answers: dict[ZoneQuestion, AnswerOfZone]) -> None:
        super().__init__()
        self._answers = answers
        self.asked: Counter[ZoneQuestion] = Counter()

    def __getitem__(self, question: ZoneQuestion) -> AnswerOfZone:
        self.asked[question] += 1
        assert self.asked.total() <= QUESTIONS_MAX + 1
        return self._answers.get(question, nothing(question, NO_NAME))


def nothing(question: ZoneQuestion, finding: Finding) -> AnswerOfZone:
    match question:
        case Txt():
            return TxtAnswer(finding)
        case Mx():
            return MxAnswer(finding)
        case AddressRecords():
            return AddressAnswer(finding)
        case Ptr():
            return PtrAnswer(finding)
        case _:
            raise AssertionError(f"SPF asks for {question}")


def txt(name: str, *texts: str) -> dict[ZoneQuestion, AnswerOfZone]:
    return {Txt(name): TxtAnswer(FOUND, texts)}


def mx(name: str, *hosts: str) -> dict[ZoneQuestion, AnswerOfZone]:
    records = tuple(MxRecord(10 * place, host) for place, host in enumerate(hosts))
    return {Mx(Domain(name)): MxAnswer(FOUND, records)}


def host(name: str, *addresses: str) -> dict[ZoneQuestion, AnswerOfZone]:
    """The other kind of address has no records."""
    kinds = {4: tuple(it for it in addresses if ":" not in it), 6: tuple(it for it in addresses if ":" in it)}
    return {
        AddressRecords(name, 4): AddressAnswer(FOUND, kinds[4])
        if len(kinds[4]) > 0
        else AddressAnswer(NO_DATA),
        AddressRecords(name, 6): AddressAnswer(FOUND, kinds[6])
        if len(kinds[6]) > 0
        else AddressAnswer(NO_DATA),
    }


def checked(
    record: str,
    *others: dict[ZoneQuestion, AnswerOfZone],
    address: str = FOUR,
    sender: Mailbox | None = SENDER,
    helo: str = "mx.example.net",
) -> SpfFound:
    answers = txt("example.net", f"v=spf1 {record}")
    for other in others:
        answers |= other
    return answer_from(World(answers), check_spf(address, sender, helo))


def test_the_identity_is_the_sender_or_for_the_null_sender_the_greeting() -> None:
    found = checked(f"ip4:{FOUR} -all")
    assert found == SpfFound(AuthResult.PASS, SpfIdentity.MAILFROM, "ann@example.net", "example.net")
    found = checked(
        "-all", txt("mx.example.net", "v=spf1 ip4:192.0.2.25 -all"), sender=None, helo="MX.example.net."
    )
    assert found == SpfFound(AuthResult.PASS, SpfIdentity.HELO, "MX.example.net.", "mx.example.net")
    record = txt("mx.example.net", "v=spf1 exists:%{l}.%{h} -all") | host("postmaster.mx.example.net", FOUR)
    assert checked("-all", record, sender=None).result is AuthResult.PASS


@pytest.mark.parametrize(
    ("address", "helo", "reason"),
    [
        ("", "mx.example.net", "no IP address"),
        ("/run/socket", "mx.example.net", "no IP address"),
        (FOUR, "[192.0.2.25]", "no domain"),
        (FOUR, "localhost", "no domain"),
        (FOUR, "", "no domain"),
        (FOUR, "mx.exa\x00mple.net", "no domain"),
        (FOUR, "mx\\.example.net", "no domain"),
        (FOUR, "mx.exämple.net", "no domain"),
        (FOUR, "a." * 200 + "net", "mx.example.net has no SPF record"),
    ],
)
def test_without_a_domain_or_an_address_there_is_no_result(address: str, helo: str, reason: str) -> None:
    found = answer_from(World({}), check_spf(address, None, helo))
    assert found.result is AuthResult.NONE
    assert reason in found.reason or helo.startswith("a.")


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1"])
def test_a_link_local_client_has_an_address(address: str) -> None:
    assert checked("ip6:fe80::/10 -all", address=address).result is AuthResult.PASS


@pytest.mark.parametrize(
    ("record", "result", "reason"),
    [
        ("nonsense", AuthResult.PERMERROR, "the record of example.net: 'nonsense' is no mechanism"),
        ("include:none.example", AuthResult.PERMERROR, "includes none.example, which has no SPF record"),
        ("redirect=none.example", AuthResult.PERMERROR, "redirects to none.example, which has no SPF record"),
        ("include:x..example", AuthResult.PERMERROR, "includes x..example"),
        ("include:fails.example", AuthResult.TEMPERROR, "no usable answer about fails.example"),
        ("redirect=fails.example", AuthResult.TEMPERROR, "no usable answer about fails.example"),
        ("a:fails.example", AuthResult.TEMPERROR, "no usable answer about fails.example"),
        ("mx:fails.example", AuthResult.TEMPERROR, "mail hosts of fails.example"),
        ("mx:half.example", AuthResult.TEMPERROR, "no usable answer about fails.example"),
        ("exists:fails.example", AuthResult.TEMPERROR, "no usable answer about fails.example"),
        ("ptr:fails.example -all", AuthResult.FAIL, ""),
        ("include:two.example", AuthResult.PERMERROR, "two.example has 2 SPF records"),
        ("a:a.example a:b.example a:c.example", AuthResult.PERMERROR, "more than 2 names"),
        ("a:x..example mx:x..example exists:x..example -all", AuthResult.FAIL, ""),
    ],
)
def test_errors_say_where(record: str, result: AuthResult, reason: str) -> None:
    fails: dict[ZoneQuestion, AnswerOfZone] = {
        question: nothing(question, FAILED)
        for question in (
            Txt("fails.example"),
            AddressRecords("fails.example", 4),
            Mx(Domain("fails.example")),
        )
    }
    two = txt("two.example", "v=spf1 -all", "v=spf1 -all")
    found = checked(record, fails, mx("half.example", "fails.example"), two)
    assert (found.result, reason in found.reason) == (result, True)
    assert (found.reason == "") is (reason == "")


def test_hosts_with_ipv4_alone_are_no_mistake_when_the_client_comes_by_ipv6() -> None:
    hosts = [host(f"{name}.example", "192.0.2.1") for name in "abcd"]
    record = "a:a.example a:b.example a:c.example mx:d.example ip6:2001:db8::/32 -all"
    assert checked(record, *hosts, mx("d.example", "d.example"), address=SIX).result is AuthResult.PASS
    none = [host(f"{name}.example", SIX) for name in "abcd"]
    assert checked(record, *none).result is AuthResult.PERMERROR


def test_a_term_with_many_names_without_records_counts_once() -> None:
    hosts = mx("example.net", *(f"mx{n}.example" for n in range(9)), "mx.example.net")
    assert checked("mx a -all", hosts, host("mx.example.net", FOUR)).result is AuthResult.PASS
    assert checked("mx a mx -all", hosts).result is AuthResult.PERMERROR


def test_mx_records_that_name_addresses_are_asked_for_as_names() -> None:
    only: dict[ZoneQuestion, AnswerOfZone] = {Mx(Domain("example.net")): MxAnswer(FAILED, (), (FOUR,))}
    assert checked("mx -all", only).result is AuthResult.FAIL


@pytest.mark.parametrize("prefix", ["", "/24", "//64", "/0//0"])
def test_an_ipv4_address_in_an_aaaa_record_matches_no_client(prefix: str) -> None:
    mapped: dict[ZoneQuestion, AnswerOfZone] = {
        AddressRecords("example.net", 6): AddressAnswer(FOUND, (FOUR,)),
        AddressRecords("example.net", 4): AddressAnswer(FOUND, (SIX,)),
    }
    assert checked(f"a{prefix} -all", mapped, address=SIX).result is AuthResult.FAIL
    assert checked(f"a{prefix} -all", mapped).result is AuthResult.FAIL


def test_a_greeting_that_is_an_address_proves_nothing() -> None:
    world = World(txt("example.net", "v=spf1 a:%{h} -all"))
    found = answer_from(world, check_spf(FOUR, SENDER, FOUR))
    assert (found.result, world.asked[AddressRecords(FOUR, 4)]) == (AuthResult.FAIL, 1)


@pytest.mark.parametrize(
    ("macro", "name"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
    ],
)
def test_the_macros_of_the_rfc(macro: str, name: str) -> None:
    """The examples of §7.4."""
    world = World(txt("email.example.com", f"v=spf1 exists:{macro} -all") | host(name, "127.0.0.2"))
    sender = Mailbox("strong-bad", Domain("email.example.com"))
    assert answer_from(world, check_spf("192.0.2.3", sender, "mx.example.org")).result is AuthResult.PASS


def test_the_macro_of_an_ipv6_address() -> None:
    name = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.net"
    record = "exists:%{ir}.%{v}._spf.%{d2} -all"
    assert checked(record, host(name, "127.0.0.2"), address="2001:db8::cb01").result is AuthResult.PASS


@pytest.mark.parametrize("letter", ["l", "s", "L", "S"])
def test_a_local_part_in_another_alphabet_matches_nothing(letter: str) -> None:
    everything: dict[ZoneQuestion, AnswerOfZone] = {
        AddressRecords("%c3%bc@example.net.x.example", 4): AddressAnswer(FOUND, (FOUR,))
    }
    found = checked(
        f"exists:%{{{letter}}}.x.example -all", everything, sender=Mailbox("ü", Domain("example.net"))
    )
    assert found.result is AuthResult.FAIL


def test_a_quoted_local_part_stands_without_its_quotes() -> None:
    there = host("a b.x.example", FOUR)
    quoted = Mailbox('"a\\ b"', Domain("example.net"))
    assert checked("exists:%{l}.x.example -all", there, sender=quoted).result is AuthResult.PASS


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        ("no %{i} by %{r} at %{t}", "no 192.0.2.25 by unknown at 0"),
        ("%{p} is not %{d}", "unknown is not example.net"),
        ("a\x00b", ""),
        ("a\r\nb: c", ""),
        ("ä", ""),
        ("%{h}", ""),  # of a greeting with a control character
        ("%{x}", ""),
        ("x" * EXPLANATION_CHARACTERS_MAX, "x" * EXPLANATION_CHARACTERS_MAX),
        ("x" * (EXPLANATION_CHARACTERS_MAX + 1), ""),
        ("%{s}" * 60, ("ann@example.net" * 60)[:EXPLANATION_CHARACTERS_MAX]),
    ],
)
def test_an_explanation_is_readable_and_short(text: str, explanation: str) -> None:
    found = checked("exp=why.example -all", txt("why.example", text), helo="a\x07b")
    assert (found.result, found.explanation) == (AuthResult.FAIL, explanation)


def test_only_a_fail_is_explained() -> None:
    world = World({**txt("example.net", "v=spf1 exp=why.example ~all"), **txt("why.example", "because")})
    assert answer_from(world, check_spf(FOUR, SENDER, "x")).explanation == ""
    assert world.asked[Txt("why.example")] == 0


MANY_HOSTS = {
    **mx("example.net", *(f"mx{n}.example" for n in range(10))),
    **{key: answer for n in range(10) for key, answer in host(f"mx{n}.example", "192.0.2.1").items()},
}
CLIENT: dict[ZoneQuestion, AnswerOfZone] = {
    Ptr(FOUR): PtrAnswer(FOUND, tuple(f"p{n}.example.net" for n in range(500)))
}


@pytest.mark.parametrize(
    ("record", "questions_max"),
    [
        ("include:example.net " * 300, 11),
        ("redirect=example.net", 11),
        ("include:%{d} " * 300 + "-all", 11),
        ("a " * 2000, 5),
        ("mx " * 300, QUESTIONS_MAX),
        ("ptr " * 300, 12),
        ("exists:%{p}.%{p}.%{p}.x.example " * 100, 15),
        ("include:a.example include:b.example mx mx mx mx mx mx mx mx mx", QUESTIONS_MAX),
        ("exists:" + "%{s}" * 1000 + ".example " + "-all", 2),
        ("exists:" + "%{l1r+-_=,./}" * 300 + ".example -all", 2),
        ("exists:" + "%{H}" * 1000 + " -all", 2),
        ("exists:" + "a" * 3900 + ".example", 2),
        ("a:" + "a." * 1900 + "example -all", 2),
        ("a:" + "." * 4000 + " -all", 1),
        ("a:" + "%" * 4000 + " -all", 2),
        ("a/" + "1" * 4000 + " -all", 1),
        ("ip6:" + ":" * 4000 + " -all", 1),
        ("exists:%{d" + "9" * 4000 + "} -all", 1),
        ("x=" + "y" * CHARACTERS_MAX, 1),
        ("exp=%{p}.example -all", 14),
    ],
)
def test_no_record_makes_many_questions(record: str, questions_max: int) -> None:
    world = World({**txt("example.net", f"v=spf1 {record}"), **MANY_HOSTS, **CLIENT})
    found = answer_from(world, check_spf(FOUR, SENDER, "h" * 500 + "&" * 500))
    assert found.result in (AuthResult.PERMERROR, AuthResult.FAIL, AuthResult.NEUTRAL)
    assert world.asked.total() <= questions_max


def test_long_records_are_not_all_read() -> None:
    long = "ip4:203.0.113.1 " * 200
    others = [txt(f"r{n}.example", f"v=spf1 include:r{n + 1}.example {long}") for n in range(9)]
    world = World(
        {**txt("example.net", "v=spf1 include:r0.example"), **{k: v for it in others for k, v in it.items()}}
    )
    found = answer_from(world, check_spf(FOUR, SENDER, "x"))
    assert (found.result, "characters" in found.reason) == (AuthResult.PERMERROR, True)
    assert world.asked.total() <= 7


def test_a_text_without_end_is_a_permanent_error() -> None:
    assert checked("ip4:192.0.2.1 " * 4_000).result is AuthResult.PERMERROR
    assert checked("", txt("example.net", *("v=spf2 " + "x" * 60_000,) * 60)).result is AuthResult.NONE


WORDS = st.sampled_from(list("slodipvhcrt10R-+~?/.%} \x00ä\\")) | st.sampled_from(
    [
        "a",
        "mx",
        "ptr",
        "all",
        "include:",
        "exists:",
        "redirect=",
        "exp=",
        "ip4:",
        "ip6:",
        "//",
        "24",
        "%{",
        "%{p}",
        "%{l}.",
        "example.net",
        FOUR,
        "::1",
    ]
)
RECORDS = st.lists(WORDS, max_size=16).map(lambda words: "v=spf1 " + "".join(words))
HOSTS = st.sampled_from(
    ["example.net", "mx.example.net", ".", "", "a..b", "\\000.example.net", "ü.example", "x" * 64]
)
ADDRESSES = st.sampled_from([FOUR, SIX, "0.0.0.0", "::ffff:192.0.2.25", "::"])


@given(
    ADDRESSES | st.text(max_size=8),
    st.none() | st.builds(Mailbox, st.text(max_size=6), st.builds(Domain, HOSTS)),
    HOSTS | st.text(max_size=12),
    st.data(),
)
def test_whatever_dns_answers_there_is_a_result(
    address: str, sender: Mailbox | None, helo: str, data: st.DataObject
) -> None:
    class Anything(dict[ZoneQuestion, AnswerOfZone]):
        asked = 0

        def __getitem__(self, question: ZoneQuestion) -> AnswerOfZone:
            self.asked += 1
            assert self.asked <= QUESTIONS_MAX + 1
            finding = data.draw(st.sampled_from([FOUND, FOUND, FOUND, NO_DATA, NO_NAME, FAILED]))
            if finding is not FOUND:
                return nothing(question, finding)
            match question:
                case Txt():
                    return TxtAnswer(FOUND, tuple(data.draw(st.lists(RECORDS, min_size=1, max_size=2))))
                case Mx():
                    hosts = data.draw(st.lists(HOSTS, min_size=1, max_size=3))
                    return MxAnswer(FOUND, tuple(MxRecord(0, one) for one in hosts), (FOUR,))
                case AddressRecords():
                    return AddressAnswer(FOUND, tuple(data.draw(st.lists(ADDRESSES, min_size=1, max_size=3))))
                case _:
                    return PtrAnswer(FOUND, tuple(data.draw(st.lists(HOSTS, min_size=1, max_size=3))))

    found = answer_from(Anything(), check_spf(address, sender, helo))
    assert found.result is not AuthResult.POLICY
    assert found.explanation.isprintable()

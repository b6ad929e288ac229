"""DMARC of one message (RFC 9989): the walk up the tree, alignment, the policy; zones are dicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.authentication import (
    AuthResult,
    DkimFound,
    DmarcFound,
    DmarcPolicy,
    SpfFound,
    SpfIdentity,
)
from secondpost.mail.questions import Asking, Finding, NameAnswer, NameQuestion, Result, Txt, TxtAnswer
from secondpost.protocols.dmarc_check import DOMAINS_MAX, WALKS_MAX, check_dmarc
from secondpost.protocols.dmarc_walk import STEPS_MAX, DmarcWalk, names_asked, walk_dmarc
from secondpost.world.asking import answer_from

NO_SPF = SpfFound(AuthResult.NONE, SpfIdentity.MAILFROM, "a@example.org", "example.org")
NONE, QUARANTINE, REJECT = DmarcPolicy
FAILS = "FAILS"


class World(dict[NameQuestion, NameAnswer]):
    """TXT records by name. A name with the text FAILS gets no usable answer; all others do not exist,
    but those in `existing`.
    """

    def __init__(self, zone: dict[str, str], existing: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._zone = zone
        self._existing = existing
        self.asked: list[str] = []

    def __missing__(self, question: NameQuestion) -> NameAnswer:
        assert isinstance(question, Txt)
        self.asked.append(question.name)
        text = self._zone.get(question.name)
        if text == FAILS:
            return TxtAnswer(Finding.FAILED)
        if text is not None:
            return TxtAnswer(Finding.FOUND, tuple(text.split("|")))
        return TxtAnswer(Finding.NO_DATA if question.name in self._existing else Finding.NO_NAME)

    def run(self, asking: Asking[Result]) -> Result:
        return answer_from(self, asking)


def spf(domain: str, result: AuthResult = AuthResult.PASS) -> SpfFound:
    return SpfFound(result, SpfIdentity.MAILFROM, f"bounces@{domain}", domain)


def dkim(domain: str, result: AuthResult = AuthResult.PASS) -> DkimFound:
    return DkimFound(result, domain, "s1", "rsa-sha256", "b0")


def walked(domain: str, **zone: str) -> DmarcWalk:
    """`zone`: by domain, with _ for its dots, the rest of its record."""
    world = {f"_dmarc.{name.replace('_', '.')}": f"v=DMARC1; {rest}" for name, rest in zone.items()}
    return World(world).run(walk_dmarc(domain))


def test_a_walk_asks_eight_names_at_most() -> None:
    """The example of §4.10."""
    assert names_asked("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    )
    for labels in range(1, 60):
        names = names_asked(".".join("abcdefgh"[n % 8] for n in range(labels)))
        assert len(names) == min(labels, STEPS_MAX)


@pytest.mark.parametrize(
    ("zone", "organization", "applying"),
    [
        # The three examples of §4.10.2.
        ({"mail_example_com": "p=none", "example_com": "p=none"}, "example.com", "example.com"),
        (
            {"mail_example_com": "p=none; psd=n", "example_com": "p=none"},
            "mail.example.com",
            "mail.example.com",
        ),
        ({"com": "p=none; psd=y"}, "example.com", "com"),
        ({}, "a.mail.example.com", None),
        ({"a_mail_example_com": "p=none", "example_com": "p=none"}, "example.com", "a.mail.example.com"),
        ({"a_mail_example_com": "p=none; psd=y"}, "a.mail.example.com", "a.mail.example.com"),
        ({"example_com": "p=none; psd=y", "com": "p=none"}, "mail.example.com", "example.com"),
        ({"example_com": "p=none", "com": "p=none; psd=y"}, "example.com", "example.com"),
        ({"mail_example_com": "p=none", "com": "p=none; psd=y"}, "example.com", "com"),
        ({"com": "p=none"}, "com", "com"),
    ],
)
def test_the_organization(zone: dict[str, str], organization: str, applying: str | None) -> None:
    walk = walked("a.mail.example.com", **zone)
    assert walk.organization == organization
    assert (walk.applying.name if walk.applying is not None else None) == applying


def test_a_walk_ends_where_dns_fails_and_where_psd_stands() -> None:
    world = World({"_dmarc.b.example.com": FAILS})
    walk = world.run(walk_dmarc("a.b.example.com"))
    assert (walk.has_failed, world.asked) == (True, ["_dmarc.a.b.example.com", "_dmarc.b.example.com"])
    world = World({"_dmarc.b.example.com": "v=DMARC1; psd=n; p=none"})
    assert not world.run(walk_dmarc("a.b.example.com")).has_failed
    assert world.asked == ["_dmarc.a.b.example.com", "_dmarc.b.example.com"]


def test_two_records_count_as_none_and_others_are_passed_over() -> None:
    two = World({"_dmarc.example.com": "v=DMARC1; p=reject|v=DMARC1; p=reject"})
    assert two.run(walk_dmarc("example.com")).applying is None
    one = World({"_dmarc.example.com": "hello|v=DMARC2; p=none|v=DMARC1; p=reject|v=dmarc1; p=none"})
    applying = one.run(walk_dmarc("example.com")).applying
    assert applying is not None
    assert applying.record is not None
    assert applying.record.policy is REJECT
    assert applying.texts == ("v=DMARC1; p=reject", "v=DMARC2; p=none", "v=dmarc1; p=none")


EXAMPLE = {"_dmarc.example.com": "v=DMARC1; p=reject; sp=quarantine"}
STRICT = {"_dmarc.example.com": "v=DMARC1; p=reject; aspf=s; adkim=s"}


@pytest.mark.parametrize(
    ("zone", "author", "proved", "result"),
    [
        # Appendix B.1: strict, relaxed, none.
        (STRICT, "example.com", "example.com", AuthResult.PASS),
        (EXAMPLE, "example.com", "child.example.com", AuthResult.PASS),
        (EXAMPLE, "child.example.com", "example.com", AuthResult.PASS),
        (EXAMPLE, "child.example.com", "example.net", AuthResult.FAIL),
        (STRICT, "example.com", "child.example.com", AuthResult.FAIL),
        (EXAMPLE, "a.example.com", "b.example.com", AuthResult.PASS),
        (EXAMPLE, "example.com", "badexample.com", AuthResult.FAIL),
        (EXAMPLE, "example.com", "com", AuthResult.FAIL),
        (
            {**EXAMPLE, "_dmarc.b.example.com": "v=DMARC1; psd=n"},
            "example.com",
            "b.example.com",
            AuthResult.FAIL,
        ),
        (
            {**EXAMPLE, "_dmarc.b.example.com": "v=DMARC1; psd=n"},
            "b.example.com",
            "example.com",
            AuthResult.FAIL,
        ),
        ({"_dmarc.com": "v=DMARC1; p=none; psd=y"}, "a.example.com", "b.example.com", AuthResult.PASS),
        ({"_dmarc.com": "v=DMARC1; p=none; psd=y"}, "example.com", "example.net", AuthResult.FAIL),
        ({"_dmarc.com": "v=DMARC1; p=none; psd=y"}, "example.com", "other.com", AuthResult.FAIL),
    ],
)
def test_alignment(zone: dict[str, str], author: str, proved: str, result: AuthResult) -> None:
    assert World(zone).run(check_dmarc([author], spf(proved), [])).result is result
    assert World(zone).run(check_dmarc([author], NO_SPF, [dkim(proved)])).result is result


@pytest.mark.parametrize("method", ["aspf", "adkim"])
def test_each_method_is_strict_for_itself(method: str) -> None:
    zone = {"_dmarc.example.com": f"v=DMARC1; p=reject; {method}=s"}
    by_spf = World(zone).run(check_dmarc(["example.com"], spf("a.example.com"), []))
    by_dkim = World(zone).run(check_dmarc(["example.com"], NO_SPF, [dkim("a.example.com")]))
    passed = [one.result is AuthResult.PASS for one in (by_spf, by_dkim)]
    assert passed == ([False, True] if method == "aspf" else [True, False])


def test_what_did_not_pass_proves_nothing() -> None:
    for result in set(AuthResult) - {AuthResult.PASS, AuthResult.TEMPERROR}:
        found = World(EXAMPLE).run(
            check_dmarc(["example.com"], spf("example.com", result), [dkim("example.com", result)])
        )
        assert (found.result, found.policy) == (AuthResult.FAIL, REJECT)


@pytest.mark.parametrize(
    ("record", "author", "policy"),
    [
        ("p=reject", "example.com", REJECT),
        ("p=reject; sp=quarantine; np=none", "example.com", REJECT),
        ("p=reject; sp=quarantine; np=none", "there.example.com", QUARANTINE),
        ("p=reject; sp=quarantine; np=none", "absent.example.com", NONE),
        ("p=none; np=reject", "absent.example.com", REJECT),
        ("p=none; sp=quarantine", "absent.example.com", QUARANTINE),
        ("p=reject; t=y", "example.com", QUARANTINE),
        ("p=quarantine; t=y", "example.com", NONE),
        ("p=none; t=y", "example.com", NONE),
        ("p=none; sp=reject; t=y", "there.example.com", QUARANTINE),
    ],
)
def test_the_policy(record: str, author: str, policy: DmarcPolicy) -> None:
    world = World({"_dmarc.example.com": f"v=DMARC1; {record}"}, ("there.example.com",))
    found = world.run(check_dmarc([author], NO_SPF, []))
    assert (found.result, found.policy) == (AuthResult.FAIL, policy)


@pytest.mark.parametrize(
    ("zone", "result", "reason"),
    [
        ({}, AuthResult.NONE, "a.example.com has no DMARC record"),
        ({"_dmarc.a.example.com": FAILS}, AuthResult.TEMPERROR, "_dmarc.a.example.com"),
        ({"_dmarc.example.com": FAILS}, AuthResult.TEMPERROR, "_dmarc.example.com"),
        ({"_dmarc.a.example.com": "v=DMARC1; p=block"}, AuthResult.PERMERROR, "none of none"),
        ({"_dmarc.a.example.com": "v=DMARC1; p=block", **EXAMPLE}, AuthResult.PERMERROR, "none of none"),
        ({**EXAMPLE, "_dmarc.com": FAILS}, AuthResult.PASS, ""),
    ],
)
def test_records_that_say_nothing(zone: dict[str, str], result: AuthResult, reason: str) -> None:
    found = World(zone).run(check_dmarc(["a.example.com"], spf("a.example.com"), []))
    assert found.result is result
    assert reason in found.reason
    assert found.policy is (QUARANTINE if result is AuthResult.PASS else NONE)


def test_an_answer_that_did_not_come_leaves_it_open_only_if_it_matters() -> None:
    late = AuthResult.TEMPERROR
    for found_by_spf, signatures, result in (
        (spf("example.com", late), [], AuthResult.TEMPERROR),
        (spf("a.example.com", late), [], AuthResult.TEMPERROR),
        (NO_SPF, [dkim("example.com", late)], AuthResult.TEMPERROR),
        (spf("example.com", late), [dkim("example.com")], AuthResult.PASS),
        (spf("example.net", late), [dkim("attacker.com", late)], AuthResult.FAIL),
    ):
        assert World(EXAMPLE).run(check_dmarc(["example.com"], found_by_spf, signatures)).result is result


def test_a_forger_cannot_leave_it_open_by_a_zone_that_fails() -> None:
    zone = {**EXAMPLE, "_dmarc.attacker.com": FAILS, "_dmarc.mail.attacker.com": FAILS}
    world = World(zone)
    found = world.run(check_dmarc(["example.com"], spf("mail.attacker.com"), [dkim("attacker.com")]))
    assert (found.result, found.policy) == (AuthResult.FAIL, REJECT)
    assert not any("attacker" in name for name in world.asked)


@pytest.mark.parametrize("selector", ["", "a..b", "x" * 64, "a\x00", "x." * 120 + "x"])
def test_a_forger_cannot_leave_it_open_by_a_selector_that_no_zone_has(selector: str) -> None:
    forged = DkimFound(AuthResult.TEMPERROR, "example.com", selector, "rsa-sha256", "b0")
    found = World(EXAMPLE).run(check_dmarc(["example.com"], NO_SPF, [forged]))
    assert found.result is AuthResult.FAIL


def test_where_both_walks_fail_above_what_they_share_it_is_aligned() -> None:
    world = World({**EXAMPLE, "_dmarc.com": FAILS})
    assert world.run(check_dmarc(["example.com"], spf("a.example.com"), [])).result is AuthResult.PASS
    below = World({"_dmarc.a.example.com": "v=DMARC1; p=reject", "_dmarc.example.com": FAILS})
    found = below.run(check_dmarc(["a.example.com"], spf("b.example.com"), []))
    assert found.result is AuthResult.TEMPERROR


def test_usual_mail_needs_one_question() -> None:
    world = World(EXAMPLE)
    assert (
        world.run(check_dmarc(["Example.COM."], spf("esp.example"), [dkim("example.com")])).result == "pass"
    )
    assert world.asked == ["_dmarc.example.com"]
    world = World(STRICT)
    assert world.run(check_dmarc(["example.com"], spf("esp.example"), [])).result == "fail"
    assert world.asked == ["_dmarc.example.com"]


@pytest.mark.parametrize(
    ("domains", "result", "domain"),
    [
        ([], AuthResult.NONE, ""),
        (["[192.0.2.1]"], AuthResult.NONE, "[192.0.2.1]"),
        (["example..com"], AuthResult.PERMERROR, "example..com"),
        (["a\x00b.example"], AuthResult.PERMERROR, "a\x00b.example"),
        (["x" * 64 + ".example"], AuthResult.PERMERROR, "x" * 64 + ".example"),
        (["example.com", "EXAMPLE.com"], AuthResult.PASS, "example.com"),
        (["attacker.example", "example.net"], AuthResult.PERMERROR, ""),
        (["example.com", "attacker.example"], AuthResult.PERMERROR, ""),
        (["attacker.example", "bank.example"], AuthResult.FAIL, "bank.example"),
        (["soft.example", "bank.example"], AuthResult.FAIL, "bank.example"),
    ],
)
def test_the_domains_of_from(domains: list[str], result: AuthResult, domain: str) -> None:
    zone = {
        **EXAMPLE,
        "_dmarc.bank.example": "v=DMARC1; p=reject",
        "_dmarc.soft.example": "v=DMARC1; p=none",
    }
    found = World(zone).run(check_dmarc(domains, spf("example.com"), []))
    assert (found.result, found.domain) == (result, domain)


def test_a_domain_in_another_alphabet_is_asked_for_by_its_a_label() -> None:
    world = World({"_dmarc.xn--bcher-kva.example": "v=DMARC1; p=reject"})
    found = world.run(check_dmarc(["bücher.example"], NO_SPF, [dkim("xn--bcher-kva.example")]))
    assert found == DmarcFound(AuthResult.PASS, "xn--bcher-kva.example", REJECT)


def test_many_identifiers_make_few_questions() -> None:
    apart = {f"_dmarc.s{n}.example.com": "v=DMARC1; p=none; psd=n" for n in range(50)}
    world = World({**EXAMPLE, **apart})
    found = world.run(check_dmarc(["example.com"], NO_SPF, [dkim(f"s{n}.example.com") for n in range(50)]))
    assert found.result is AuthResult.FAIL
    assert len(world.asked) == 2 + WALKS_MAX


def test_many_long_domains_in_from_make_few_questions() -> None:
    domains = [f"{n}.a.b.c.d.e.f.g.h.example{n}.com" for n in range(50)]
    world = World({})
    assert world.run(check_dmarc(domains[:DOMAINS_MAX], NO_SPF, [])).policy is DmarcPolicy.NONE
    assert len(world.asked) == DOMAINS_MAX * STEPS_MAX
    found = world.run(check_dmarc(domains, NO_SPF, []))
    assert (found.result, found.policy) == (AuthResult.PERMERROR, DmarcPolicy.REJECT)
    assert len(world.asked) == DOMAINS_MAX * STEPS_MAX


def test_with_several_domains_nothing_that_is_unanswered_is_an_excuse() -> None:
    world = World({"_dmarc.bank.example": "v=DMARC1; p=reject"})
    late = AuthResult.TEMPERROR
    domains = ["attacker.example", "bank.example"]
    found = world.run(check_dmarc(domains, spf("bank.example", late), [dkim("bank.example", late)]))
    assert (found.result, found.policy) == (AuthResult.FAIL, REJECT)


LABELS = st.sampled_from(["a", "b", "example", "com", "", "_dmarc", "x" * 64, "ü", "\x00", "[1.2.3.4]"])
NAMES = st.lists(LABELS, max_size=12).map(".".join) | st.text(max_size=8)
TEXTS = st.sampled_from(
    ["v=DMARC1", "v=DMARC1; p=reject", "v=DMARC1; psd=y", "v=DMARC1; psd=n; p=x", "v=DMARC1;;;", "", "\x00"]
)


@given(
    st.lists(NAMES, max_size=4),
    NAMES,
    st.lists(st.tuples(NAMES, st.sampled_from(AuthResult)), max_size=4),
    st.sampled_from(AuthResult),
    st.data(),
)
def test_whatever_stands_anywhere_there_is_a_result(
    domains: list[str],
    envelope: str,
    signatures: list[tuple[str, AuthResult]],
    result: AuthResult,
    data: st.DataObject,
) -> None:
    class Anything(dict[NameQuestion, NameAnswer]):
        def __missing__(self, question: NameQuestion) -> NameAnswer:
            texts = tuple(data.draw(st.lists(TEXTS, max_size=2)))
            nothing = data.draw(st.sampled_from([Finding.NO_DATA, Finding.NO_NAME, Finding.FAILED]))
            self[question] = TxtAnswer(Finding.FOUND if len(texts) > 0 else nothing, texts)
            return self[question]

    asking = check_dmarc(domains, spf(envelope, result), [dkim(*one) for one in signatures])
    found = answer_from(Anything(), asking)
    assert found.result in ("none", "pass", "fail", "temperror", "permerror")
    assert found.policy is NONE or found.result in ("pass", "fail", "permerror")

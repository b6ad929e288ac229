"""How this server stands with the rules for bulk mail, from what was found and counted."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.provider import BY_KEY
from secondpost.mail.questions import AddressAnswer, Addresses, Finding, Mx, MxAnswer, MxRecord
from secondpost.route.destination import ourselves
from secondpost.setup.bulk_rules import (
    PROFILES_OF,
    SOURCES,
    BulkRule,
    RuleAsker,
    RuleStanding,
    RuleState,
    has_broken,
)
from secondpost.setup.bulk_standing import (
    NOTHING_SENT,
    BulkFacts,
    MonthCounts,
    NotCounted,
    Trial,
    examine_tls_out,
    standings,
)
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.looks import SmtpLook, Visited
from secondpost.setup.trial_mail import MailFault
from secondpost.store.provider_ports import ProviderDay
from tests.setup.dns_set_ups import SetUp, diagnoses, read_set_up
from tests.setup.test_delivery import GOOD, OFFERS, REFUSED, World, seen_in

URL = "https://mx2.example.net"
TLS = RuleStanding(BulkRule.TLS, RuleState.KEPT, "It was reached over TLSv1.3.")
LINK = Diagnosis(Check.LEAVE_LINK, URL, Grade.WELL, "Readers leave with one click.")
WELL = (Trial("weekly"),)
QUIET = MonthCounts(
    [ProviderDay("google", 1, delivered=4_000), ProviderDay("others", 2, delivered=9_000)], {}
)


def stand(
    set_up: SetUp,
    *also: Diagnosis,
    trials: Sequence[Trial] = WELL,
    counted: MonthCounts | NotCounted = QUIET,
) -> dict[BulkRule, RuleStanding]:
    found = standings(set_up.config, BulkFacts((*diagnoses(set_up), *also), trials, TLS, counted))
    assert [one.rule for one in found] == list(BulkRule)
    return {one.rule: one for one in found}


def test_where_all_is_right_all_is_kept_but_what_depends_on_readers() -> None:
    found = stand(read_set_up("good", "both"), LINK)
    watched = {rule for rule, one in found.items() if one.state is not RuleState.KEPT}
    assert watched == {BulkRule.COMPLAINTS, BulkRule.VOLUME}
    assert {found[rule].state for rule in watched} == {RuleState.WATCHED}
    assert not has_broken(found.values())
    assert LINK.text in found[BulkRule.ONE_CLICK].text


@pytest.mark.parametrize(
    ("name", "rule", "remedy"),
    [
        ("no_spf", BulkRule.SPF_AND_DKIM, 'TXT "v=spf1 '),
        ("spf_without_us", BulkRule.SPF_AND_DKIM, "v=spf1"),
        ("no_dkim_key", BulkRule.SPF_AND_DKIM, "sp-rsa._domainkey."),
        ("no_ed25519_key", BulkRule.SPF_AND_DKIM, "sp-ed._domainkey."),
        ("no_dmarc", BulkRule.DMARC, 'TXT "v=DMARC1; p=none"'),
        ("no_reverse_name", BulkRule.REVERSE_NAME, "reverse name (PTR)"),
    ],
)
def test_what_dns_lacks_breaks_its_rule_alone(name: str, rule: BulkRule, remedy: str) -> None:
    found = stand(read_set_up("broken", name), LINK)
    assert [one.rule for one in found.values() if one.state is RuleState.BROKEN] == [rule]
    assert remedy in found[rule].remedy
    assert has_broken(found.values())


def test_a_link_that_fails_breaks_one_click_and_one_that_is_not_seen_does_not() -> None:
    set_up = read_set_up("good", "both")
    gone = replace(LINK, grade=Grade.FAULT, text="Nobody can leave.", remedy="open port 443")
    assert stand(set_up, gone)[BulkRule.ONE_CLICK] == RuleStanding(
        BulkRule.ONE_CLICK, RuleState.BROKEN, "Nobody can leave.", "open port 443"
    )
    note = replace(LINK, grade=Grade.NOTE, text="It cannot be seen from here.")
    assert stand(set_up, note)[BulkRule.ONE_CLICK].state is RuleState.UNSEEN
    before = stand(set_up)[BulkRule.ONE_CLICK]
    assert (before.state, before.remedy) == (RuleState.UNSEEN, "secondpost serve")


def test_behind_a_smart_host_the_reverse_name_is_its_owners() -> None:
    found = stand(read_set_up("good", "smart_host"), LINK)[BulkRule.REVERSE_NAME]
    assert found.state is RuleState.UNSEEN
    assert "its owner's" in found.text


def test_faults_of_a_trial_mail_break_their_rules() -> None:
    set_up = read_set_up("good", "both")
    faults = (
        MailFault(BulkRule.FORMAT, "has Date 0 times"),
        MailFault(BulkRule.DMARC, "unsure", is_unsure=True),
    )
    found = stand(set_up, LINK, trials=(Trial("weekly", faults), Trial("monthly")))
    assert found[BulkRule.FORMAT].state is RuleState.BROKEN
    assert found[BulkRule.FORMAT].text == "An issue of weekly has Date 0 times."
    assert found[BulkRule.DMARC].state is RuleState.UNSEEN
    unmade = stand(set_up, LINK, trials=(Trial("weekly", why_not="its subject cannot be written"),))
    assert unmade[BulkRule.FROM].state is RuleState.UNSEEN


def complaints(days: Sequence[ProviderDay], complained: dict[str, int]) -> RuleStanding:
    return stand(read_set_up("good", "both"), LINK, counted=MonthCounts(days, complained))[
        BulkRule.COMPLAINTS
    ]


def test_complaints_are_a_share_of_what_was_delivered() -> None:
    """Google: below 0.1 %, never 0.3 % or more; of few mails no share is taken."""
    month = [ProviderDay("yahoo", day, delivered=500) for day in range(4)]
    calm = complaints(month, {"yahoo": 1})
    assert calm.state is RuleState.WATCHED
    assert calm.text.startswith("1 of 2,000 mails in 30 days brought a complaint. Google reports none")
    high = complaints(month, {"yahoo": 2})
    assert high.state is RuleState.WATCHED
    assert "0.10% at all together and 0.10% at Yahoo and AOL" in high.text
    assert complaints(month, {"yahoo": 6}).state is RuleState.BROKEN
    few = [ProviderDay("yahoo", 1, delivered=999)]
    assert complaints(few, {"yahoo": 9}).state is RuleState.WATCHED
    # One bad provider is not hidden by many mails to others.
    hidden = complaints([*month, ProviderDay("others", 1, delivered=1_000_000)], {"yahoo": 6})
    assert hidden.state is RuleState.BROKEN
    assert "0.30% at Yahoo" in hidden.text
    assert complaints([], {}).state is RuleState.UNSEEN


def test_the_fullest_day_says_whether_the_rules_are_enforced() -> None:
    set_up = read_set_up("good", "both")
    small = stand(set_up, LINK)[BulkRule.VOLUME]
    assert "4,000 to Google and 0 to Microsoft" in small.text
    assert "From 5,000 on" in small.text
    large = MonthCounts([ProviderDay("google", 1, delivered=5_000)], {})
    assert "Google never lifts them again" in stand(set_up, LINK, counted=large)[BulkRule.VOLUME].text
    assert stand(set_up, LINK, counted=NOTHING_SENT)[BulkRule.VOLUME].state is RuleState.UNSEEN


def test_tls_is_seen_at_the_next_server() -> None:
    config = read_set_up("good", "newsletter_alone").config
    us, gmail = ourselves(config, frozenset()), "gmail-smtp-in.l.google.com"
    look = SmtpLook(Endpoint("192.0.2.7", 25), gmail)
    world: World = {
        Mx(Domain("gmail.com")): MxAnswer(Finding.FOUND, (MxRecord(5, gmail),)),
        Addresses(gmail): AddressAnswer(Finding.FOUND, ("192.0.2.7",)),
    }
    for seen, state in (
        (GOOD, RuleState.KEPT),
        (Visited(OFFERS), RuleState.BROKEN),
        (REFUSED, RuleState.UNSEEN),
    ):
        assert seen_in({**world, look: seen}, examine_tls_out(config, us)).state is state
    nowhere: World = {Mx(Domain("gmail.com")): MxAnswer(Finding.FAILED)}
    assert seen_in(nowhere, examine_tls_out(config, us)).state is RuleState.UNSEEN


def test_every_asker_has_a_profile_and_a_source_and_asks_something() -> None:
    assert set(PROFILES_OF) == set(RuleAsker)
    assert set(PROFILES_OF.values()) <= set(BY_KEY)
    assert {source.asker for source in SOURCES} == set(RuleAsker)
    assert {asker for rule in BulkRule for asker in rule.askers} == set(RuleAsker)
    assert len({rule.word for rule in BulkRule}) == len(BulkRule)

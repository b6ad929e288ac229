"""The table of holes agrees with the rules, and says all that it must."""

from secondpost.protocols.attacks.rules import RULES
from secondpost.watch.hole import SERVERS, MailSoftware
from secondpost.watch.holes import HOLES, cves_of, holes_of

# Of reliability: what a log cannot show is in the table as well.
NAMED = (
    "CVE-2020-7247 CVE-2020-8794 CVE-2019-10149 CVE-2019-15846 CVE-2019-16928 CVE-2018-6789 CVE-2017-16943 "
    "CVE-2023-42115 CVE-2023-51764 CVE-2023-51765 CVE-2023-51766 CVE-2024-45519 CVE-2016-10033 CVE-2014-6271 "
    "CVE-2021-44228 CVE-2011-0411 CVE-2025-26794 CVE-2026-45185"
)


def test_every_cve_of_a_rule_has_its_row_and_that_row_names_the_rule() -> None:
    for rule in RULES:
        assert set(rule.cves) <= set(cves_of(holes_of(rule.id))), rule.id


def test_every_rule_that_a_row_names_exists() -> None:
    rules = {rule.id for rule in RULES}
    assert {name for hole in HOLES for name in hole.rules} <= rules


def test_the_holes_that_everyone_asks_about_are_there() -> None:
    assert set(cves_of(HOLES)) >= set(NAMED.split())


def test_every_row_says_what_has_it_how_to_tell_and_what_to_do() -> None:
    for hole in HOLES:
        said = (
            hole.software, hole.versions, hole.needs, hole.effect, hole.in_log, hole.on_machine, hole.to_do,
            hole.source,
        )  # fmt: skip
        assert all(len(text) > 0 for text in said), hole.name
        sentences = (hole.needs, hole.in_log, hole.on_machine, hole.to_do)
        assert all(text.endswith(".") for text in sentences), hole.name
        assert not hole.effect.endswith("."), "it stands in the middle of a sentence"


def test_which_server_has_which() -> None:
    assert [hole.cves for hole in holes_of("opensmtpd-2020-7247", MailSoftware.OPENSMTPD)] == [
        ("CVE-2020-7247",)
    ]
    assert holes_of("opensmtpd-2020-7247", MailSoftware.POSTFIX) == ()
    for server in SERVERS:
        assert len(holes_of("shell-in-address", server)) == 1
    assert all(MailSoftware.SECONDPOST not in hole.behind for hole in HOLES)

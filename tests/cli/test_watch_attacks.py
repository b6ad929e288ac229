"""secondpost watch attacks: who, what, when, how often, and why it did nothing."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from secondpost.mail.attack import AttackCount
from secondpost.mail.daily import day_of
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.owner.attacks import new_since
from secondpost.protocols.attacks import rules
from secondpost.protocols.attacks.rule import AttackRule
from secondpost.protocols.attacks.rules import RULES
from secondpost.store.sqlite import SqliteStore
from secondpost.watch.harmless import HARMLESS
from secondpost.world.real.clock import RealClock
from tests.cli.office import Office
from tests.cli.test_alarms import at_store


def count(
    rule: AttackRule, network: str, times: int, ago_ms: int, *, place: str = "address", sample: str = ""
) -> AttackCount:
    at_ms = RealClock().now_ms() - ago_ms
    client = network.replace(".0/24", ".7")
    return AttackCount(day_of(at_ms), rule.id, network, times, at_ms, at_ms, client, place, sample)


def store(office: Office, counts: Sequence[AttackCount]) -> None:
    async def story(store: SqliteStore) -> None:
        await store.count_attacks(counts)

    at_store(office, story)


def besiege(office: Office) -> None:
    store(
        office,
        [
            count(rules.HTTP, "203.0.113.0/24", 1_200, HOUR_MS, place="first", sample="GET / HTTP/1.1\\r\\n"),
            count(rules.RELAY_PROBE, "203.0.113.0/24", 2, DAY_MS, place="behaviour"),
            count(rules.OPENSMTPD_2020_7247, "192.0.2.0/24", 9, 2 * DAY_MS, sample="<;sleep 66;>"),
            count(rules.OPENSMTPD_2020_7247, "192.0.2.0/24", 1, 3 * HOUR_MS, sample="<;id;>"),
            count(rules.OPENSMTPD_2020_7247, "198.51.100.0/24", 1, 4 * HOUR_MS),
            count(rules.OPENSMTPD_2020_7247, "", 40, 4 * HOUR_MS),
            count(rules.SHELLSHOCK, "192.0.2.0/24", 1, 20 * DAY_MS, place="header"),
        ],
    )


def test_without_attacks_it_says_so(office: Office) -> None:
    assert office.run("watch", "attacks").output == "No attack in the last week.\n"


def test_the_worst_comes_first_with_what_it_would_do_and_why_it_did_not(office: Office) -> None:
    besiege(office)
    shown = office.run("watch", "attacks")
    assert shown.exit_code == 0
    assert shown.output == (
        "In the last week: 51 attempts to break in and 2 probes, from 3 networks. None could affect this\n"
        "server. What it accepted is passed on as it came, so keep the mail server behind it up to date.\n"
        "\n"
        "EXPLOIT: opensmtpd-2020-7247 (CVE-2020-7247)\n"
        "  Runs a command as root through the sender's address, in OpenSMTPD before 6.6.2.\n"
        "  51 times, last 3 h ago by 192.0.2.7, from 192.0.2.0/24 (10), 198.51.100.0/24 (1), others (40)\n"
        "  In an address, such as\n"
        "    <;sleep 66;>\n"
        "  Not affected: No program is ever started with mail data, so there is no shell to reach. The one\n"
        "  parser of addresses refuses this.\n"
        "  Affected elsewhere: OpenSMTPD: 6.4.0 to 6.6.1; fixed in 6.6.2\n"
        "\n"
        "PROBE: relay-probe\n"
        "  Tries whether mail for other people's domains is passed on (an open relay).\n"
        "  2 times, last 1 d ago by 203.0.113.7, from 203.0.113.0/24 (2)\n"
        "  Not affected: Mail is taken only for your domains: this is no open relay.\n"
        "\n"
        "Noise, as every server sees it: http 1,200. `--all` shows more.\n"
    )


def test_noise_and_older_days_are_shown_if_asked_for(office: Office) -> None:
    besiege(office)
    assert "NOISE: http" in office.run("watch", "attacks", "--all").output
    assert "shellshock" not in office.run("watch", "attacks").output
    for since in ("30d", "30 days", "5w"):
        assert "shellshock (CVE-2014-6271)" in office.run("watch", "attacks", "--since", since).output
    assert "opensmtpd" not in office.run("watch", "attacks", "--since", "1h").output


def test_the_document_has_every_network(office: Office) -> None:
    besiege(office)
    document = json.loads(office.run("watch", "attacks", "--json").output)
    assert [one["rule"] for one in document["attacks"]] == ["opensmtpd-2020-7247", "relay-probe", "http"]
    first = document["attacks"][0]
    assert (first["times"], first["others"], first["affected"]) == (51, 40, False)
    assert [network["network"] for network in first["networks"]] == ["192.0.2.0/24", "198.51.100.0/24"]
    assert first["networks"][0]["sample"] == "<;sleep 66;>"


def test_an_age_that_is_none_and_two_forms_at_once_are_usage_errors(office: Office) -> None:
    assert "is not a duration" in office.run("watch", "attacks", "--since", "soon", code=2).output
    assert "choose one" in office.run("watch", "attacks", "--json", "--follow", code=2).output


def test_what_was_added_since_the_last_look_comes_in_order_of_time() -> None:
    old = count(rules.HTTP, "203.0.113.0/24", 5, HOUR_MS)
    more = count(rules.HTTP, "203.0.113.0/24", 8, MINUTE_MS)
    new = count(rules.SHELLSHOCK, "192.0.2.0/24", 1, 2 * MINUTE_MS)
    added = new_since({old.key: old}, [more, new])
    assert [(one.rule, one.times) for one in added] == [("shellshock", 1), ("http", 3)]
    assert new_since({old.key: old}, [old]) == []


def test_follow_prints_what_comes_until_it_is_interrupted(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look finds what came; the third is interrupted."""
    besiege(office)
    looks = 0

    async def rest(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise KeyboardInterrupt
        writer = asyncio.to_thread(
            store, office, [count(rules.LOG4SHELL, "192.0.2.0/24", 2, 0, sample="${jndi:ldap://x}")]
        )
        await writer

    monkeypatch.setattr("secondpost.cli.watch_attacks.asyncio.sleep", rest)
    shown = office.run("watch", "attacks", "--follow")
    assert shown.exit_code == 0
    last = shown.output.splitlines()[-1]
    assert last.endswith("192.0.2.7 log4shell (CVE-2021-44228, CVE-2021-45046) 2 times ${jndi:ldap://x}")


def test_each_rule_has_its_reason_why_it_is_harmless_here() -> None:
    assert set(HARMLESS) == {rule.id for rule in RULES}
    assert all(reason.endswith((".", ").")) for reason in HARMLESS.values())

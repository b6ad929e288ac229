"""The interview of `init`: what is asked on which machine, and what each answer leads to."""

from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.dns_questions import Ptr, PtrAnswer
from secondpost.mail.questions import AddressAnswer, Addresses, Finding, Mx, MxAnswer, MxRecord
from secondpost.setup.answers import (
    Answers,
    BackupAnswer,
    Entry,
    NewsletterAnswer,
    OtherTable,
    SmartHostAnswer,
    toml_text,
)
from secondpost.setup.surroundings import FoundCertificate, PortHolder, Surroundings
from tests.setup.interviewing import HOME, SERVER, Names, interviewed

OWNER = ("me@elsewhere.example",)
BACKUP = {"--backup": ("example.net",), "--owner": OWNER}
FEED = {"--feed": ("https://www.example.net/feed.xml",), "--owner": OWNER}
PROVIDER: Names = {
    Mx(Domain("example.net")): MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.provider.example"),)),
    Addresses("mx1.provider.example"): AddressAnswer(Finding.FOUND, ("5.5.5.5",)),
    Addresses("mx2.example.net"): AddressAnswer(Finding.FOUND, ("5.9.8.7",)),
    Ptr("5.9.8.7"): PtrAnswer(Finding.FOUND, ("mx2.example.net",)),
}
REACHED = frozenset({"5.5.5.5"})


def mx(*records: tuple[int, str]) -> Names:
    """The provider's world with other MX records of the domain."""
    found = tuple(MxRecord(preference, host) for preference, host in records)
    finding = Finding.FOUND if len(found) > 0 else Finding.NO_DATA
    return {**PROVIDER, Mx(Domain("example.net")): MxAnswer(finding, found)}


# -- three people


def test_a_server_in_a_data_centre_is_asked_little() -> None:
    held = interviewed(BACKUP, names=PROVIDER, answering=REACHED)
    assert held.asked == ["--hostname", "--backup", "--recipients", "--feed", "--owner", "--acme"]
    assert (held.missing, held.faults, held.warnings) == ([], [], [])
    assert held.answers == Answers(
        "mx2.example.net", "/var/lib/secondpost", OWNER, (BackupAnswer("example.net"),), acme=OWNER[0]
    )
    assert "example.net: mail goes to mx1.provider.example (10)." in held.notes
    assert "Port 25 is open outward: 5.5.5.5 answers." in held.notes


def test_a_blogger_at_home_gets_a_smart_host_and_names_the_public_address(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse\n")
    given = {
        **BACKUP,
        **FEED,
        "--hostname": ("mx2.example.net",),
        "--address": ("5.9.8.7",),
        "--smart-host": ("smtp.example.com:587",),
        "--smart-host-user": ("me",),
        "--smart-host-password-file": ("password",),
    }
    held = interviewed(given, here=HOME, names=PROVIDER, folder=str(tmp_path))
    assert {"--hostname", "--address", "--smart-host", "--smart-host-user"} <= set(held.asked)
    assert held.suggestions["--hostname"] is None
    assert held.suggestions["--address"] == ("5.9.8.7",)
    assert held.faults == []
    assert held.answers.addresses == ("5.9.8.7",)
    # Mail for the primary cannot go out by port 25 either.
    assert held.answers.smart_host == SmartHostAnswer(
        "smtp.example.com:587", "me", str(tmp_path / "password"), True, (Entry("tls", '"verify"'),)
    )
    assert "Let the router pass port 25 of 5.9.8.7 on to this machine." in held.notes


def test_an_administrator_has_twenty_domains_with_a_list_each(tmp_path: Path) -> None:
    domains = tuple(f"domain{number}.example" for number in range(20))
    for domain in domains:
        (tmp_path / domain).write_text(f"# {domain}\ninfo@{domain}\n")
    given = {
        "--backup": domains,
        "--recipients": ("learn", "file:{domain}"),
        "--primary": ("mail.example.com",),
        "--owner": OWNER,
    }
    held = interviewed(given, names={}, folder=str(tmp_path))
    assert held.faults == []
    assert held.answers.backups == tuple(
        BackupAnswer(domain, ("learn", f"file:{tmp_path / domain}"), ("mail.example.com",))
        for domain in domains
    )


def test_a_newsroom_has_a_newsletter_alone() -> None:
    held = interviewed(FEED, names=PROVIDER, answering=REACHED)
    assert "--recipients" not in held.asked
    assert held.answers.backups == ()
    assert held.answers.newsletter == NewsletterAnswer(
        "weekly", "newsletter@example.net", FEED["--feed"], "friday 09:00", "UTC"
    )
    assert held.answers.pages is None
    # With a certificate of its own it serves them on ports 443 and 80.
    assert (held.answers.pages_listen, held.answers.proxies) == ((), ())
    behind = interviewed({**FEED, "--acme": ()}, names=PROVIDER, answering=REACHED).answers
    assert (behind.pages_listen, behind.proxies) == (("127.0.0.1:8025",), ("127.0.0.1",))


@pytest.mark.parametrize(
    "here",
    [
        replace(SERVER, low_port=1024),
        replace(SERVER, port_holders=(PortHolder(Endpoint("::", 80), "nginx"),)),
        replace(SERVER, port_holders=(PortHolder(Endpoint("0.0.0.0", 443), "haproxy"),)),
    ],
)
def test_where_the_authority_cannot_reach_us_no_certificate_is_ordered_unasked(here: Surroundings) -> None:
    held = interviewed(BACKUP, here=here, names=PROVIDER, answering=REACHED)
    assert "--acme" not in held.asked
    assert held.answers.acme is None


# -- what is missing or wrong


def test_what_has_no_answer_by_itself_is_missing() -> None:
    held = interviewed(here=HOME, names={})
    assert held.missing == ["--hostname", "--feed", "--owner"]


@pytest.mark.parametrize(
    ("flag", "texts", "reason"),
    [
        ("--hostname", ("mx2",), '"mx2" is not a full domain'),
        ("--hostname", ("192.0.2.1",), "is an IP address"),
        ("--backup", ("me@example.net",), "is an address, not a domain"),
        ("--backup", ("mx2.example.net",), "this is our own hostname"),
        ("--backup", ("example.net", "example.net"), "has a [[backup]] already"),
        ("--recipients", ("postmaster",), "is not one of the forms of recipients"),
        ("--recipients", ("file:missing",), "the list cannot be used"),
        ("--recipients", ("any", "learn"), '"any" includes every address'),
        ("--primary", ("mx2.example.net",), "this server: mail would go round in circles"),
        ("--owner", ("me@example.net",), "at a domain that is backed up here"),
        ("--owner", ("me",), "it has no @"),
        ("--feed", ("feed.xml",), "is not a web address"),
        ("--address", ("5.9.8",), "is not an IP address"),
        ("--address", ("10.0.0.5",), "is a private address, which others cannot reach"),
        ("--listen", ("mx2.example.net:25",), "is a name, not an IP address"),
        ("--dns-server", ("dns.example",), "is a name, not an IP address"),
        ("--store", ("/" + "x" * 100,), "the path has 101 octets"),
        ("--certificate", ("missing.pem",), "cannot be read"),
    ],
)
def test_a_wrong_answer_is_a_fault_of_its_own_question(
    flag: str, texts: tuple[str, ...], reason: str
) -> None:
    given = {**BACKUP, flag: texts}
    faults = [one for one in interviewed(given, names=PROVIDER, answering=REACHED).faults if flag in one]
    assert any(reason in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("--newsletter", "The Weekly"),
        ("--newsletter", "admin"),
        ("--from", "The Blog"),
        ("--every", "now and then"),
        ("--timezone", "Europe/Atlantis"),
        ("--web-url", "http://www.example.net"),
        ("--web-listen", "8025"),
        ("--from", "\udcff@example.net"),  # not UTF-8
        ("--from", "The\nBlog <b@example.net>"),
    ],
)
def test_wrong_answers_about_the_newsletter(flag: str, text: str) -> None:
    held = interviewed({**FEED, flag: (text,)}, names=PROVIDER, answering=REACHED)
    assert held.faults[0].startswith(f"{flag}: "), held.faults


# -- what the DNS says of a domain


def test_a_domain_behind_which_this_server_stands_already() -> None:
    held = interviewed(
        BACKUP, names=mx((10, "mx1.provider.example"), (20, "mx2.example.net")), answering=REACHED
    )
    assert (
        "example.net: mail goes to mx1.provider.example (10). This server is behind it already." in held.notes
    )
    assert "--primary" not in held.asked


def test_only_three_hosts_are_shown() -> None:
    held = interviewed(BACKUP, names=mx(*((10, f"mx{number}.provider.example") for number in range(1, 6))))
    assert any("mx3.provider.example (10) and 2 more." in note for note in held.notes)


@pytest.mark.parametrize(
    ("names", "warning"),
    [
        (mx((0, ".")), "takes no mail at all (a null MX)"),
        (mx((10, "mx2.example.net")), "this server is its best MX"),
        (mx((10, "mx2.example.net"), (20, "mx1.provider.example")), "this server is its best MX"),
        (mx(), "has no MX record: no mail reaches it now"),
        (
            {**mx(), Addresses("example.net"): AddressAnswer(Finding.FOUND, ("5.5.5.6",))},
            "its mail goes to example.net itself. With this server's MX it needs one of its own",
        ),
    ],
)
def test_a_domain_without_a_primary_in_the_dns_needs_one(names: Names, warning: str) -> None:
    held = interviewed(BACKUP, names=names, answering=REACHED)
    assert held.missing == ["--primary"]
    assert any(warning in text for text in held.warnings), held.warnings
    named = interviewed({**BACKUP, "--primary": ("10.0.0.1:2525",)}, names=names, answering=REACHED)
    assert named.missing == []
    assert named.answers.backups == (BackupAnswer("example.net", primary=("10.0.0.1:2525",)),)


@pytest.mark.parametrize(
    ("domain", "lane", "missing"),
    [
        ("example.net", "relay", []),
        ("example.net", None, []),
        ("*", "relay", []),
        ("*", "own", ["--primary"]),
        ("example.org", "relay", ["--primary"]),
    ],
)
def test_a_domain_with_a_route_for_its_mail_needs_no_primary(
    domain: str, lane: str | None, missing: list[str]
) -> None:
    entries = [Entry("domain", toml_text(domain)), Entry("host", toml_text("mail.provider.example"))]
    if lane is not None:
        entries.append(Entry("lane", toml_text(lane)))
    earlier = Answers(
        "mx2.example.net",
        "/var/lib/secondpost",
        ("me@elsewhere.example",),
        backups=(BackupAnswer("example.net"),),
        others=(OtherTable("[[route]]", tuple(entries)),),
    )
    held = interviewed(names=mx(), answering=REACHED, earlier=earlier)
    assert held.missing == missing


def test_a_primary_is_asked_for_those_domains_alone_that_need_one() -> None:
    given = {**BACKUP, "--backup": ("example.net", "example.org"), "--primary": ("mail.example.com",)}
    held = interviewed(given, names=PROVIDER, answering=REACHED)
    assert [one.primary for one in held.answers.backups] == [(), ("mail.example.com",)]


def test_a_domain_whose_mx_cannot_be_looked_up_needs_no_primary() -> None:
    names = {**PROVIDER, Mx(Domain("example.net")): MxAnswer(Finding.FAILED)}
    held = interviewed({**BACKUP, "--backup": ("example.net", "example.org")}, names=names)
    assert "example.net: its MX records could not be looked up." in held.warnings
    assert held.missing == ["--primary"]  # of example.org


def test_a_silent_dns_is_said_once_and_asked_no_more() -> None:
    held = interviewed(BACKUP, names=None)
    silent = "No DNS server answers: what depends on the DNS could not be looked at."
    assert held.warnings == [silent]
    assert held.looked_up == 1
    assert (held.missing, held.faults) == ([], [])


def test_an_internationalised_domain_is_looked_up_by_its_a_label() -> None:
    names = {
        **PROVIDER,
        Mx(Domain("xn--blbr-roah.example")): MxAnswer(Finding.FOUND, (MxRecord(5, "mail.example"),)),
    }
    held = interviewed({**BACKUP, "--backup": ("blåbær.example",)}, names=names, answering=REACHED)
    assert "xn--blbr-roah.example: mail goes to mail.example (5)." in held.notes
    assert held.answers.backups[0].domain == "blåbær.example"


# -- this machine


def test_a_machine_without_a_full_name_has_the_one_of_its_address() -> None:
    held = interviewed(BACKUP, here=replace(SERVER, name="mx2"), names=PROVIDER, answering=REACHED)
    assert held.suggestions["--hostname"] == ("mx2.example.net",)


@pytest.mark.parametrize("name", ["localhost.localdomain", "mx2", "under_score.example", "10.0.0.1"])
def test_a_name_that_other_servers_cannot_use_is_not_proposed(name: str) -> None:
    held = interviewed(BACKUP, here=replace(HOME, name=name), names={})
    assert held.suggestions["--hostname"] is None


def test_an_address_with_another_name_is_warned_of() -> None:
    other: Names = {Ptr("5.9.8.7"): PtrAnswer(Finding.FOUND, ("static.host.example",))}
    held = interviewed(BACKUP, names={**PROVIDER, **other}, answering=REACHED)
    assert any(
        "5.9.8.7 is called static.host.example, not mx2.example.net," in text for text in held.warnings
    )
    none: Names = {Ptr("5.9.8.7"): PtrAnswer(Finding.NO_NAME)}
    held = interviewed(BACKUP, names={**PROVIDER, **none}, answering=REACHED)
    assert any("5.9.8.7 has no name in the DNS (PTR)" in text for text in held.warnings)


def test_a_name_that_leads_elsewhere_is_warned_of() -> None:
    other: Names = {Addresses("mx2.example.net"): AddressAnswer(Finding.FOUND, ("5.1.1.1",))}
    held = interviewed(BACKUP, names={**PROVIDER, **other}, answering=REACHED)
    assert "The DNS says that mx2.example.net is 5.1.1.1; this machine is not among them." in held.warnings


def test_without_a_public_address_there_are_no_pages() -> None:
    held = interviewed({**FEED, "--hostname": ("mx2.example.net",)}, here=HOME, names={})
    assert "Without a public address, no other server can deliver mail here." in held.warnings
    assert held.suggestions["--web-url"] == ("none",)
    assert (held.answers.pages, held.answers.pages_listen) == ("none", ())


@pytest.mark.parametrize(
    ("program", "warning"),
    [
        ("exim4", "Port 25 is taken by exim4. Stop it before the service starts: {stop} exim4"),
        ("master", "Port 25 is taken by postfix. Stop it before the service starts: {stop} postfix"),
        ("", "Port 25 is taken by another program. Stop it before the service starts."),
    ],
)
def test_a_program_on_port_25_is_named(program: str, warning: str) -> None:
    here = replace(SERVER, port_holders=(PortHolder(Endpoint("127.0.0.1", 25), program),))
    held = interviewed(BACKUP, here=here, names=PROVIDER, answering=REACHED)
    assert warning.format(stop="systemctl disable --now") in held.warnings


def test_our_own_service_on_port_25_is_no_trouble() -> None:
    here = replace(SERVER, port_holders=(PortHolder(Endpoint("::", 25), "secondpost"),))
    assert interviewed(BACKUP, here=here, names=PROVIDER, answering=REACHED).warnings == []


@pytest.mark.parametrize(
    ("resolver", "is_said"), [("192.0.2.53", True), ("127.0.0.53", True), ("127.0.0.1", False)]
)
def test_a_resolver_of_others_is_said(resolver: str, is_said: bool) -> None:
    here = replace(SERVER, resolvers=(Endpoint(resolver, 53),))
    notes = interviewed(BACKUP, here=here, names=PROVIDER, answering=REACHED).notes
    assert any(note.startswith(f"DNS questions go to {resolver}.") for note in notes) is is_said
    named = interviewed({**BACKUP, "--dns-server": ("10.0.0.1",)}, here=here, names=PROVIDER).notes
    assert not any("DNS questions" in note for note in named)


def test_without_root_the_door_is_one_that_can_be_opened() -> None:
    held = interviewed(BACKUP, here=replace(SERVER, low_port=1024), names=PROVIDER, answering=REACHED)
    assert "--listen" in held.asked
    assert held.answers.listen == ("127.0.0.1:2525",)


def test_a_taken_port_is_not_used_for_the_pages() -> None:
    here = replace(SERVER, port_holders=(PortHolder(Endpoint("127.0.0.1", 8025), "python3"),))
    held = interviewed({**FEED, "--acme": ()}, here=here, names=PROVIDER, answering=REACHED)
    assert held.answers.pages_listen == ("127.0.0.1:8026",)


def test_a_certificate_that_is_there_is_proposed(tmp_path: Path) -> None:
    (tmp_path / "fullchain.pem").write_text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
    (tmp_path / "privkey.pem").write_text("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")
    paths = str(tmp_path / "fullchain.pem"), str(tmp_path / "privkey.pem")
    here = replace(SERVER, certificates=(FoundCertificate("mx2.example.net", *paths),))
    held = interviewed(BACKUP, here=here, names=PROVIDER, answering=REACHED)
    assert {"--certificate", "--key"} <= set(held.asked)
    assert held.faults == []
    assert (held.answers.certificate, held.answers.key) == paths


# -- port 25 outward


def test_a_closed_port_25_is_said_even_if_no_smart_host_is_named() -> None:
    held = interviewed(BACKUP, names=PROVIDER)
    assert "--smart-host" in held.asked
    assert "Until port 25 is open outward, or a smart host is named, no mail leaves here." in held.warnings


def test_a_smart_host_takes_mail_for_the_primary_only_where_nothing_else_can() -> None:
    given = {**BACKUP, "--smart-host": ("127.0.0.1:587",)}
    open_ = interviewed(given, names=PROVIDER, answering=REACHED).answers.smart_host
    assert open_ == SmartHostAnswer("127.0.0.1:587", relays=False)
    closed = interviewed(given, names=PROVIDER).answers.smart_host
    assert closed == SmartHostAnswer("127.0.0.1:587", relays=True)
    elsewhere = interviewed({**given, "--primary": ("5.5.5.5:2525",)}, names=PROVIDER).answers.smart_host
    assert elsewhere == SmartHostAnswer("127.0.0.1:587", relays=False)


def test_a_primary_in_the_same_network_does_not_show_that_the_port_is_open() -> None:
    names = {
        **PROVIDER,
        Mx(Domain("elsewhere.example")): MxAnswer(Finding.FOUND, (MxRecord(1, "mail.elsewhere.example"),)),
        Addresses("mail.elsewhere.example"): AddressAnswer(Finding.FOUND, ("5.5.5.9",)),
        Addresses("10.0.0.1"): AddressAnswer(Finding.FOUND, ("10.0.0.1",)),
    }
    held = interviewed({**BACKUP, "--primary": ("10.0.0.1",)}, names=names, answering=frozenset({"10.0.0.1"}))
    assert "--smart-host" in held.asked
    assert not any("open outward:" in text for text in held.notes)


def test_nothing_is_tried_where_no_mail_server_is_known() -> None:
    held = interviewed({**BACKUP, "--primary": ("10.0.0.1:2525",)}, names={})
    assert not any("Port 25" in text for text in (*held.notes, *held.warnings))
    assert "--smart-host" not in held.asked


# -- the second time


EARLIER = Answers(
    "mx9.example.net",
    "/var/lib/other",
    OWNER,
    (BackupAnswer("example.net", ("any",), (), (Entry("keep", '"90 days"'),)), BackupAnswer("example.org")),
    NewsletterAnswer("daily", "b@example.net", FEED["--feed"], "daily", "UTC", (Entry("approve", "true"),)),
    pages="none",
)


def test_a_second_interview_begins_with_the_answers_of_the_first() -> None:
    held = interviewed(names=None, earlier=EARLIER)
    assert held.missing == []
    assert held.answers == EARLIER


def test_a_domain_that_stays_keeps_what_was_set_for_it() -> None:
    held = interviewed({"--backup": ("example.com", "example.net")}, names=None, earlier=EARLIER)
    assert held.answers.backups == (BackupAnswer("example.com"), EARLIER.backups[0])


def test_none_for_the_feed_ends_the_newsletter() -> None:
    assert interviewed({"--feed": ()}, names=None, earlier=EARLIER).answers.newsletter is None

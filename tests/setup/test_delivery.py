"""Whether mail can come and go: each broken world is found by its own check, good ones cause no alarm.

A world is a dict from questions to answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest

from secondpost.config.records import Config
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.mail.article import FeedAnswered, FeedAsked, FeedRead, FeedUnreadable
from secondpost.mail.dns_questions import ZoneAnswer, ZoneOf
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.questions import AddressAnswer, Addresses, Finding, Mx, MxAnswer, MxRecord
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Extensions, Phase, RecipientResult
from secondpost.route.destination import ourselves
from secondpost.setup.block_lists import block_lists, examine_block_list
from secondpost.setup.certificate import CertificateFacts
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.leave_link import ONE_CLICK, examine_leave_link
from secondpost.setup.looks import (
    Look,
    Looking,
    PageLook,
    PageSeen,
    PageUnseen,
    ReadFeed,
    Seen,
    SmtpLook,
    SmtpLooks,
    SmtpSeen,
    TurnedAway,
    Unreached,
    Visited,
)
from secondpost.setup.newsletter_look import examine_newsletter
from secondpost.setup.own_mail import examine_owner_route, examine_smart_host
from secondpost.setup.primary_answers import StoredFacts
from secondpost.setup.primary_look import examine_primary
from secondpost.setup.reach import examine_port_in, examine_port_out
from secondpost.setup.resolver_look import examine_resolver
from secondpost.setup.trust_settings import Relay
from secondpost.world.ports import TlsFacts
from tests.setup.test_certificate import GOOD as CERTIFICATE
from tests.setup.test_machine import alarms, config

NET = Domain("example.net")
OWN_RESOLVER, SHARED_RESOLVER = Endpoint("127.0.0.1", 53), Endpoint("203.0.113.53", 53)
OWN, MX1, MX2, OWNERS = "192.0.2.2", "192.0.2.10", "2001:db8::10", "198.51.100.7"
RELAY = Relay("mx2.example.net", (OWN,))
SERVED = b"our certificate, as served"
TLS = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", SERVED)
OFFERS = Extensions(pipelining=True, size=True, size_max=35_000_000, smtputf8=True)
TAKEN = RecipientResult(Phase.RCPT, Reply.of(250, "2.1.5", "Ok"))
UNKNOWN = RecipientResult(Phase.RCPT, Reply.of(550, "5.1.1", "User unknown"))
POLICY = RecipientResult(Phase.RCPT, Reply.of(550, "5.7.1", "You are not allowed"))
LATER = RecipientResult(Phase.RCPT, Reply.of(451, "4.7.1", "Greylisted"))
NO_NULL = RecipientResult(Phase.MAIL, Reply.of(550, "5.1.8", "No null sender here"))
SILENT = Unreached("no answer in 8 s", is_silent=True)
REFUSED = Unreached("connection refused", is_silent=False)
GOOD = Visited(OFFERS, TLS)
MADE_UP = "q7m2"
ASKED = (Mailbox("postmaster", NET), Mailbox(MADE_UP, NET))
NEWSLETTER = """
[web]
url = "https://mx2.example.net"
[[newsletter]]
name = "weekly"
from = "newsletter@example.net"
feeds = ["https://www.example.net/feed.xml"]
postal_address = "1 High Street"
"""
FEED = "https://www.example.net/feed.xml"
PAGE = "https://mx2.example.net/weekly/"
LEAVE = "https://mx2.example.net/leave/t0k3n"
PUBLIC = "81.2.69.142"  # an address that is no example, since those count as private

Result = TypeVar("Result")
World = Mapping[Look | SmtpLook, Seen | SmtpSeen]

NAMES: World = {
    Mx(NET): MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.example"), MxRecord(20, "mx2.example.net"))),
    Mx(Domain("elsewhere.example")): MxAnswer(Finding.FOUND, (MxRecord(10, "mail.elsewhere.example"),)),
    Mx(Domain("mx2.example.net")): MxAnswer(Finding.NO_DATA),
    Addresses("mx1.example"): AddressAnswer(Finding.FOUND, (MX1, MX2)),
    Addresses("mx2.example.net"): AddressAnswer(Finding.FOUND, (OWN,)),
    Addresses("mail.elsewhere.example"): AddressAnswer(Finding.FOUND, (OWNERS,)),
    Addresses("smtp.provider.example"): AddressAnswer(Finding.FOUND, ("203.0.113.5",)),
    Addresses("a.root-servers.net"): AddressAnswer(Finding.FOUND, ("198.41.0.4",)),
    ZoneOf("com"): ZoneAnswer(Finding.FOUND, "com", is_validated=True),
    Addresses(f"{MADE_UP}.com"): AddressAnswer(Finding.NO_NAME),
}


def primary(address: str, recipients: tuple[Mailbox, ...] = ()) -> SmtpLook:
    return SmtpLook(Endpoint(address, 25), "mx1.example", recipients)


OWNERS_SERVER = SmtpLook(Endpoint(OWNERS, 25), "mail.elsewhere.example")
SMART_HOST = SmtpLook(Endpoint("203.0.113.5", 587), "smtp.provider.example")
OURSELVES = SmtpLook(Endpoint(OWN, 25), "mx2.example.net")
PAGES: World = {
    PageLook(PAGE): PageSeen(200, PAGE, is_ours=True),
    PageLook(LEAVE): PageSeen(200, LEAVE, is_ours=True),
    PageLook(LEAVE, ONE_CLICK): PageSeen(200, LEAVE, is_ours=True),
    ReadFeed(FeedAsked(FEED)): FeedAnswered(FeedRead("The Blog", "", ())),
}
WORLD: World = {
    **NAMES,
    **PAGES,
    primary(MX1): GOOD,
    primary(MX2): GOOD,
    primary(MX1, ASKED): replace(GOOD, answers=(TAKEN, UNKNOWN)),
    OWNERS_SERVER: GOOD,
    SMART_HOST: GOOD,
    OURSELVES: GOOD,
    SmtpLook(Endpoint(PUBLIC, 25), "mx2.example.net"): GOOD,
    **{
        Addresses(name): AddressAnswer(Finding.NO_NAME)
        for name in (
            "2.2.0.192.zen.spamhaus.org",
            "2.2.0.192.bl.spamcop.net",
            "2.2.0.192.b.barracudacentral.org",
            "example.net.dbl.spamhaus.org",
        )
    },
}


def seen_in(world: World, looking: Looking[Result]) -> Result:
    """Run with answers from a dict; several looks at once are answered one by one."""
    try:
        question = next(looking)
        while True:
            if isinstance(question, SmtpLooks):
                answers = tuple(
                    seen
                    for look in question.looks
                    if isinstance(seen := world[look], Unreached | TurnedAway | Visited)
                )
                assert len(answers) == len(question.looks)
                question = looking.send(answers)
            else:
                answer = world[question]
                assert not isinstance(answer, Unreached | TurnedAway | Visited)
                question = looking.send(answer)
    except StopIteration as stop:
        found: Result = stop.value
        return found


STORED = StoredFacts(recipients_learned=12, recipients_listed=1, held=3, oldest_ms=2 * HOUR_MS)
SERVED_FACTS = replace(CERTIFICATE, fingerprint=GOOD.certificate_fingerprint)
PLAIN = config()
WITH_TLS = replace(PLAIN, tls=replace(PLAIN.tls, certificate="/etc/mx2.pem", key="/etc/mx2.key"))
SMART = config(
    '[[route]]\ndomain = "*"\nlane = "issues"\nhost = "smtp.provider.example:587"\ntls = "verify"\n'
)
WRITES = config(NEWSLETTER)


def is_writing(settings: Config) -> bool:
    return len(settings.newsletters) > 0


def all_found(
    world: World,
    settings: Config = WITH_TLS,
    stored: StoredFacts = STORED,
    is_served: bool = True,
    certificate: CertificateFacts | None = SERVED_FACTS,
    servers: Sequence[Endpoint] = (OWN_RESOLVER,),
    machine: frozenset[str] = frozenset({OWN}),
) -> list[Diagnosis]:
    """What all examinations find in a world."""
    us = ourselves(settings, frozenset({OWN}))
    lookings = [
        examine_resolver(settings, servers, MADE_UP),
        examine_port_out(settings, us),
        examine_port_in(settings, frozenset(), is_served, certificate),
        *(examine_primary(settings, backup, us, RELAY, stored, MADE_UP) for backup in settings.backups),
        *(examine_owner_route(settings, owner.domain, us) for owner in settings.owner),
        *(examine_smart_host(settings, route, us) for route in settings.routes),
        *(
            examine_block_list(one, ("example.net",) if one.kind == "domain" else (OWN,))
            for one in block_lists()
        ),
        *(examine_newsletter(settings, newsletter, is_served) for newsletter in settings.newsletters),
        *([examine_leave_link(settings, "t0k3n", machine)] if is_served and is_writing(settings) else []),
    ]
    return [one for looking in lookings for one in seen_in(world, looking)]


LISTED = config('recipients = ["me@example.net"]\n')
NAMES_NO_SIZE: World = {primary(MX1): replace(GOOD, offers=Extensions())}
GOOD_WORLDS: dict[str, tuple[World, Config]] = {
    "a backup with a certificate": (WORLD, WITH_TLS),
    "with a smart host": (WORLD, SMART),
    "with a newsletter": (WORLD, WRITES),
    "with a list of recipients": (WORLD, LISTED),
    "a primary that names no size": ({**WORLD, **NAMES_NO_SIZE}, WITH_TLS),
    "a backup without a certificate": ({**WORLD, OURSELVES: Visited(OFFERS)}, PLAIN),
}


@pytest.mark.parametrize("name", GOOD_WORLDS)
def test_a_good_set_up_causes_no_alarm(name: str) -> None:
    world, settings = GOOD_WORLDS[name]
    assert alarms(all_found(world, settings)) == []


@dataclass(frozen=True)
class Broken:
    """A world in which one thing is wrong: what differs from WORLD, and what has to be found."""

    changes: World
    check: Check
    grade: Grade
    remedy: str
    settings: Config = WITH_TLS
    stored: StoredFacts = STORED
    is_served: bool = True
    certificate: CertificateFacts | None = SERVED_FACTS
    servers: Sequence[Endpoint] = (OWN_RESOLVER,)
    machine: frozenset[str] = frozenset({OWN})

    def found(self) -> list[Diagnosis]:
        world = {**WORLD, **self.changes}
        return all_found(
            world,
            self.settings,
            self.stored,
            self.is_served,
            self.certificate,
            self.servers,
            self.machine,
        )


BROKEN = {
    "the resolver is silent": Broken(
        {
            Addresses("a.root-servers.net"): AddressAnswer(Finding.FAILED),
            Mx(Domain("mx2.example.net")): MxAnswer(Finding.FAILED),
        },
        Check.RESOLVER,
        Grade.FAULT,
        "apt-get install unbound",
    ),
    "the resolver invents names": Broken(
        {Addresses(f"{MADE_UP}.com"): AddressAnswer(Finding.FOUND, ("192.0.2.99",))},
        Check.RESOLVER_TRUTH,
        Grade.FAULT,
        "apt-get install unbound",
    ),
    "the resolver is shared": Broken(
        {}, Check.RESOLVER_PLACE, Grade.NOTE, "apt-get install unbound", servers=(SHARED_RESOLVER,)
    ),
    "the resolver does not validate": Broken(
        {ZoneOf("com"): ZoneAnswer(Finding.FOUND, "com")},
        Check.RESOLVER_DNSSEC,
        Grade.NOTE,
        "apt-get install unbound",
    ),
    "port 25 is closed outward": Broken(
        {primary(MX1): SILENT, primary(MX2): SILENT, OWNERS_SERVER: SILENT},
        Check.PORT_25_OUT,
        Grade.FAULT,
        'host = "smtp.provider.example:587"',
    ),
    "nothing can be reached on port 25": Broken(
        {primary(MX1): REFUSED, primary(MX2): SILENT, OWNERS_SERVER: REFUSED},
        Check.PORT_25_OUT,
        Grade.WARNING,
        'lane = "relay"',
    ),
    "the service does not run": Broken({}, Check.PORT_25_IN, Grade.NOTE, "secondpost serve", is_served=False),
    "the service does not run, and so has no pages": Broken(
        {
            PageLook(PAGE): PageUnseen("connection refused"),
            PageLook(LEAVE): PageUnseen("connection refused"),
        },
        Check.SIGN_UP_PAGE,
        Grade.NOTE,
        "secondpost serve",
        WRITES,
        is_served=False,
    ),
    "no sender finds this server": Broken(
        {Addresses("mx2.example.net"): AddressAnswer(Finding.NO_NAME)},
        Check.PORT_25_IN,
        Grade.FAULT,
        "make A and AAAA records of mx2.example.net",
    ),
    "port 25 cannot be seen from inside": Broken(
        {OURSELVES: SILENT}, Check.PORT_25_IN, Grade.NOTE, f"nc -vz {OWN} 25"
    ),
    "no STARTTLS reaches the senders": Broken(
        {OURSELVES: Visited(OFFERS)},
        Check.OWN_STARTTLS,
        Grade.FAULT,
        "a firewall in between takes STARTTLS away",
    ),
    "an old certificate is served": Broken(
        {},
        Check.OWN_STARTTLS,
        Grade.WARNING,
        "secondpost reload",
        certificate=replace(CERTIFICATE, fingerprint="00"),
    ),
    "the primary is down": Broken(
        {primary(MX1): REFUSED, primary(MX2): REFUSED},
        Check.PRIMARY_REACHABLE,
        Grade.FAULT,
        "look at its firewall",
    ),
    "no IPv6 to the primary": Broken(
        {primary(MX2): SILENT}, Check.PRIMARY_REACHABLE, Grade.NOTE, "ip -6 route show default"
    ),
    "one address of the primary is down": Broken(
        {primary(MX1): REFUSED, primary(MX2, ASKED): WORLD[primary(MX1, ASKED)]},
        Check.PRIMARY_REACHABLE,
        Grade.WARNING,
        "the other hosts take the mail",
    ),
    "the primary's domain is gone": Broken(
        {Mx(NET): MxAnswer(Finding.NO_NAME)},
        Check.PRIMARY_REACHABLE,
        Grade.FAULT,
        'primary = ["mx1.provider.example"] in the [[backup]] of example.net',
    ),
    "the primary offers no STARTTLS": Broken(
        {primary(MX1): Visited(OFFERS)}, Check.PRIMARY_TLS, Grade.WARNING, "give mx1.example a certificate"
    ),
    "the primary's STARTTLS is broken": Broken(
        {primary(MX1): Visited(OFFERS, distrust="no shared cipher")},
        Check.PRIMARY_TLS,
        Grade.WARNING,
        "give mx1.example a certificate",
    ),
    "the primary's certificate is of no authority": Broken(
        {primary(MX1): replace(GOOD, distrust="self-signed certificate")},
        Check.PRIMARY_TLS,
        Grade.NOTE,
        "give mx1.example a certificate of an authority",
    ),
    "the primary refuses us by policy": Broken(
        {primary(MX1, ASKED): replace(GOOD, answers=(POLICY, POLICY))},
        Check.PRIMARY_TRUST,
        Grade.FAULT,
        f"for them: {OWN}",
    ),
    "the primary turns us away": Broken(
        {
            primary(MX2, ASKED): WORLD[primary(MX1, ASKED)],
            primary(MX1): TurnedAway(Reply.of(554, "5.7.1", "Go away")),
        },
        Check.PRIMARY_TRUST,
        Grade.FAULT,
        f"for them: {OWN}",
    ),
    "the primary refuses the null sender": Broken(
        {primary(MX1, ASKED): replace(GOOD, answers=(NO_NULL, NO_NULL))},
        Check.PRIMARY_TRUST,
        Grade.FAULT,
        f"for them: {OWN}",
    ),
    "the primary has no postmaster": Broken(
        {primary(MX1, ASKED): replace(GOOD, answers=(UNKNOWN, UNKNOWN))},
        Check.PRIMARY_TRUST,
        Grade.WARNING,
        "make postmaster@example.net at mx1.example",
    ),
    "the primary greylists us": Broken(
        {primary(MX1, ASKED): replace(GOOD, answers=(LATER, LATER))},
        Check.PRIMARY_TRUST,
        Grade.NOTE,
        f"for them: {OWN}",
    ),
    "the primary takes every address": Broken(
        {primary(MX1, ASKED): replace(GOOD, answers=(TAKEN, TAKEN))},
        Check.PRIMARY_CATCH_ALL,
        Grade.WARNING,
        'recipients = ["file:/etc/secondpost/example.net"]',
    ),
    "no recipient is known": Broken(
        {},
        Check.RECIPIENTS_KNOWN,
        Grade.NOTE,
        'recipients = ["learn", "file:/etc/secondpost/example.net"]',
        stored=replace(STORED, recipients_learned=0, recipients_listed=0),
    ),
    "mail has waited for days": Broken(
        {},
        Check.HELD_MAIL,
        Grade.WARNING,
        "secondpost held list --domain example.net",
        stored=replace(STORED, oldest_ms=3 * DAY_MS),
    ),
    "mail is nearly too old": Broken(
        {}, Check.HELD_MAIL, Grade.FAULT, "keep = longer", stored=replace(STORED, oldest_ms=29 * DAY_MS)
    ),
    "the owner's domain is gone": Broken(
        {Mx(Domain("elsewhere.example")): MxAnswer(Finding.NO_NAME)},
        Check.OWNER_ROUTE,
        Grade.FAULT,
        "write an address at another provider into `owner`",
    ),
    "the owner's server is down": Broken(
        {OWNERS_SERVER: REFUSED},
        Check.OWNER_ROUTE,
        Grade.FAULT,
        "write an address at another provider into `owner`",
    ),
    "the smart host is down": Broken(
        {SMART_HOST: SILENT}, Check.SMART_HOST, Grade.FAULT, "ask its provider", settings=SMART
    ),
    "the smart host does not prove who it is": Broken(
        {SMART_HOST: replace(GOOD, distrust="hostname mismatch")},
        Check.SMART_HOST,
        Grade.FAULT,
        "write the name in its certificate as host",
        settings=SMART,
    ),
    "the smart host offers no STARTTLS": Broken(
        {SMART_HOST: Visited(OFFERS)},
        Check.SMART_HOST,
        Grade.FAULT,
        "ask its provider for the port with STARTTLS",
        settings=SMART,
    ),
    "the smart host does not resolve": Broken(
        {Addresses("smtp.provider.example"): AddressAnswer(Finding.NO_NAME)},
        Check.SMART_HOST,
        Grade.FAULT,
        "correct host in the [[route]]",
        settings=SMART,
    ),
    "our address is on a block list": Broken(
        {Addresses("2.2.0.192.zen.spamhaus.org"): AddressAnswer(Finding.FOUND, ("127.0.0.4", "127.0.0.11"))},
        Check.BLOCK_LIST,
        Grade.FAULT,
        "have it lifted: https://check.spamhaus.org/",
    ),
    "the block list refuses the resolver": Broken(
        {Addresses("2.2.0.192.zen.spamhaus.org"): AddressAnswer(Finding.FOUND, ("127.255.255.254",))},
        Check.BLOCK_LIST,
        Grade.NOTE,
        "apt-get install unbound",
    ),
    "a block list that is gone lists the world": Broken(
        {Addresses("2.2.0.192.bl.spamcop.net"): AddressAnswer(Finding.FOUND, ("192.0.2.80",))},
        Check.BLOCK_LIST,
        Grade.NOTE,
        "apt-get install unbound",
    ),
    "our domain is on a block list": Broken(
        {Addresses("example.net.dbl.spamhaus.org"): AddressAnswer(Finding.FOUND, ("127.0.1.2",))},
        Check.BLOCK_LIST,
        Grade.FAULT,
        "have it lifted: https://check.spamhaus.org/",
    ),
    "the pages cannot be opened": Broken(
        {PageLook(PAGE): PageUnseen("certificate has expired")},
        Check.SIGN_UP_PAGE,
        Grade.FAULT,
        "ports 443 and 80 of https://mx2.example.net must lead to this server",
        settings=WRITES,
    ),
    "another program answers": Broken(
        {PageLook(PAGE): PageSeen(200, PAGE, is_ours=False)},
        Check.SIGN_UP_PAGE,
        Grade.FAULT,
        "ports 443 and 80",
        settings=WRITES,
    ),
    "the service does not know the newsletter": Broken(
        {PageLook(PAGE): PageSeen(404, PAGE, is_ours=True)},
        Check.SIGN_UP_PAGE,
        Grade.FAULT,
        "secondpost reload",
        settings=WRITES,
    ),
    "one click is redirected": Broken(
        {PageLook(LEAVE, ONE_CLICK): PageSeen(301, LEAVE, is_ours=False)},
        Check.LEAVE_LINK,
        Grade.FAULT,
        "pass POST requests below /leave/ unchanged",
        settings=WRITES,
    ),
    "one click is refused": Broken(
        {PageLook(LEAVE, ONE_CLICK): PageSeen(403, LEAVE, is_ours=False)},
        Check.LEAVE_LINK,
        Grade.FAULT,
        "pass POST requests below /leave/ unchanged",
        settings=WRITES,
    ),
    "one click breaks off": Broken(
        {PageLook(LEAVE, ONE_CLICK): PageUnseen("the connection was reset")},
        Check.LEAVE_LINK,
        Grade.FAULT,
        "pass POST requests below /leave/ unchanged",
        settings=WRITES,
    ),
    "the page for leaving is not there": Broken(
        {PageLook(LEAVE): PageSeen(404, LEAVE, is_ours=True)},
        Check.LEAVE_LINK,
        Grade.FAULT,
        "secondpost reload",
        settings=WRITES,
    ),
    "the certificate of the pages has another name": Broken(
        {PageLook(LEAVE): PageUnseen("hostname mismatch")},
        Check.LEAVE_LINK,
        Grade.FAULT,
        "ports 443 and 80 of https://mx2.example.net must lead to this server",
        settings=WRITES,
    ),
    "another program answers those who leave": Broken(
        {PageLook(LEAVE): PageSeen(200, LEAVE, is_ours=False)},
        Check.LEAVE_LINK,
        Grade.FAULT,
        "ports 443 and 80",
        settings=WRITES,
    ),
    "the link to leave is behind a proxy that is down": Broken(
        {PageLook("https://mx2.example.net/leave/t0k3n"): PageUnseen("connection refused")},
        Check.LEAVE_LINK,
        Grade.FAULT,
        "let the web server for https://mx2.example.net pass all requests to 127.0.0.1:8025",
        settings=config(NEWSLETTER.replace("[[news", 'listen = ["127.0.0.1:8025"]\n[[news')),
    ),
    "from behind its router a server does not see its own pages": Broken(
        {
            Addresses("mx2.example.net"): AddressAnswer(Finding.FOUND, (PUBLIC,)),
            PageLook(LEAVE): PageUnseen("connection refused"),
        },
        Check.LEAVE_LINK,
        Grade.NOTE,
        "from another network: open https://mx2.example.net",
        settings=WRITES,
        machine=frozenset({"192.168.1.10", "127.0.0.1"}),
    ),
    "from behind its router a server sees the router's own page": Broken(
        {
            Addresses("mx2.example.net"): AddressAnswer(Finding.FOUND, (PUBLIC,)),
            PageLook(LEAVE): PageSeen(401, LEAVE, is_ours=False),
        },
        Check.LEAVE_LINK,
        Grade.NOTE,
        "from another network",
        settings=WRITES,
        machine=frozenset({"192.168.1.10"}),
    ),
    "with an address of its own a server sees whether its pages can be opened": Broken(
        {
            Addresses("mx2.example.net"): AddressAnswer(Finding.FOUND, (PUBLIC,)),
            PageLook(LEAVE): PageUnseen("connection refused"),
        },
        Check.LEAVE_LINK,
        Grade.FAULT,
        "ports 443 and 80",
        settings=WRITES,
        machine=frozenset({PUBLIC}),
    ),
    "names do not answer": Broken(
        {Addresses("mx2.example.net"): AddressAnswer(Finding.FAILED)},
        Check.DNS_ANSWERS,
        Grade.WARNING,
        "Try again in a minute",
        settings=WRITES,
    ),
    "the feed is gone": Broken(
        {ReadFeed(FeedAsked(FEED)): FeedAnswered(FeedUnreadable("There is no feed."))},
        Check.FEED,
        Grade.FAULT,
        f"open {FEED} in a browser",
        settings=WRITES,
    ),
    "no postal address": Broken(
        {},
        Check.POSTAL_ADDRESS,
        Grade.NOTE,
        'postal_address = "…"',
        settings=config(NEWSLETTER.replace('postal_address = "1 High Street"', "")),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_set_up_is_found_by_its_own_check_with_its_remedy(name: str) -> None:
    broken = BROKEN[name]
    found = [one for one in alarms(broken.found()) if one.check is broken.check]
    assert [one.grade for one in found] == [broken.grade]
    assert broken.remedy in found[0].remedy
    assert found[0].text.endswith(".")


def test_nothing_else_is_blamed_for_a_policy_of_the_primary() -> None:
    world = {**WORLD, primary(MX1, ASKED): replace(GOOD, answers=(POLICY, POLICY))}
    assert {one.check for one in alarms(all_found(world))} == {Check.PRIMARY_TRUST}


def test_the_setting_of_a_primary_that_is_recognised_is_named() -> None:
    google = "aspmx.l.google.com"
    host = SmtpLook(Endpoint(MX1, 25), google)
    world = {
        **WORLD,
        Mx(NET): MxAnswer(Finding.FOUND, (MxRecord(10, google), MxRecord(20, "mx2.example.net"))),
        Addresses(google): AddressAnswer(Finding.FOUND, (MX1,)),
        host: GOOD,
        replace(host, recipients=ASKED): replace(GOOD, answers=(POLICY, POLICY)),
    }
    [found] = alarms(all_found(world))
    assert f"Gateway IPs: {OWN}" in found.remedy


def test_a_smart_host_with_a_login_is_not_asked_about_recipients(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse\n")
    route = f'''[[route]]
domain = "example.net"
lane = "relay"
host = "smtp.provider.example:587"
tls = "verify"
username = "me"
password_file = "{tmp_path / "password"}"
'''
    assert alarms(all_found(WORLD, config(route))) == []


def test_an_address_of_this_machine_that_does_not_answer_is_a_fault() -> None:
    looking = examine_port_in(WITH_TLS, frozenset({OWN}), True, SERVED_FACTS)
    [found] = seen_in({**WORLD, OURSELVES: REFUSED}, looking)
    assert (found.check, found.grade) == (Check.PORT_25_IN, Grade.FAULT)


def test_an_ipv6_address_is_looked_up_by_its_nibbles() -> None:
    zen = block_lists()[0]
    name = f"{'0.1.' + '0.' * 22}8.b.d.0.1.0.0.2.zen.spamhaus.org"
    [found] = seen_in(
        {Addresses(name): AddressAnswer(Finding.FOUND, ("127.0.0.3",))}, examine_block_list(zen, (MX2,))
    )
    assert (found.grade, found.subject) == (Grade.FAULT, MX2)

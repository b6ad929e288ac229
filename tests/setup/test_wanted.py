"""The records that are needed, in their order, and the snippet that dnspython's zone parser reads."""

from dataclasses import replace

import dns.rdatatype
import dns.zone
from dns.rdtypes.ANY.TXT import TXT

from secondpost.config.records import Backup, Config, Newsletter, Route, Web
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.mail.dns_questions import CaaRecord, StsPolicyAnswer
from secondpost.mail.envelope import Lane
from secondpost.mail.questions import Finding, MxAnswer, MxRecord
from secondpost.protocols.mta_sts import parse_policy
from secondpost.setup.facts import DkimKey, Facts, Signing, StsFound
from secondpost.setup.records import PublishedBy, Turn, WantedRecord, zone_snippet
from secondpost.setup.wanted import records_wanted

HOST, NET, BOUNCES = Domain("mx2.example.net"), Domain("example.net"), Domain("bounce.example.net")
KEYS = (
    DkimKey("sp-rsa", f"v=DKIM1; k=rsa; p={'A' * 392}"),
    DkimKey("sp-ed", "v=DKIM1; k=ed25519; p=BBBB"),
)
FEED = ("https://www.example.net/feed",)
FACTS = Facts(
    addresses=("192.0.2.25", "2001:db8::25"),
    tls_key="ab" * 32,
    mx={NET: MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.example.net"), MxRecord(30, "mx3.example.net")))},
)
SOA = "example.net. 3600 IN SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 120\n"
NS = "example.net. 3600 IN NS ns.example.net.\n"


def config(
    bounces: Domain = BOUNCES,
    routes: tuple[Route, ...] = (),
    primary: tuple[Endpoint, ...] = (),
    url: str | None = "https://news.example.net",
) -> Config:
    return Config(
        path="secondpost.toml",
        hostname=HOST,
        store="/var/lib/secondpost",
        owner=(Mailbox.parse("me@elsewhere.example"),),
        bounces=bounces,
        web=Web(url=url),
        backups=(Backup(NET, primary=primary),),
        routes=routes,
        newsletters=(
            Newsletter("weekly", "The Blog <newsletter@example.net>", FEED),
            Newsletter("daily", "daily@example.net", FEED),
        ),
    )


def lines(records: tuple[WantedRecord, ...]) -> list[str]:
    return [f"{record.name} {record.type} {record.value}" for record in records]


def named(records: tuple[WantedRecord, ...], name: str, kind: str) -> list[WantedRecord]:
    return [record for record in records if (record.name, record.type) == (name, kind)]


def test_all_records_in_their_order() -> None:
    records = records_wanted(config(), KEYS, FACTS)
    assert [
        f"{record.turn.number} {record.name} {record.type} {record.value[:30]}" for record in records
    ] == [
        "1 mx2.example.net A 192.0.2.25",
        "1 mx2.example.net AAAA 2001:db8::25",
        "1 25.2.0.192.in-addr.arpa PTR mx2.example.net.",
        f"1 5.2.0.0.{'0.' * 20}8.b.d.0.1.0.0.2.ip6.arpa PTR mx2.example.net.",
        "1 news.example.net A 192.0.2.25",
        "1 news.example.net AAAA 2001:db8::25",
        "1 mx2.example.net TXT v=spf1 a -all",
        "1 sp-rsa._domainkey.mx2.example.net TXT v=DKIM1; k=rsa; p=AAAAAAAAAAAA",
        "1 sp-ed._domainkey.mx2.example.net TXT v=DKIM1; k=ed25519; p=BBBB",
        "2 bounce.example.net MX 10 mx2.example.net.",
        "2 bounce.example.net TXT v=spf1 mx -all",
        "2 sp-rsa._domainkey.example.net TXT v=DKIM1; k=rsa; p=AAAAAAAAAAAA",
        "2 sp-ed._domainkey.example.net TXT v=DKIM1; k=ed25519; p=BBBB",
        "2 _dmarc.example.net TXT v=DMARC1; p=none",
        "4 example.net MX 40 mx2.example.net.",
        "4 _smtp._tls.example.net TXT v=TLSRPTv1; rua=mailto:me@else",
    ]


def test_the_snippet_is_a_zone_file_and_says_the_same() -> None:
    records = records_wanted(config(), KEYS, FACTS)
    zone = dns.zone.from_text(SOA + NS + zone_snippet(records), origin="example.net.", relativize=False)
    for record in records:
        if record.by is PublishedBy.ZONE:
            found = zone.get_rdataset(f"{record.name}.", record.type)
            assert found is not None, record
            texts = {_value(rdata) for rdata in found}
            assert record.value in texts, record
    assert "; where the machine is rented: 25.2.0.192.in-addr.arpa. 3600 IN PTR mx2.example.net." in (
        zone_snippet(records).splitlines()
    )


def _value(rdata: dns.rdata.Rdata) -> str:
    if isinstance(rdata, TXT):
        return b"".join(rdata.strings).decode()
    return rdata.to_text()


def test_a_text_with_quotes_and_other_letters_survives_the_zone_file() -> None:
    text = 'say "ü" \\ ' + "é" * 200
    record = WantedRecord("odd.example.net", "TXT", text, "", Turn.HOST)
    zone = dns.zone.from_text(SOA + NS + zone_snippet((record,)), origin="example.net.", relativize=False)
    found = zone.get_rdataset("odd.example.net.", "TXT")
    assert found is not None
    assert [_value(rdata) for rdata in found] == [text]


def test_a_place_that_is_right_stays_as_it_is() -> None:
    mx = MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.example.net"), MxRecord(77, "mx2.example.net")))
    records = records_wanted(config(), KEYS, Facts(mx={NET: mx}))
    assert [record.value for record in named(records, "example.net", "MX")] == ["77 mx2.example.net."]


def test_an_equal_preference_becomes_a_worse_one() -> None:
    mx = MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.example.net"), MxRecord(10, "mx2.example.net")))
    records = records_wanted(config(), KEYS, Facts(mx={NET: mx}))
    assert [record.value for record in named(records, "example.net", "MX")] == ["20 mx2.example.net."]


def test_no_number_is_worse_than_the_worst() -> None:
    mx = MxAnswer(Finding.FOUND, (MxRecord(65_535, "mx1.example.net"),))
    [ours] = named(records_wanted(config(), KEYS, Facts(mx={NET: mx})), "example.net", "MX")
    assert "mx1.example.net (65535), which must get a number below 65535 first" in ours.why


def test_without_any_mail_host_the_primary_comes_first() -> None:
    nothing = Facts(mx={NET: MxAnswer(Finding.NO_DATA)})
    [ours] = named(records_wanted(config(), KEYS, nothing), "example.net", "MX")
    assert ours.value == "20 mx2.example.net."
    assert "needs an MX record with a number below 20" in ours.why
    known = config(primary=(Endpoint("mail.provider.example", 25), Endpoint("192.0.2.1", 25)))
    records = named(records_wanted(known, KEYS, nothing), "example.net", "MX")
    assert [record.value for record in records] == ["10 mail.provider.example.", "20 mx2.example.net."]


def test_with_bounces_at_the_hostname_one_spf_record_is_enough() -> None:
    records = records_wanted(config(bounces=HOST), KEYS, FACTS)
    assert [line for line in lines(records) if "v=spf1" in line] == ["mx2.example.net TXT v=spf1 a -all"]
    routes = (Route(None, Lane.ISSUES, Endpoint("smtp.provider.example", 587)),)
    [spf] = named(records_wanted(config(bounces=HOST, routes=routes), KEYS, FACTS), HOST.name, "TXT")
    assert spf.value == "v=spf1 a ~all"


def test_a_sender_at_the_hostname_needs_its_keys_once() -> None:
    newsletter = Newsletter("weekly", "hello@mx2.example.net", FEED)
    records = records_wanted(replace(config(), newsletters=(newsletter,)), KEYS, FACTS)
    assert len(lines(records)) == len(set(lines(records)))
    [key] = named(records, "sp-rsa._domainkey.mx2.example.net", "TXT")
    assert key.turn is Turn.HOST


def test_a_smart_hosts_addresses_are_the_owners_to_add() -> None:
    routes = (Route(None, Lane.ISSUES, Endpoint("smtp.provider.example", 587)),)
    [spf] = named(records_wanted(config(routes=routes), KEYS, FACTS), "bounce.example.net", "TXT")
    assert spf.value == "v=spf1 mx ~all"
    assert "add the include that smtp.provider.example names" in spf.why


def test_tlsa_only_in_a_signed_zone() -> None:
    name = "_25._tcp.mx2.example.net"
    for signing in Signing:
        facts = Facts(tls_key="ab" * 32, host_signing=signing)
        records = named(records_wanted(config(), KEYS, facts), name, "TLSA")
        expected = [f"3 1 1 {'ab' * 32}"] if signing.is_signed else []
        assert [record.value for record in records] == expected
    assert named(records_wanted(config(), KEYS, Facts(host_signing=Signing.VALIDATED)), name, "TLSA") == []


def test_caa_only_if_those_there_forbid_the_authority() -> None:
    there = (
        CaaRecord(0, "issue", "other.example; validationmethods=dns-01"),
        CaaRecord(0, "iodef", "mailto:x"),
    )
    facts = Facts(authority="letsencrypt.org", caa=there, caa_name="example.net")
    [record] = named(records_wanted(config(), KEYS, facts), "example.net", "CAA")
    assert record.value == '0 issue "letsencrypt.org"'
    for allowed in ((), (CaaRecord(0, "issuewild", ";"),), (CaaRecord(0, "issue", "letsencrypt.org"),)):
        facts = Facts(authority="letsencrypt.org", caa=allowed, caa_name="example.net")
        assert named(records_wanted(config(), KEYS, facts), "example.net", "CAA") == []


def test_the_policy_names_the_backup_before_the_mail_host_record() -> None:
    policy = "version: STSv1\nmode: enforce\nmx: mx1.example.net\nmax_age: 86400\n"
    sts = {NET: StsFound(("v=STSv1; id=20260101;",), StsPolicyAnswer(policy))}
    records = records_wanted(config(), KEYS, Facts(mx=FACTS.mx, sts=sts))
    of_policy = [record for record in records if record.turn is Turn.POLICIES]
    assert [record.name for record in of_policy] == [
        "https://mta-sts.example.net/.well-known/mta-sts.txt",
        "_mta-sts.example.net",
    ]
    assert parse_policy(of_policy[0].value).hosts == ("mx1.example.net", "mx2.example.net")
    assert of_policy[1].value == "v=STSv1; id=20260102"
    places = [record.turn for record in records]
    assert places.index(Turn.POLICIES) < places.index(Turn.BACKUP)


def test_a_policy_that_names_the_backup_stays() -> None:
    policy = "version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 86400\n"
    sts = {NET: StsFound(("v=STSv1; id=1",), StsPolicyAnswer(policy))}
    records = records_wanted(config(), KEYS, Facts(sts=sts))
    assert [record for record in records if record.turn is Turn.POLICIES] == []


def test_a_policy_that_cannot_be_fetched_is_written_anew() -> None:
    sts = {NET: StsFound(("v=STSv1",), StsPolicyAnswer("", "the certificate is wrong"))}
    records = records_wanted(config(), KEYS, Facts(mx=FACTS.mx, sts=sts))
    [policy, identity] = [record for record in records if record.turn is Turn.POLICIES]
    assert parse_policy(policy.value).hosts == ("mx1.example.net", "mx3.example.net", "mx2.example.net")
    assert identity.value == "v=STSv1; id=1"

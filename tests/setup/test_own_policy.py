"""Which MTA-STS policies are served here, what they say, and when their ids change."""

import pytest

from secondpost.config.reading import parse_config
from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.questions import Finding, Mx, MxAnswer, MxRecord, NameAnswer, NameQuestion
from secondpost.mail.sts_policy import StsMode, policy_file
from secondpost.protocols.mta_sts import Policy, parse_id, parse_policy
from secondpost.setup.certificate_names import certificate_names
from secondpost.setup.own_policy import ask_policy, policy_id
from secondpost.setup.wanted import policy_domains
from secondpost.world.asking import answer_from

CONFIG = """\
version = 3
hostname = "mx2.example.net"
store = "/var/lib/secondpost"
owner = ["me@elsewhere.example"]
[tls]
{tls}
[[backup]]
domain = "example.org"
primary = ["mx1.provider.example"]
"""
NEWSLETTER = """\
[[newsletter]]
name = "weekly"
from = "The Blog <newsletter@example.com>"
feeds = ["https://example.com/feed.xml"]
"""
ACME = 'acme = "me@example.net"'
US = "mx2.example.net"
BACKUP, SENDER, HOST = Domain("example.org"), Domain("example.com"), Domain("mx2.example.net")


def config(tls: str = ACME, more: str = "") -> Config:
    return parse_config((CONFIG.format(tls=tls) + more).encode(), "secondpost.toml")


def found(*hosts: tuple[int, str]) -> MxAnswer:
    return MxAnswer(Finding.FOUND, tuple(MxRecord(preference, host) for preference, host in hosts))


def asked(of: Config, domain: Domain, answer: MxAnswer) -> Policy | None:
    world: dict[NameQuestion, NameAnswer] = {Mx(domain): answer}
    return answer_from(world, ask_policy(of, domain))


def hosts(domain: Domain, answer: MxAnswer, of: Config | None = None) -> tuple[str, ...] | None:
    """The hosts of the policy, with DNS as it is; None if there is no policy."""
    of = config(more=NEWSLETTER) if of is None else of
    policy = asked(of, domain, answer)
    return None if policy is None else policy.hosts


@pytest.mark.parametrize(
    ("tls", "mode"),
    [
        ("", None),
        ('certificate = "a"\nkey = "b"', None),
        (ACME, StsMode.TESTING),
        (f'{ACME}\nmta_sts = "enforce"', StsMode.ENFORCE),
        ('mta_sts = "testing"', StsMode.TESTING),
    ],
)
def test_policies_are_served_with_acme_or_when_the_owner_says_so(tls: str, mode: StsMode | None) -> None:
    text = (CONFIG.format(tls=tls) + NEWSLETTER).encode()
    it = parse_config(text, "secondpost.toml", are_files_checked=False)
    assert it.policy_mode is mode
    assert policy_domains(it) == (() if mode is None else (BACKUP, HOST, SENDER))
    assert it.has_web
    without = parse_config(CONFIG.format(tls=tls).encode(), "secondpost.toml", are_files_checked=False)
    assert policy_domains(without) == (() if mode is None else (BACKUP,))
    assert without.has_web == (mode is not None)


def test_a_policy_names_us_before_our_record_is_published_and_not_twice_afterwards() -> None:
    before = found((20, "b.provider.example"), (10, "a.provider.example"))
    assert hosts(BACKUP, before) == ("a.provider.example", "b.provider.example", US)
    after = found((30, US), (20, "b.provider.example"), (10, "a.provider.example"))
    assert hosts(BACKUP, after) == hosts(BACKUP, before)


@pytest.mark.parametrize(
    "answer",
    [MxAnswer(Finding.FAILED), MxAnswer(Finding.NO_NAME), MxAnswer(Finding.NO_DATA), found((10, US)),
     found((0, "."))],
)  # fmt: skip
def test_while_the_primary_is_not_known_no_policy_names_us_alone(answer: MxAnswer) -> None:
    assert hosts(BACKUP, answer) is None


def test_the_policy_of_our_own_name_names_us_and_a_senders_only_its_hosts() -> None:
    assert hosts(HOST, MxAnswer(Finding.NO_DATA)) == (US,)
    assert hosts(HOST, MxAnswer(Finding.FAILED)) is None
    assert hosts(SENDER, found((10, "mail.example.com"))) == ("mail.example.com",)


def test_the_id_changes_with_the_policy_and_only_then() -> None:
    def text(mode: str, *mx: tuple[int, str]) -> str:
        of = config(f'{ACME}\nmta_sts = "{mode}"')
        policy = asked(of, BACKUP, found(*mx))
        assert policy is not None
        assert parse_policy(policy.text) == policy
        return policy.text

    one = text("testing", (10, "a.example"), (20, "b.example"))
    assert policy_id(one) == policy_id(text("testing", (20, "b.example"), (10, "a.example")))
    others = {text("enforce", (10, "a.example"), (20, "b.example")), text("testing", (10, "a.example")),
              text("none", (10, "a.example"))}  # fmt: skip
    assert len({policy_id(each) for each in (one, *others)}) == 4
    assert parse_id(f"v=STSv1; id={policy_id(one)}") == policy_id(one)
    assert "mx:" not in text("none", (10, "a.example"))


def test_the_certificate_is_for_the_hosts_of_the_policies_that_are_served() -> None:
    named = certificate_names(config(more=NEWSLETTER))
    assert named == (US, "mta-sts.example.org", f"mta-sts.{US}", "mta-sts.example.com")


def test_a_policy_has_a_file_of_its_own_below_the_store() -> None:
    assert policy_file(BACKUP) == "policies/example.org.txt"

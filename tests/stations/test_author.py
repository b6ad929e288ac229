"""When a message is refused because its author's domain asks for it."""

from dataclasses import replace

import pytest
from msgspec import structs

from secondpost.config.records import Backup
from secondpost.mail.address import Domain
from secondpost.mail.authentication import (
    ArcFound,
    Authentication,
    AuthResult,
    DkimFound,
    DmarcFound,
    DmarcPolicy,
    SpfFound,
    SpfIdentity,
)
from secondpost.mail.verdict import ACCEPT, Defer, Reject
from secondpost.policy.author import judge_author
from secondpost.policy.known import AtContent, AtHello
from tests.stations.known import AT_CONTENT, AT_MAIL

ENFORCES = Backup(
    Domain("example.net"), enforce_dmarc=True, trusted_sealers=(Domain("list.example"), Domain("mx.example"))
)
RECORDS = Backup(Domain("example.org"))
SPF = SpfFound(AuthResult.FAIL, SpfIdentity.MAILFROM, "a@bank.example", "bank.example")
DKIM = DkimFound(AuthResult.FAIL, "bank.example", "s", "rsa-sha256", "abc")
FORGED = Authentication(
    SPF,
    (DKIM,),
    DmarcFound(AuthResult.FAIL, "bank.example", DmarcPolicy.REJECT),
    ArcFound(AuthResult.NONE),
)


def at(found: Authentication | None, *backups: Backup, address: str = "192.0.2.1") -> AtContent:
    mail = structs.replace(AT_MAIL, hello=AtHello(address, "client.example"))
    return structs.replace(AT_CONTENT, mail=mail, backups=backups, authentication=found)


def test_a_forgery_is_refused_where_all_recipients_domains_enforce_it() -> None:
    verdict = judge_author(at(FORGED, ENFORCES))
    assert isinstance(verdict, Reject)
    assert str(verdict.reply).startswith("550 5.7.26 bank.example asks to refuse")
    assert judge_author(at(FORGED, ENFORCES, RECORDS)) is ACCEPT
    assert judge_author(at(FORGED, RECORDS)) is ACCEPT
    assert judge_author(at(None, ENFORCES)) is ACCEPT


DOUBTS = {
    "its policy is quarantine": replace(
        FORGED, dmarc=DmarcFound(AuthResult.FAIL, "bank.example", DmarcPolicy.QUARANTINE)
    ),
    "it passes": replace(FORGED, dmarc=DmarcFound(AuthResult.PASS, "bank.example", DmarcPolicy.REJECT)),
    "DNS gave no policy": replace(
        FORGED, dmarc=DmarcFound(AuthResult.TEMPERROR, "bank.example", DmarcPolicy.REJECT)
    ),
    "a chain of seals passes": replace(FORGED, arc=ArcFound(AuthResult.PASS, 1, ("list.example",))),
}


@pytest.mark.parametrize("found", DOUBTS.values(), ids=DOUBTS.keys())
def test_nothing_is_refused_in_doubt(found: Authentication) -> None:
    assert judge_author(at(found, ENFORCES)) is ACCEPT


def test_while_the_key_of_a_trusted_seal_does_not_come_the_message_is_neither_taken_nor_refused() -> None:
    sealed = replace(FORGED, arc=ArcFound(AuthResult.TEMPERROR, 2, ("list.example", "mx.example")))
    verdict = judge_author(at(sealed, ENFORCES))
    assert isinstance(verdict, Defer)
    assert str(verdict.reply).startswith("451 4.4.3 ")
    passing = replace(sealed, dmarc=DmarcFound(AuthResult.PASS, "bank.example", DmarcPolicy.REJECT))
    assert judge_author(at(passing, ENFORCES)) is ACCEPT, "the seal matters only where DMARC fails"
    assert judge_author(at(sealed, ENFORCES, RECORDS)) is ACCEPT
    assert judge_author(at(sealed, ENFORCES, address="127.0.0.1")) is ACCEPT


@pytest.mark.parametrize("sealers", [("forger.example",), ("list.example", "forger.example"), ()])
@pytest.mark.parametrize("result", [AuthResult.PASS, AuthResult.TEMPERROR])
def test_a_chain_that_anybody_could_have_sealed_is_no_excuse(
    sealers: tuple[str, ...], result: AuthResult
) -> None:
    sealed = replace(FORGED, arc=ArcFound(result, len(sealers), sealers))
    assert isinstance(judge_author(at(sealed, ENFORCES)), Reject)


def test_a_sealer_that_is_not_trusted_or_of_a_broken_chain_is_no_excuse() -> None:
    sealed = replace(FORGED, arc=ArcFound(AuthResult.PASS, 1, ("list.example",)))
    assert isinstance(judge_author(at(sealed, replace(ENFORCES, trusted_sealers=()))), Reject)
    broken = replace(FORGED, arc=ArcFound(AuthResult.FAIL, 1, ("list.example",)))
    assert isinstance(judge_author(at(broken, ENFORCES)), Reject)


UNANSWERED = AuthResult.TEMPERROR
OF_THE_FORGER = {
    "his SPF record": replace(FORGED, spf=replace(SPF, result=UNANSWERED, domain="forger.example")),
    "his key": replace(FORGED, dkim=(replace(DKIM, result=UNANSWERED, domain="forger.example"), DKIM)),
}


@pytest.mark.parametrize("found", OF_THE_FORGER.values(), ids=OF_THE_FORGER.keys())
def test_what_dns_does_not_say_about_the_forgers_own_domain_is_no_doubt(found: Authentication) -> None:
    assert isinstance(judge_author(at(found, ENFORCES)), Reject)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_behind_a_proxy_on_this_machine_nothing_is_refused(address: str) -> None:
    assert judge_author(at(FORGED, ENFORCES, address=address)) is ACCEPT

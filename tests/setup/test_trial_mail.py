"""A trial mail is what readers would get, and each rule that it breaks is named."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.records import Dkim, Newsletter, Web
from secondpost.mail.questions import Finding, NameAnswer, NameQuestion, Txt, TxtAnswer
from secondpost.protocols.tokens import Ring
from secondpost.roles.bulk_look import trial_mail
from secondpost.setup.bulk_rules import BulkRule
from secondpost.setup.trial_mail import TrialMail, examine_trial_mail
from secondpost.signing.assembly import ReaderKeys
from secondpost.world.asking import answer_from
from secondpost.world.real.dice import RealDice
from secondpost.world.real.keys import (
    dkim_records,
    load_key_ring,
    load_signing_keys,
    make_missing_keys,
    proves,
)
from tests.clock import START_MS
from tests.newsletter.blog import WEEKLY
from tests.watch.test_alarm_desk import CONFIG as OFFICE

WEB = Web(url="https://mx2.example.net")
Zone = dict[NameQuestion, NameAnswer]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("store"))
    make_missing_keys(folder, Dkim(), RealDice())
    return folder


def made(store: str, newsletter: Newsletter = WEEKLY, web: Web = WEB) -> TrialMail:
    config = replace(OFFICE, store=store, newsletters=(newsletter,), web=web)
    keys = ReaderKeys(
        load_signing_keys(store, Dkim()),
        load_key_ring(store, Ring.LINKS),
        load_key_ring(store, Ring.ADDRESSES),
    )
    return asyncio.run(trial_mail(config, newsletter, keys, START_MS))


def published(store: str, domain: str = "example.net") -> Zone:
    return {
        Txt(f"{one.selector}._domainkey.{domain}"): TxtAnswer(Finding.FOUND, (one.text,))
        for one in dkim_records(store, Dkim())
    }


def broken(mail: TrialMail, zone: Zone) -> dict[BulkRule, list[str]]:
    found: dict[BulkRule, list[str]] = {}
    for one in answer_from(zone, examine_trial_mail(mail, proves)):
        found.setdefault(one.rule, []).append(one.text)
    return found


def test_what_this_server_makes_keeps_to_every_rule(store: str) -> None:
    """Its signature is verified with the key in DNS."""
    assert broken(made(store), published(store)) == {}
    assert broken(made(store, replace(WEEKLY, reply_to="me@example.net")), published(store)) == {}


def test_a_key_that_dns_does_not_have_or_another_proves_nothing(store: str, tmp_path: Path) -> None:
    none: Zone = {question: TxtAnswer(Finding.NO_NAME) for question in published(store)}
    found = broken(made(store), none)
    assert set(found) == {BulkRule.SPF_AND_DKIM, BulkRule.DMARC}
    assert found[BulkRule.DMARC][0].startswith("has no signature of example.net that DNS verifies (")
    make_missing_keys(str(tmp_path), Dkim(), RealDice())
    assert set(broken(made(store), published(str(tmp_path)))) == {BulkRule.SPF_AND_DKIM, BulkRule.DMARC}


def test_while_dns_does_not_answer_nothing_is_sure(store: str) -> None:
    silent: Zone = {question: TxtAnswer(Finding.FAILED) for question in published(store)}
    faults = answer_from(silent, examine_trial_mail(made(store), proves))
    assert [one.is_unsure for one in faults] == [True, True]


def test_without_pages_there_is_no_one_click_and_leaving_by_mail_is_a_link(store: str) -> None:
    found = broken(made(store, web=Web(url=None)), published(store))
    assert set(found) == {BulkRule.ONE_CLICK}


def test_an_address_at_a_large_provider_is_not_yours_to_send_from(store: str) -> None:
    newsletter = replace(WEEKLY, sender="The Blog <theblog@gmail.com>")
    found = broken(made(store, newsletter), published(store, "gmail.com"))
    assert found[BulkRule.FROM] == [
        "is from an address at Google, whose domain allows no other server to send for it"
    ]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b"\r\nDate: ", b"\r\nX-Date: ", BulkRule.FORMAT),
        (b"\r\nSubject: ", b"\r\nSubject: x\r\nSubject: ", BulkRule.FORMAT),
        (b"\r\nMIME-Version", b"\nMIME-Version", BulkRule.FORMAT),
        (b"\r\nMIME-Version", b"\r\nX-Long: " + b"x" * 1_000 + b"\r\nMIME-Version", BulkRule.FORMAT),
        (b"newsletter@example.net", b"newsletter", BulkRule.FROM),
        (b"\r\nList-Unsubscribe: ", b"\r\nX-List: ", BulkRule.UNSUBSCRIBE_LINK),
        (b"\r\nList-Unsubscribe-Post: ", b"\r\nX-Post: ", BulkRule.ONE_CLICK),
        (b":list-unsubscribe:", b":", BulkRule.ONE_CLICK),
        (b"\r\nList-Unsubscribe: <https:", b"\r\nList-Unsubscribe: <http:", BulkRule.ONE_CLICK),
    ],
)
def test_a_mail_that_breaks_a_rule_is_found(store: str, old: bytes, new: bytes, rule: BulkRule) -> None:
    mail = made(store)
    data = unfolded(mail.data)
    assert old in data, data.decode()
    changed = replace(mail, data=data.replace(old, new))
    assert rule in broken(changed, published(store))


def unfolded(data: bytes) -> bytes:
    """Each header field in a line of its own, as the changes need it."""
    header, _, body = data.partition(b"\r\n\r\n")
    plain = header.replace(b"\r\n ", b" ").replace(b": list-unsubscribe :", b":list-unsubscribe:")
    return plain + b"\r\n\r\n" + body

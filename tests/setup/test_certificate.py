"""The certificate that `tls` names, as facts; tests/world/test_real_certificates.py reads real files."""

from dataclasses import replace

import pytest

from secondpost.config.records import Config, Tls
from secondpost.mail.duration import DAY_MS
from secondpost.setup.certificate import (
    BrokenFiles,
    CertificateFacts,
    CertificateFiles,
    examine_certificate,
)
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from tests.setup.test_machine import alarms, config

NOW_MS = 1_700_000_000_000
GOOD = CertificateFacts(
    names=("mx2.example.net",),
    issuer="CN=R11,O=Let's Encrypt,C=US",
    begins_ms=NOW_MS - 30 * DAY_MS,
    ends_ms=NOW_MS + 60 * DAY_MS,
    key_kind="EC",
    key_bits=256,
    signature_hash="sha256",
    is_self_signed=False,
    fingerprint="ab" * 32,
)
FILES = CertificateFiles(GOOD, True, "")
PATH = "/etc/ssl/mx2.pem"


def with_certificate() -> Config:
    return replace(config(), tls=Tls(certificate=PATH, key="/etc/ssl/mx2.key"))


def found(files: CertificateFiles | BrokenFiles | None) -> list[Diagnosis]:
    return list(examine_certificate(with_certificate(), files, NOW_MS))


@pytest.mark.parametrize(
    "facts",
    [
        GOOD,
        replace(GOOD, names=("example.org", "*.example.net")),
        replace(GOOD, begins_ms=NOW_MS - 2 * DAY_MS, ends_ms=NOW_MS + 4 * DAY_MS),  # of six days
        replace(GOOD, key_kind="RSA", key_bits=2048),
        replace(GOOD, key_kind="Ed25519", key_bits=256, signature_hash=""),
    ],
)
def test_a_good_certificate_causes_no_alarm(facts: CertificateFacts) -> None:
    assert alarms(found(replace(FILES, certificate=facts))) == []


BROKEN = {
    "no certificate": (None, Check.CERTIFICATE, Grade.WARNING, '[tls] acme = "me@elsewhere.example"'),
    "unreadable": (BrokenFiles("no"), Check.CERTIFICATE, Grade.FAULT, "certbot certonly -d mx2.example.net"),
    "not for our eyes": (
        BrokenFiles("/etc/mx2.key cannot be read: Permission denied", is_hidden=True),
        Check.CERTIFICATE,
        Grade.NOTE,
        "as root: secondpost check security",
    ),
    "another key": (
        replace(FILES, is_key_right=False),
        Check.CERTIFICATE,
        Grade.FAULT,
        "name both of one pair in /etc/secondpost/secondpost.toml",
    ),
    "another host": (
        replace(FILES, certificate=replace(GOOD, names=("mail.example.net", "*.mx2.example.net"))),
        Check.CERTIFICATE_NAMES,
        Grade.FAULT,
        "certbot certonly -d mx2.example.net",
    ),
    "expired": (
        replace(FILES, certificate=replace(GOOD, ends_ms=NOW_MS - 1)),
        Check.CERTIFICATE_DAYS,
        Grade.FAULT,
        "certbot certonly -d mx2.example.net",
    ),
    "two days left": (
        replace(
            FILES, certificate=replace(GOOD, begins_ms=NOW_MS - 88 * DAY_MS, ends_ms=NOW_MS + 2 * DAY_MS)
        ),
        Check.CERTIFICATE_DAYS,
        Grade.FAULT,
        "certbot certonly -d mx2.example.net",
    ),
    "three weeks left, less a day": (
        replace(
            FILES, certificate=replace(GOOD, begins_ms=NOW_MS - 70 * DAY_MS, ends_ms=NOW_MS + 20 * DAY_MS)
        ),
        Check.CERTIFICATE_DAYS,
        Grade.WARNING,
        "certbot certonly -d mx2.example.net",
    ),
    "not valid yet": (
        replace(FILES, certificate=replace(GOOD, begins_ms=NOW_MS + DAY_MS)),
        Check.CERTIFICATE_DAYS,
        Grade.FAULT,
        "date",
    ),
    "self-signed": (
        replace(FILES, certificate=replace(GOOD, is_self_signed=True)),
        Check.CERTIFICATE_CHAIN,
        Grade.NOTE,
        "certbot certonly -d mx2.example.net",
    ),
    "half a chain": (
        replace(FILES, distrust="the file lacks the certificate of its issuer, CN=R11"),
        Check.CERTIFICATE_CHAIN,
        Grade.WARNING,
        "name the file with the whole chain (certbot calls it fullchain.pem)",
    ),
    "a short key": (
        replace(FILES, certificate=replace(GOOD, key_kind="RSA", key_bits=1024)),
        Check.CERTIFICATE_STRENGTH,
        Grade.WARNING,
        "certbot certonly --key-type ecdsa -d mx2.example.net",
    ),
    "an old signature": (
        replace(FILES, certificate=replace(GOOD, signature_hash="sha1")),
        Check.CERTIFICATE_STRENGTH,
        Grade.WARNING,
        "certbot certonly --key-type ecdsa -d mx2.example.net",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_certificate_is_found_by_its_own_check_with_its_remedy(name: str) -> None:
    files, check, grade, remedy = BROKEN[name]
    [one] = alarms(found(files))
    assert (one.check, one.grade) == (check, grade)
    assert remedy in one.remedy


def test_a_certificate_got_by_acme_is_renewed_by_our_own_command() -> None:
    acme = replace(config(), tls=Tls(acme="me@elsewhere.example"))
    [none_yet] = examine_certificate(acme, None, NOW_MS)
    assert (none_yet.grade, none_yet.remedy) == (Grade.WARNING, "secondpost tls show")
    old = replace(FILES, certificate=replace(GOOD, ends_ms=NOW_MS - DAY_MS))
    [expired] = alarms(examine_certificate(acme, old, NOW_MS))
    assert (expired.subject, expired.remedy) == ("tls/server.pem", "secondpost tls renew")

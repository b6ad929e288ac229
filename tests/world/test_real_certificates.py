"""Certificates in files: what they say, whose key it is, and whether a client would trust the chain."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from secondpost.setup.certificate import BrokenFiles, CertificateFiles
from secondpost.world.real.certificates import certificate_facts, certificate_files
from tests.world.certificates import make_pair

NOW = datetime.datetime.now(datetime.UTC)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def issue(name: str, by: Issued | None, is_authority: bool, days: int = 30, key: Key | None = None) -> Issued:
    """A certificate for `name`; `by`: its issuer, None for a root."""
    own = ec.generate_private_key(ec.SECP256R1()) if key is None else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=60))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return Issued(builder.sign(own if by is None else by.key, hashes.SHA256()), own)


@pytest.fixture(scope="module")
def root() -> Issued:
    return issue("root.example", None, True)


@pytest.fixture(scope="module")
def middle(root: Issued) -> Issued:
    return issue("middle.example", root, True)


def looked_at(folder: Path, chain: bytes, key: bytes, root: Issued) -> CertificateFiles | BrokenFiles:
    for name, data in (("chain", chain), ("key", key), ("roots", root.pem)):
        (folder / name).write_bytes(data)
    return certificate_files(str(folder / "chain"), str(folder / "key"), str(folder / "roots"))


def test_a_whole_chain_is_trusted(tmp_path: Path, root: Issued, middle: Issued) -> None:
    leaf = issue("mx2.example.net", middle, False)
    found = looked_at(tmp_path, leaf.pem + middle.pem, leaf.key_pem, root)
    assert isinstance(found, CertificateFiles)
    assert (found.is_key_right, found.distrust) == (True, "")
    facts = found.certificate
    assert (facts.names, facts.issuer) == (("mx2.example.net",), "CN=middle.example")
    assert (facts.key_kind, facts.key_bits, facts.signature_hash) == ("EC", 256, "sha256")
    assert not facts.is_self_signed


def test_a_chain_without_its_middle_is_not(tmp_path: Path, root: Issued, middle: Issued) -> None:
    leaf = issue("mx2.example.net", middle, False)
    found = looked_at(tmp_path, leaf.pem, leaf.key_pem, root)
    assert isinstance(found, CertificateFiles)
    assert found.distrust == "unable to get local issuer certificate"


def test_an_expired_certificate_has_a_good_chain_nevertheless(
    tmp_path: Path, root: Issued, middle: Issued
) -> None:
    leaf = issue("*.example.net", middle, False, days=-1)
    found = looked_at(tmp_path, leaf.pem + middle.pem, leaf.key_pem, root)
    assert isinstance(found, CertificateFiles)
    assert found.distrust == ""
    assert found.certificate.ends_ms < NOW.timestamp() * 1000


def test_a_self_signed_certificate_and_a_short_key(tmp_path: Path, root: Issued) -> None:
    alone = issue("mx2.example.net", None, True, key=rsa.generate_private_key(65537, 1024))
    found = looked_at(tmp_path, alone.pem, alone.key_pem, root)
    assert isinstance(found, CertificateFiles)
    assert (found.certificate.is_self_signed, found.certificate.key_bits) == (True, 1024)
    assert found.distrust == "ee key too small"


def test_the_key_of_another_certificate_is_told_from_its_own(tmp_path: Path, root: Issued) -> None:
    one, other = make_pair(tmp_path, "one.example"), make_pair(tmp_path, "other.example")
    found = certificate_files(one.certificate, other.key)
    assert isinstance(found, CertificateFiles)
    assert not found.is_key_right


def test_files_that_are_neither_are_said_to_be_broken(tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "one.example")
    (tmp_path / "empty").touch()
    for path in (str(tmp_path / "empty"), str(tmp_path / "none")):
        found = certificate_files(path, pair.key)
        assert isinstance(found, BrokenFiles)
        assert path in found.why


def test_the_certificate_that_a_server_shows_is_read_as_that_of_a_file(root: Issued) -> None:
    facts = certificate_facts(root.certificate.public_bytes(Encoding.DER))
    assert facts is not None
    assert (facts.names, facts.is_self_signed) == (("root.example",), True)
    assert certificate_facts(b"") is None
    assert certificate_facts(b"0\x82no certificate") is None

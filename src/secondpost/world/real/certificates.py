"""Reads the certificate and key of our own files."""

import ssl
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtensionOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from secondpost.setup.certificate import BrokenFiles, CertificateFacts, CertificateFiles

ED25519_BITS = 256
PEM_OCTETS_MAX = 1_000_000


def certificate_files(
    certificate_path: str, key_path: str, authorities_path: str | None = None
) -> CertificateFiles | BrokenFiles:
    """`authorities_path`: a PEM file of trusted CAs; None means the system's."""
    try:
        chain = x509.load_pem_x509_certificates(_read(certificate_path))
        key = load_pem_private_key(_read(key_path), password=None).public_key()
    except OSError as error:
        return BrokenFiles(f"{error.filename} cannot be read: {error.strerror}")
    except (ValueError, TypeError, UnsupportedAlgorithm):  # their texts could show part of the key
        return BrokenFiles(f"{certificate_path} and {key_path} are not a certificate and its key")
    spki = chain[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    is_key_right = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == spki
    return CertificateFiles(_facts(chain[0]), is_key_right, _distrust(chain, authorities_path))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(PEM_OCTETS_MAX)


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    kind, bits = _key(certificate)
    hashed = certificate.signature_hash_algorithm
    return CertificateFacts(
        names=_names(certificate),
        issuer=certificate.issuer.rfc4514_string(),
        begins_ms=_ms(certificate.not_valid_before_utc),
        ends_ms=_ms(certificate.not_valid_after_utc),
        key_kind=kind,
        key_bits=bits,
        signature_hash="" if hashed is None else hashed.name,
        is_self_signed=certificate.issuer == certificate.subject,
        fingerprint=certificate.fingerprint(SHA256()).hex(),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    assert isinstance(found, x509.SubjectAlternativeName)
    return tuple(name.lower() for name in found.get_values_for_type(x509.DNSName))


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    """The kind of its key and its bits."""
    match certificate.public_key():
        case RSAPublicKey() as key:
            return "RSA", key.key_size
        case EllipticCurvePublicKey() as key:
            return "EC", key.key_size
        case Ed25519PublicKey():
            return "Ed25519", ED25519_BITS
        case other:
            return type(other).__name__, 0


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _distrust(chain: list[x509.Certificate], authorities_path: str | None) -> str:
    """Why a client would not trust the chain, for its own first name and at its last valid moment, so
    that only the chain is judged; "" if it would.
    """
    leaf, names = chain[0], _names(chain[0])
    if len(names) == 0:
        return "it names no host"
    host = names[0].replace("*", "wildcard", 1)
    moment = min(datetime.now(tz=leaf.not_valid_after_utc.tzinfo), leaf.not_valid_after_utc)
    moment = max(moment, leaf.not_valid_before_utc)
    try:
        builder = PolicyBuilder().store(Store(_authorities(authorities_path))).time(moment)
        builder.build_server_verifier(x509.DNSName(host)).verify(leaf, chain[1:])
    except (VerificationError, ValueError):
        if len(chain) == 1:
            return f"the file lacks the certificate of its issuer, {leaf.issuer.rfc4514_string()}"
        return f"no authority that this machine knows stands behind {chain[-1].issuer.rfc4514_string()}"
    return ""


def _authorities(path: str | None) -> list[x509.Certificate]:
    context = ssl.create_default_context(cafile=path)
    return [x509.load_der_x509_certificate(der) for der in context.get_ca_certs(binary_form=True)]

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

from secondpost.config.files import OpenToRead, open_to_read
from secondpost.setup.certificate import BrokenFiles, CertificateFacts, CertificateFiles
from secondpost.world.real.certificate_key import names_of
from secondpost.world.real.tls import PemCopies, load_pair, read_pair, tls_text

ED25519_BITS = 256
FLIGHTS_MAX = 10  # of messages to and fro in a handshake, more than any has
DAYS_CODES = (9, 10)  # of X509_verify_cert_error_string(3): not valid yet, expired


def certificate_files(
    certificate_path: str,
    key_path: str,
    authorities_path: str | None = None,
    open_file: OpenToRead = open_to_read,
) -> CertificateFiles | BrokenFiles:
    """`authorities_path`: a PEM file of trusted CAs; None means the system's."""
    try:
        pair = read_pair(certificate_path, key_path, open_file)
        chain = x509.load_pem_x509_certificates(pair.certificate)
        key = load_pem_private_key(pair.key, password=None).public_key()
    except OSError as error:
        is_hidden = isinstance(error, PermissionError)
        return BrokenFiles(f"{error.filename} cannot be read: {error.strerror}", is_hidden)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # their texts could show part of the key
        return BrokenFiles(f"{certificate_path} and {key_path} are not a certificate and its key")
    spki = chain[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    is_key_right = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == spki
    facts = _facts(chain[0])
    if not is_key_right:
        return CertificateFiles(facts, is_key_right, "")
    host = facts.names[0].replace("*", "any", 1) if len(facts.names) > 0 else "no.name.invalid"
    distrust = _distrust(pair, host, authorities_path)
    return CertificateFiles(facts, is_key_right, distrust)


def certificate_facts(der: bytes) -> CertificateFacts | None:
    """The facts of a certificate as TLS shows it; None if it cannot be read."""
    try:
        return _facts(x509.load_der_x509_certificate(der))
    except (ValueError, UnsupportedAlgorithm):
        return None


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    kind, bits = _key(certificate)
    hashed = certificate.signature_hash_algorithm
    return CertificateFacts(
        names=names_of(certificate),
        issuer=certificate.issuer.rfc4514_string(),
        begins_ms=_ms(certificate.not_valid_before_utc),
        ends_ms=_ms(certificate.not_valid_after_utc),
        key_kind=kind,
        key_bits=bits,
        signature_hash="" if hashed is None else hashed.name,
        is_self_signed=certificate.issuer == certificate.subject,
        fingerprint=certificate.fingerprint(SHA256()).hex(),
    )


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


def _distrust(pair: PemCopies, host: str, authorities: str | None) -> str:
    """Why a client that wants to talk to `host` would not trust the chain; "" if it would, but for the
    days, which are judged apart.

    The two ends of a handshake in memory: what OpenSSL says to us is what it says to senders.
    """
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=authorities)
    try:
        load_pair(server, pair)
    except ssl.SSLError as error:  # such as a key that is too short for OpenSSL's security level
        return tls_text(error)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(FLIGHTS_MAX):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return "" if error.verify_code in DAYS_CODES else error.verify_message
    return ""

"""The answers to the challenges of a certificate authority: files from which the web role answers.

They exist while an order is under way; `clear` also removes those of an order that a crash cut short.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from secondpost.mail.own_certificate import ALPN_ANSWERS, HTTP_ANSWERS, alpn_answer, http_answer
from secondpost.world.real.files import make_folder_below, replace_in_room

ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")  # RFC 8737 §6.1
VALID_DAYS = 7


class AnswerRefused(Exception):
    """A token or host that cannot be a file's name. The text is fit for the log."""


class AcmeAnswers:
    def __init__(self, store: str) -> None:
        self._store = store

    def put_http(self, token: str, authorization: str) -> None:
        """Have http-01 answered (RFC 8555 §8.3). Raises AnswerRefused and OSError."""
        name = http_answer(token)
        if name is None:
            raise AnswerRefused(f"{token[:40]!r} is no token of a challenge")
        self._put(name, authorization.encode("ascii"))

    def put_alpn(self, host: str, authorization: str) -> None:
        """Have tls-alpn-01 answered (RFC 8737 §3). Raises AnswerRefused and OSError."""
        name = alpn_answer(host)
        if name is None:
            raise AnswerRefused(f"{host[:40]!r} is no host of a challenge")
        self._put(name, challenge_certificate(host, authorization))

    def clear(self) -> None:
        """Remove every answer. Raises OSError."""
        for path in self._all():
            with suppress(FileNotFoundError):
                os.unlink(path)

    def _all(self) -> Iterator[str]:
        for name in (HTTP_ANSWERS, ALPN_ANSWERS):
            folder = os.path.join(self._store, name)
            with suppress(FileNotFoundError):
                yield from [os.path.join(folder, file) for file in os.listdir(folder)]

    def _put(self, name: str, data: bytes) -> None:
        path = os.path.join(self._store, name)
        make_folder_below(os.path.dirname(path))
        replace_in_room(path, data)


def challenge_certificate(host: str, authorization: str) -> bytes:
    """A key of its own, and the certificate with the digest of the key authorization, in PEM."""
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ACME challenge")])
    digest = sha256(authorization.encode("ascii")).digest()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        # Its value is an OCTET STRING of 32 octets in DER.
        .add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, b"\x04\x20" + digest), critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem + certificate.public_bytes(Encoding.PEM)

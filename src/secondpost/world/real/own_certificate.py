"""The files of the server's own certificate: its key, its chain, the next key, and the log of orders.

Every file is replaced in one step, synced. All calls block.
"""

import os
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from secondpost.mail.own_certificate import NEXT_KEY_PEM, ORDERS_JSON, SERVER_PEM
from secondpost.setup.certificate_alarm import Validity
from secondpost.setup.certificate_keeper import UnfitChain
from secondpost.setup.own_certificate import CertificateInUse, OrderLog, StoredCertificate
from secondpost.world.real.certificate_key import digest_of, key_of, names_of
from secondpost.world.real.files import replace_in_room, sync_folder

FILE_OCTETS_MAX = 256 * 1024
CHAIN_MAX = 10  # certificates

_LOG = msgspec.json.Decoder(OrderLog)


class OwnCertificateFiles:
    def __init__(self, store: str) -> None:
        self._store = store

    def read(self) -> StoredCertificate:
        """Raises OSError."""
        in_use, next_pem = self._octets(SERVER_PEM), self._octets(NEXT_KEY_PEM)
        return StoredCertificate(
            in_use=None if in_use is None else certificate_in_use(in_use),
            next_digest=None if next_pem is None else _digest_of_key(next_pem),
            log=self._log(),
        )

    def write_log(self, log: OrderLog) -> None:
        """Raises OSError."""
        self._replace(ORDERS_JSON, msgspec.json.encode(log))

    def make_next_key(self) -> None:
        """Raises OSError."""
        key = generate_private_key(SECP256R1())
        self._replace(NEXT_KEY_PEM, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def drop_next_key(self) -> None:
        """Raises OSError."""
        path = self._path(NEXT_KEY_PEM)
        with suppress(FileNotFoundError):
            os.unlink(path)
        sync_folder(os.path.dirname(path))

    def request(self, names: tuple[str, ...], *, for_next: bool) -> str:
        """A signing request in PEM, for the next key or the one in use. Raises OSError and ValueError."""
        listed = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([]))
            .add_extension(listed, critical=True)  # RFC 5280 §4.2.1.6: critical with an empty subject
            .sign(_key(self._key_pem(for_next)), SHA256())
        )
        return request.public_bytes(Encoding.PEM).decode("ascii")

    def install(self, chain: str, names: tuple[str, ...], *, for_next: bool) -> CertificateInUse:
        """Use a chain from now on, with the key that it was ordered for. Raises UnfitChain and OSError."""
        key_pem = self._key_pem(for_next)
        certificates = _fitting(chain, _digest_of_key(key_pem), names)
        ordered = b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
        self._replace(SERVER_PEM, key_pem + ordered)
        return _facts(certificates[0])

    def _key_pem(self, for_next: bool) -> bytes:
        """The octets of one key alone."""
        found = self._octets(NEXT_KEY_PEM if for_next else SERVER_PEM)
        if found is None:
            raise FileNotFoundError(self._path(NEXT_KEY_PEM if for_next else SERVER_PEM))
        return _key(found).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def _log(self) -> OrderLog:
        found = self._octets(ORDERS_JSON)
        try:
            return OrderLog() if found is None else _LOG.decode(found)
        except msgspec.MsgspecError:  # of a later version: what it forgets is only how long to wait
            return OrderLog()

    def _path(self, name: str) -> str:
        return os.path.join(self._store, name)

    def _octets(self, name: str) -> bytes | None:
        try:
            with open(self._path(name), "rb") as file:
                return file.read(FILE_OCTETS_MAX)
        except FileNotFoundError:
            return None

    def _replace(self, name: str, data: bytes) -> None:
        replace_in_room(self._path(name), data)


def _key(pem: bytes) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("the key is of another kind than this server makes")
    return key


def _digest_of_key(pem: bytes) -> str:
    return digest_of(_key(pem).public_key())


def certificate_in_use(pem: bytes) -> CertificateInUse | None:
    """The first certificate in a PEM file; None if it is broken: then it is as if there were none."""
    try:
        return _facts(x509.load_pem_x509_certificates(pem)[0])
    except (ValueError, UnsupportedAlgorithm):
        return None


def _facts(certificate: x509.Certificate) -> CertificateInUse:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    validity = Validity(int(begins.timestamp() * 1000), int(ends.timestamp() * 1000))
    key = key_of(certificate)
    return CertificateInUse(validity, names_of(certificate), key.digest, key.issuer)


def _fitting(chain: str, digest: str, names: tuple[str, ...]) -> list[x509.Certificate]:
    """The certificates of a chain that is for this key and these names. Raises UnfitChain."""
    try:
        certificates = x509.load_pem_x509_certificates(chain.encode("ascii"))
        facts = _facts(certificates[0])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnfitChain("what the authority sent is no chain of certificates") from error
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    lacking = [name for name in names if name not in facts.names]
    if len(certificates) > CHAIN_MAX:
        raise UnfitChain(f"its chain has {len(certificates)} certificates, at most {CHAIN_MAX}")
    if facts.digest != digest:
        raise UnfitChain("its certificate is for another key")
    if len(lacking) > 0:
        raise UnfitChain(f"its certificate is not for {lacking[0]}")
    if facts.validity.ends_ms <= now_ms:
        raise UnfitChain("its certificate has ended already")
    for issued, issuer in pairwise(certificates):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise UnfitChain("its certificates do not follow from one another") from error
    return certificates

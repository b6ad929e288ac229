"""The public key and the issuer of a certificate, as DNS names them."""

from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

FILE_OCTETS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class CertificateKey:
    digest: str  # SHA-256 of the public key (RFC 6698: 3 1 1), hexadecimal
    issuer: str  # the name of the organization; "" if the certificate has none


def certificate_key(path: str) -> CertificateKey | None:
    """Of the first certificate in a PEM file; None if there is none that can be read."""
    try:
        with open(path, "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read(FILE_OCTETS_MAX))
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        names = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    except (OSError, ValueError):
        return None
    return CertificateKey(sha256(key).hexdigest(), str(names[0].value) if len(names) > 0 else "")

"""The public key, the issuer and the names of a certificate, as DNS names them."""

from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

FILE_OCTETS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class CertificateKey:
    digest: str  # SHA-256 of the public key (RFC 6698: 3 1 1), hexadecimal
    issuer: str  # the organization, or the authority's own name; "" if the certificate has neither


def certificate_key(path: str) -> CertificateKey | None:
    """Of the first certificate in a PEM file; None if there is none that can be read."""
    try:
        with open(path, "rb") as file:
            return key_of(x509.load_pem_x509_certificate(file.read(FILE_OCTETS_MAX)))
    except (OSError, ValueError):
        return None


def key_of(certificate: x509.Certificate) -> CertificateKey:
    names = (
        *certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME),
        *certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME),
    )
    issuer = str(names[0].value) if len(names) > 0 else ""
    return CertificateKey(digest_of(certificate.public_key()), issuer)


def digest_of(key: CertificatePublicKeyTypes) -> str:
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names that it covers, in lower case."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(name.lower() for name in found.get_values_for_type(x509.DNSName))

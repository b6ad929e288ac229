"""Keys for the tests, made anew in each run, and a DNS with them."""

import base64
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from secondpost.protocols.dkim.signing import Algorithm, SigningKey
from simulation.signatures import RecordsOf, records_by_selector


@dataclass(frozen=True)
class TestKeys:
    __test__ = False  # tells pytest that this is no test class

    signing: tuple[SigningKey, SigningKey]
    records: dict[str, str]  # by selector
    rsa_pem: bytes
    ed25519_seed: bytes  # in base64, as dkimpy needs it

    def txt(self, name: bytes, timeout: int = 5) -> bytes:
        """The DNS function in the form of dkimpy."""
        return self.records[name.decode().partition(".")[0]].encode()

    @property
    def records_of(self) -> RecordsOf:
        return records_by_selector(self.records)


@cache
def keys() -> TestKeys:
    rsa, ed25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
    spki = rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    raw = ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return TestKeys(
        signing=(
            SigningKey(
                Algorithm.RSA, "sp-rsa", lambda digest: rsa.sign(digest, PKCS1v15(), Prehashed(SHA256()))
            ),
            SigningKey(Algorithm.ED25519, "sp-ed", ed25519.sign),
        ),
        records={
            "sp-rsa": f"v=DKIM1; k=rsa; p={base64.b64encode(spki).decode()}",
            "sp-ed": f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}",
        },
        rsa_pem=rsa.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        ed25519_seed=base64.b64encode(ed25519.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())),
    )


def body_hash(body: bytes) -> str:
    """bh= of a body in canonical form."""
    return base64.b64encode(sha256(body).digest()).decode()


def signature_text(digest: bytes) -> str:
    """b= made with the RSA key."""
    return base64.b64encode(keys().signing[0].sign(digest)).decode()

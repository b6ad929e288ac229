"""The private keys below STORE/keys: two for DKIM, in PEM by selector, and two rings for tokens.

Files are created atomically and never overwritten: a key is needed as long as a mail
signed by it, or a link made with it, exists.
"""

import base64
import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from secondpost.config.records import Dkim
from secondpost.mail.store_rooms import StoreRoom
from secondpost.protocols.dkim.signing import Algorithm, SigningKey
from secondpost.protocols.dkim.verifying import Proof, PublicKey
from secondpost.protocols.tokens import KEY_OCTETS, KeyRing, Ring
from secondpost.world.ports import Dice, DiskFailed, KeyFault
from secondpost.world.real.files import sync_folder
from secondpost.world.real.modes import OWN, give_mode, modes_in

FILE_OCTETS_MAX = 64 * 1024
FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
RSA_BITS = 2048
RSA_BITS_MAX = 4096  # RFC 8301 §3.2: every verifier accepts these
RSA_BITS_TRUSTED_MIN = 1024  # for other senders' keys: RFC 8301 §3.2
RSA_EXPONENT_MAX = 2**32  # nearly all are 65537; with a huge one, verifying takes as long as signing


@dataclass(frozen=True, slots=True)
class DkimRecord:
    """A TXT record that must be published below the domain of every newsletter's sender."""

    selector: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.selector}._domainkey"


def make_missing_keys(store: str, dkim: Dkim, dice: Dice) -> list[str]:
    """Create missing keys; return their paths. Blocks while two large primes are found.

    Raises KeyFault and DiskFailed.
    """
    makers: list[tuple[str, Callable[[], bytes]]] = [
        (pem_path(store, dkim.rsa), lambda: _pem(generate_private_key(65537, RSA_BITS))),
        (pem_path(store, dkim.ed25519), lambda: _pem(Ed25519PrivateKey.generate())),
    ]
    makers += [
        (ring_path(store, ring), lambda: f"1 {dice.token(KEY_OCTETS).hex()}\n".encode()) for ring in Ring
    ]
    folder = _folder(store, StoreRoom.KEYS)
    try:
        # A service made them before, with their parent, which the deliver role cannot open.
        for missing in (_folder(store, StoreRoom.KEYS), _folder(store, StoreRoom.LINKS)):
            if not os.path.isdir(missing):
                os.makedirs(missing, OWN.folder)
                sync_folder(os.path.dirname(missing))
        return [path for path, make in makers if not os.path.exists(path) and _create(path, make())]
    except OSError as error:
        raise _fault(error, f"no key can be made in {folder}") from error


def load_signing_keys(store: str, dkim: Dkim) -> tuple[SigningKey, SigningKey]:
    """The keys: RSA, which all mail servers know, and Ed25519. Raises KeyFault and DiskFailed."""
    rsa, ed25519 = _rsa_key(store, dkim), _ed25519_key(store, dkim)
    padding, hashed = PKCS1v15(), Prehashed(SHA256())
    return (
        SigningKey(Algorithm.RSA, dkim.rsa, lambda digest: rsa.sign(digest, padding, hashed)),
        SigningKey(Algorithm.ED25519, dkim.ed25519, ed25519.sign),
    )


def load_key_ring(store: str, ring: Ring) -> KeyRing:
    """Load a ring, a key per line: number, space, hexadecimal. Raises KeyFault and DiskFailed."""
    path = ring_path(store, ring)
    keys: dict[int, bytes] = {}
    try:
        for line in _read(path).decode("ascii").splitlines():
            number, _, octets = line.partition(" ")
            if int(number) in keys:
                raise ValueError("a number stands twice")
            keys[int(number)] = bytes.fromhex(octets)
        return KeyRing(ring, keys)
    except ValueError:  # the exception's text could contain part of a key
        raise KeyFault(f"{path} is no ring of keys; restore it from a snapshot") from None


def dkim_records(store: str, dkim: Dkim) -> tuple[DkimRecord, DkimRecord]:
    """The TXT records (RFC 6376 §3.6.1, RFC 8463 §4). Raises KeyFault and DiskFailed."""
    spki = _rsa_key(store, dkim).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    raw = _ed25519_key(store, dkim).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return (
        DkimRecord(dkim.rsa, f"v=DKIM1; k=rsa; p={base64.b64encode(spki).decode('ascii')}"),
        DkimRecord(dkim.ed25519, f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode('ascii')}"),
    )


def proves(key: PublicKey, digest: bytes, signature: bytes) -> Proof:
    """Verify a signature of a SHA-256."""
    try:
        if key.algorithm is Algorithm.ED25519:
            Ed25519PublicKey.from_public_bytes(key.octets).verify(signature, digest)
            return Proof.VALID
        public = load_der_public_key(key.octets)
        if not isinstance(public, RSAPublicKey):
            return Proof.NO_KEY
        if public.key_size < RSA_BITS_TRUSTED_MIN:
            return Proof.KEY_TOO_WEAK
        if public.key_size > RSA_BITS_MAX or public.public_numbers().e > RSA_EXPONENT_MAX:
            return Proof.KEY_TOO_LARGE
        public.verify(signature, digest, PKCS1v15(), Prehashed(SHA256()))
    except InvalidSignature:
        return Proof.INVALID
    except (UnsupportedAlgorithm, ValueError):
        return Proof.NO_KEY
    return Proof.VALID


def _folder(store: str, room: StoreRoom) -> str:
    return os.path.join(store, room.folder)


def pem_path(store: str, selector: str) -> str:
    return os.path.join(_folder(store, StoreRoom.KEYS), f"{selector}.pem")


def ring_path(store: str, ring: Ring) -> str:
    """The ring of links lies apart: the web role reads it, and no other key."""
    room = StoreRoom.LINKS if ring is Ring.LINKS else StoreRoom.KEYS
    return os.path.join(_folder(store, room), f"{ring}.keys")


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _rsa_key(store: str, dkim: Dkim) -> RSAPrivateKey:
    path = pem_path(store, dkim.rsa)
    key = _private_key(path)
    if not isinstance(key, RSAPrivateKey) or not RSA_BITS <= key.key_size <= RSA_BITS_MAX:
        raise KeyFault(f"{path} is no RSA key of {RSA_BITS} to {RSA_BITS_MAX} bits")
    return key


def _ed25519_key(store: str, dkim: Dkim) -> Ed25519PrivateKey:
    path = pem_path(store, dkim.ed25519)
    key = _private_key(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFault(f"{path} is no Ed25519 key")
    return key


def _private_key(path: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # their texts could reveal too much in the log
        raise KeyFault(f"{path} is no private key in PEM without a password") from None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            mode = modes_in(os.path.dirname(path)).file
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~mode & FOR_OTHERS != 0:
                raise KeyFault(f"others can read {path}; type: chmod {mode:o} {path}")
            return file.read(FILE_OCTETS_MAX)
    except OSError as error:
        raise _fault(error, path) from None


def _fault(error: OSError, what: str) -> Exception:
    """Translate an OSError; a failing disk is not a fault of the key."""
    text = f"{what}: {os.strerror(error.errno or 0)}"
    return DiskFailed(text) if error.errno == errno.EIO else KeyFault(text)


def _create(path: str, data: bytes) -> bool:
    """Create a file atomically and synced, without overwriting; False if it exists."""
    unfinished = f"{path}.{os.getpid()}"
    mode = modes_in(os.path.dirname(path)).file
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with open(handle, "wb") as file:
            give_mode(handle, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(unfinished)
    sync_folder(os.path.dirname(path))
    return True

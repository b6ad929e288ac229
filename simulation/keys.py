"""The keys of the simulated newsletter, made from a fixed seed.

They must be the same on every day and in every process, or a seed would not repeat its day. They
are written under the product's rules and loaded by the product.
"""

import os
import tempfile
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from secondpost.config.records import Dkim
from secondpost.mail.store_rooms import StoreRoom
from secondpost.protocols.tokens import KEY_OCTETS, Ring
from secondpost.signing.assembly import ReaderKeys
from secondpost.world.real.keys import (
    RSA_BITS,
    dkim_records,
    load_key_ring,
    load_signing_keys,
    pem_path,
    ring_path,
)
from simulation.dice import SimDice

EXPONENT = 65537
WITNESSES = 16  # rounds of the Miller-Rabin test


@cache
def _made() -> tuple[ReaderKeys, dict[str, str]]:
    dice = SimDice("keys")
    with tempfile.TemporaryDirectory() as store:
        os.makedirs(os.path.join(store, StoreRoom.LINKS.folder))
        dkim = Dkim()
        ed25519 = Ed25519PrivateKey.from_private_bytes(dice.token(32))
        for path, data in (
            (pem_path(store, dkim.rsa), _pem(_rsa(dice))),
            (pem_path(store, dkim.ed25519), _pem(ed25519)),
            *((ring_path(store, ring), f"1 {dice.token(KEY_OCTETS).hex()}\n".encode()) for ring in Ring),
        ):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(data)
        keys = ReaderKeys(
            load_signing_keys(store, dkim),
            load_key_ring(store, Ring.LINKS),
            load_key_ring(store, Ring.ADDRESSES),
        )
        return keys, {record.selector: record.text for record in dkim_records(store, dkim)}


def reader_keys() -> ReaderKeys:
    return _made()[0]


def key_records() -> dict[str, str]:
    """The records that DNS would return, by selector."""
    return _made()[1]


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _rsa(dice: SimDice) -> RSAPrivateKey:
    p, q = _prime(dice, RSA_BITS // 2), _prime(dice, RSA_BITS // 2)
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    return RSAPrivateNumbers(
        p,
        q,
        d,
        rsa_crt_dmp1(d, p),
        rsa_crt_dmq1(d, q),
        rsa_crt_iqmp(p, q),
        RSAPublicNumbers(EXPONENT, p * q),
    ).private_key()


def _prime(dice: SimDice, bits: int) -> int:
    """A prime whose two highest bits are set, so that the product of two has its full length."""
    while True:
        found = int.from_bytes(dice.token(bits // 8)) | 3 << (bits - 2) | 1
        if found % EXPONENT != 1 and _is_prime(found, dice):
            return found


def _is_prime(number: int, dice: SimDice) -> bool:
    """The Miller-Rabin test. `number` must be odd."""
    if any(number % small == 0 for small in range(3, 2000, 2)):
        return False
    odd = number - 1
    halvings = (odd & -odd).bit_length() - 1
    odd >>= halvings
    for _ in range(WITNESSES):
        power = pow(dice.whole(2, number - 2), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(halvings - 1):
            power = pow(power, 2, number)
            if power == number - 1:
                break
        else:
            return False
    return True

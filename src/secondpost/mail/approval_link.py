"""The secret in the link by which the owner approves an issue.

It is random and not signed: the deliver role mails it, the store has its hash alone, and it ends
with what it approves. So no key makes one, and reading the store does not reveal one.
"""

import hashlib
import re

SECRET_OCTETS = 20  # 160 random bits, a whole number of base32 characters
_SECRET = re.compile(r"[a-z2-7]{32}")


def hash_of(secret: str) -> bytes | None:
    """SHA-256 of the secret in a link, read in any case; None if it cannot be one."""
    lower = secret.lower()
    if not secret.isascii() or _SECRET.fullmatch(lower) is None:
        return None
    return hashlib.sha256(lower.encode("ascii")).digest()


def approval_url(base: str, secret: str) -> str:
    return f"{base}/approve/{secret}"

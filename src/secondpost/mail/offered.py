"""What a server offered in its last EHLO, as far as it decides which mail it can have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offered:
    size_max: int | None  # octets; None: no limit was named (RFC 1870)
    smtputf8: bool

"""The server's offer in its last EHLO reply that limits which mail it can get."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offered:
    size_max: int | None  # octets; None: no limit was named (RFC 1870)
    smtputf8: bool

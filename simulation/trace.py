"""The trace of a day: a hash that proves that a replay is identical, and optionally its lines."""

import hashlib
from dataclasses import dataclass, field


@dataclass(slots=True)
class Trace:
    """Gets every segment that arrives and every log line."""

    keep: bool = False
    lines: list[str] = field(default_factory=list)
    _hash: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    def note(self, seconds: float, what: str) -> None:
        line = f"{seconds:.6f} {what}\n"
        self._hash.update(line.encode("utf-8", "surrogateescape"))
        if self.keep:
            self.lines.append(line)

    def digest(self) -> str:
        return self._hash.hexdigest()

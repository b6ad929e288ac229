"""The recipients of each backup domain, from its recipients files; a file is read again once it
changes.

A file that becomes unreadable or faulty keeps its last good list, with an alarm: a typing error
must not turn the owner's mail away.
"""

from collections.abc import Callable, Mapping

from secondpost.config.recipients import RecipientFaults, RecipientList, decode_recipients
from secondpost.config.records import Config, RecipientFile
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.policy.domains import Recipients, recipients_of
from secondpost.world.ports import Clock

LOOK_MS = 2_000  # between two looks at the files

Stamp = tuple[int, int, int]  # changes whenever the file does


class RecipientLists:
    """`stamp`: a file's state, None if it does not exist; `read`: its list, raises RecipientFaults;
    `copies`: files by path as they were when the configuration was accepted.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        alarms: StandingAlarms,
        stamp: Callable[[str], Stamp | None],
        read: Callable[[str, Domain], RecipientList],
        copies: Mapping[str, bytes],
    ) -> None:
        self._config = config
        self._clock = clock
        self._alarms = alarms
        self._stamp = stamp
        self._read = read
        self._copies = copies
        self._stamps: dict[str, Stamp | None] = {}
        self._lists: dict[str, frozenset[str]] = {}
        self._domains: dict[Domain, Recipients] = {}
        self._looked_ms: int | None = None
        self._has_files = any(isinstance(s, RecipientFile) for b in config.backups for s in b.recipients)

    def domains(self) -> dict[Domain, Recipients]:
        if self._looked_ms is None:
            self._looked_ms = self._clock.now_ms()
            self._read_changed()
            self._compile()
        elif self._has_files and abs(self._clock.now_ms() - self._looked_ms) >= LOOK_MS:
            self._looked_ms = self._clock.now_ms()
            if self._read_changed():
                self._compile()
        return self._domains

    def _compile(self) -> None:
        self._domains = {b.domain: recipients_of(b, self._lists) for b in self._config.backups}

    def _read_changed(self) -> bool:
        """Read files that changed; returns whether a list changed."""
        changed = False
        for backup in self._config.backups:
            for source in backup.recipients:
                if isinstance(source, RecipientFile) and self._is_new(source.path):
                    changed |= self._read_one(source.path, backup.domain)
        return changed

    def _is_new(self, path: str) -> bool:
        stamp = self._stamp(path)
        if path in self._stamps and self._stamps[path] == stamp:
            return False
        self._stamps[path] = stamp
        return True

    def _read_one(self, path: str, domain: Domain) -> bool:
        try:
            self._lists[path] = self._read(path, domain).keys
        except RecipientFaults as faults:
            self._alarms.begin(AlarmKind.RECIPIENTS_FILE, path, "; ".join(faults.texts(path)[:3]))
            if path in self._lists or path not in self._copies:
                return False
            self._lists[path] = decode_recipients(self._copies[path], domain).keys
            return True
        self._alarms.end(AlarmKind.RECIPIENTS_FILE, path)
        return True

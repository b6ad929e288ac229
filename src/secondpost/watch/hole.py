"""A hole in mail software that attackers try: what has it, what its use looks like, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class MailSoftware(StrEnum):
    """Who writes the logs that are understood."""

    OPENSMTPD = "OpenSMTPD"
    POSTFIX = "Postfix"
    EXIM = "Exim"
    SENDMAIL = "Sendmail"
    SECONDPOST = "Secondpost"


SERVERS = (MailSoftware.OPENSMTPD, MailSoftware.POSTFIX, MailSoftware.EXIM, MailSoftware.SENDMAIL)


@dataclass(frozen=True, slots=True)
class KnownHole:
    """`behind`: the mail servers that have it, or that pass the text on to the software that has it.
    `rules`: ids of the rules that find its use; none, if a log does not show it.
    """

    cves: tuple[str, ...]
    software: str
    behind: tuple[MailSoftware, ...]
    rules: tuple[str, ...]
    versions: str
    debian: tuple[str, ...]  # package versions that mend it
    needs: str
    effect: str  # follows "would have"
    in_log: str
    on_machine: str
    to_do: str
    source: str
    unchecked: str = ""

    @property
    def name(self) -> str:
        return ", ".join(self.cves) if len(self.cves) > 0 else self.software


AS_ROOT = (
    "New lines in root's and the system's crontabs, keys in ~root/.ssh/authorized_keys, users with "
    "number 0, programs in /tmp, /var/tmp and /dev/shm, unknown listeners (ss -lntup), units and "
    "files changed since (find / -xdev -newermt DATE -type f), packages that differ (debsums -c, rpm -Va)."
)
AS_SERVER = (
    "Crashes in the kernel's and the server's log about that time (segfault, signal 11), programs of the "
    "mail server's user that are no part of it (ps -u), its crontab, files of it in /tmp, /var/tmp and "
    "/dev/shm."
)
INVADED = (
    "take the machine off the network, keep an image of its disk, install it anew, and change every key and "
    "password that lay on it."
)

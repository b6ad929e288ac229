"""A line of the log as an entry of systemd's journal, in its native protocol.

The protocol: one datagram per entry, one KEY=value per line (systemd, "Native Journal Protocol"). Our
values have no line ends, since the log escapes them, so its second form, with lengths, is not needed;
and our lines are bounded, so an entry always fits into a datagram.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

IDENTIFIER = "secondpost"
PREFIX = "SECONDPOST_"
# syslog(3): err, warning, notice, info.
ERR, WARNING, NOTICE, INFO = 3, 4, 5, 6
PRIORITIES: Mapping[str, int] = MappingProxyType(
    {
        "alarm": WARNING,
        "log-dropped": WARNING,
        "not-monitored": WARNING,
        "not-reloaded": WARNING,
        "not-upgraded": WARNING,
        "went-back": WARNING,
        "alarm-over": NOTICE,
        "failed": NOTICE,
        "kept": NOTICE,
        "maybe-duplicate": NOTICE,
        "site-down": NOTICE,
        "site-up": NOTICE,
        "unknown": NOTICE,
    }
)
_PAIR = re.compile(r' ([a-z_][a-z0-9_]*)=("(?:[^"\\]|\\.)*"|[^ ]*)')


def journal_entry(role: str, text: str) -> bytes:
    """`text`: a line of maillog. Each of its keys becomes a field, with the value as it is in the line,
    without quotation marks. An id of one recipient is there twice, so that the message's id finds it too.
    """
    event, _, _ = text.partition(" ")
    fields = [
        f"MESSAGE={text}",
        f"PRIORITY={PRIORITIES.get(event, INFO)}",
        f"SYSLOG_IDENTIFIER={IDENTIFIER}",
        f"{PREFIX}ROLE={role}",
        f"{PREFIX}EVENT={event}",
    ]
    for key, value in _PAIR.findall(text):
        plain = value[1:-1] if value.startswith('"') else value
        fields.append(f"{PREFIX}{key.upper()}={plain}")
        if key == "id" and "/" in plain:
            fields.append(f"{PREFIX}ID={plain.partition('/')[0]}")
    return "\n".join([*fields, ""]).encode("utf-8", "backslashreplace")

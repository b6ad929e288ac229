"""What all sites of a provider with a profile share in the lane of issues: connections and a rate. Pure.

The rate begins at the profile's and rises by a third of a mail per minute with each mail delivered, so
it doubles in some two minutes of sending. It halves when the provider says that it is too much, and
then rises more slowly.
"""

from collections.abc import Callable

from secondpost.deliver.mail_bucket import MailBucket
from secondpost.deliver.pace import Pace
from secondpost.mail.duration import SECOND_MS
from secondpost.mail.provider import ProviderProfile
from secondpost.mail.reply import Reply

RISE_PER_MAIL = 1 / 3  # mails per minute
RISE_PER_MAIL_MIN = RISE_PER_MAIL / 64
MAILS_PER_MINUTE_MIN = 1.0
MAILS_PER_MINUTE_MAX = 6_000.0
OBJECTIONS_TOGETHER_MS = 10 * SECOND_MS  # replies of one volley count as one objection

OpenOfSite = Callable[[], int]  # the connections of a site that are open or being opened


class ProviderShare:
    def __init__(self, profile: ProviderProfile, connections_max: int, now_ms: int) -> None:
        """`connections_max`: the owner's limit (`connections_per_site`)."""
        self.mails_per_connection = profile.mails_per_connection
        self.pace = Pace(min(profile.connections, connections_max))
        self.mails_per_minute = float(profile.mails_per_minute)
        self.bucket = MailBucket(self.mails_per_minute / 60, now_ms)
        self._rise = RISE_PER_MAIL
        self._objected_ms: int | None = None
        self._sites: dict[str, OpenOfSite] = {}
        self._is_wanted = False  # a site waits for a connection

    @property
    def open(self) -> int:
        return sum(opened() for opened in self._sites.values())

    @property
    def _taken(self) -> int:
        """Connections, at least one for each site."""
        return sum(max(opened(), 1) for opened in self._sites.values())

    def expect(self, site: str) -> None:
        """Keep a connection for a site that is about to begin."""
        self._sites.setdefault(site, _none)
        self._is_wanted = False

    def begin(self, site: str, opened: OpenOfSite) -> None:
        self._sites[site] = opened

    def end(self, site: str) -> None:
        self._sites.pop(site, None)

    def limit(self, site: str, stalled: int) -> int:
        """How many connections the site may have; one always, so that it can go on."""
        others = sum(max(opened(), 1) for of, opened in self._sites.items() if of != site)
        return max(self.pace.limit(stalled) - others - self._is_wanted, 1)

    def has_room(self, site: str) -> bool:
        """Whether the site may begin. If not, a site with several connections gives one up."""
        if site in self._sites or self._taken < self.pace.allowed:
            return True
        self._is_wanted = True
        return False

    def delivered(self) -> None:
        self._set_rate(self.mails_per_minute + self._rise)

    def objected(self, now_ms: int) -> None:
        """Slow down after a reply about load, rate or reputation."""
        if self._objected_ms is not None and now_ms - self._objected_ms < OBJECTIONS_TOGETHER_MS:
            return
        self._objected_ms = now_ms
        self._rise = max(self._rise / 4, RISE_PER_MAIL_MIN)
        self._set_rate(self.mails_per_minute / 2)

    def _set_rate(self, mails_per_minute: float) -> None:
        self.mails_per_minute = min(max(mails_per_minute, MAILS_PER_MINUTE_MIN), MAILS_PER_MINUTE_MAX)
        self.bucket.per_second = self.mails_per_minute / 60


def is_objection(reply: Reply) -> bool:
    """Whether a provider's 4xx asks for less mail: 421, 4.3.2, 4.4.5, 4.7.x."""
    status = reply.status
    return reply.is_temporary and (
        reply.code == 421 or status[2:5] in ("3.2", "4.5") or status.startswith("4.7.")
    )


def _none() -> int:
    return 0

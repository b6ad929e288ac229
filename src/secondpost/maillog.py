"""The log is an interface: one function per thing that can happen to a message (docs/log.md).

A line is `what key=value …`: fixed words, values quoted if they contain anything but plain
characters. Control characters are escaped, and every value is cut to a bound.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from secondpost.mail.address import Domain, Endpoint, Mailbox, ReversePath
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import DeliveryId, KeptFor
from secondpost.mail.envelope import Arrival
from secondpost.mail.issue import Issue, Reckoning
from secondpost.mail.outcome import Cause
from secondpost.mail.printable import printable
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.mail.reply import Reply
from secondpost.mail.walls import StandingWalls

VALUE_CHARACTERS_MAX = 300
_PLAIN = re.compile(r"[A-Za-z0-9@._+/:<>\[\]*#%~^&!,;-]+")
# A token with its purpose, anywhere: other hosts repeat our addresses, and senders misspell them.
_TOKEN = re.compile(r"\b(b|leave|confirm)-[a-z2-7]{20,}", re.IGNORECASE)

Sink = Callable[[str], None]


def value_text(value: object) -> str:
    text = str(value)
    if len(text) > VALUE_CHARACTERS_MAX:
        text = text[:VALUE_CHARACTERS_MAX] + "…"
    if _PLAIN.fullmatch(text) is not None:
        return text
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    escaped = printable(text.replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{escaped}"'


def _without_tokens(words: object) -> str:
    """Text from outside, with tokens removed."""
    text = str(words)
    return _TOKEN.sub(r"\1-*", text) if "-" in text else text


@dataclass(frozen=True, slots=True)
class MailLog:
    """Writes lines to a sink, which must not block: the real one hands them to a thread.

    Addresses at `bounces` contain tokens, which act for the reader: only their purpose is logged,
    also where a command or reply of another host repeats them.
    """

    sink: Sink
    bounces: Domain | None = None

    def _say(self, what: str, **values: object) -> None:
        pairs = " ".join(f"{key}={value_text(value)}" for key, value in values.items())
        self.sink(f"{what} {pairs}")

    def _address(self, path: ReversePath) -> str:
        if isinstance(path, Mailbox) and path.domain == self.bounces:
            purpose, dash, _ = path.local.partition("-")
            return f"{purpose}{dash}{'*' if len(dash) > 0 else ''}@{path.domain}"
        return _without_tokens(str(path))

    def _to(self, to: Mailbox, first: Mailbox | None) -> dict[str, str]:
        written = {"to": self._address(to)}
        return written if first is None else {**written, "for": self._address(first)}

    # -- receive and policy
    def connected(self, peer: str) -> None:
        self._say("connected", peer=peer)

    def refused_connection(self, peer: str, reason: str) -> None:
        self._say("refused-connection", peer=peer, reason=reason)

    def refused(
        self, peer: str, sender: ReversePath, recipient: Mailbox | None, reply: Reply, reason: str
    ) -> None:
        to = "" if recipient is None else self._address(recipient)
        self._say(
            "refused",
            peer=peer,
            sender=f"<{self._address(sender)}>",
            to=to,
            reason=reason,
            reply=_without_tokens(reply),
        )

    def accepted(self, arrival: Arrival) -> None:
        """Formatted directly, since it is written for each message; only names from outside may
        need quotes.
        """
        envelope, peer = arrival.envelope, arrival.peer
        self.sink(
            f"accepted id={queue_id_text(arrival.queue_id)} lane={arrival.lane} "
            f"sender={value_text(f'<{self._address(envelope.sender)}>')} "
            f"recipients={len(envelope.recipients)} size={arrival.size} "
            f"peer={peer.address} helo={value_text(peer.helo)} protocol={peer.protocol}"
        )

    def not_accepted(self, queue_id: QueueId, peer: str, reply: Reply, reason: str) -> None:
        self._say(
            "not-accepted", id=queue_id_text(queue_id), peer=peer, reason=reason, reply=_without_tokens(reply)
        )

    def normalized(self, queue_id: QueueId, peer: str, newlines: int) -> None:
        self._say("normalized", id=queue_id_text(queue_id), peer=peer, newlines=newlines)

    def forged_results(self, queue_id: QueueId, peer: str, fields: int) -> None:
        self._say("forged-results", id=queue_id_text(queue_id), peer=peer, fields=fields)

    def protocol_fault(self, peer: str, fault: str) -> None:
        self._say("protocol-fault", peer=peer, fault=_without_tokens(fault))

    def attack(self, peer: str, rule: str, grade: str, cves: Sequence[str], place: str, sample: str) -> None:
        """An attack was found in a session; nothing was answered differently because of it."""
        self._say(
            "attack",
            peer=peer,
            rule=rule,
            grade=grade,
            cve=",".join(cves),
            place=place,
            sample=_without_tokens(sample),
        )

    def watch_failed(self, peer: str, error: str) -> None:
        """A session is no longer watched for attacks, because of a bug."""
        self._say("watch-failed", peer=peer, error=error)

    def lost_connection(self, peer: str, phase: str) -> None:
        self._say("lost-connection", peer=peer, phase=phase)

    def not_logged(self, peer: str, line: str, times: int) -> None:
        """Lines withheld by the limits, of one client or of a network in a minute."""
        self._say("not-logged", peer=peer, line=line, times=times)

    # -- deliver
    def delivered(
        self,
        id: DeliveryId,
        to: Mailbox,
        host: str,
        reply: Reply,
        delay_ms: int,
        first: Mailbox | None = None,
    ) -> None:
        """`first`, here and below: the original recipient, if the owner redirected the delivery."""
        # Formatted directly, since it is written for each mail that leaves.
        whom = f"to={value_text(self._address(to))}"
        if first is not None:
            whom = f"{whom} for={value_text(self._address(first))}"
        said = value_text(_without_tokens(reply))
        self.sink(
            f"delivered id={id} {whom} host={value_text(host)} delay={delay_ms / 1000:.3f} reply={said}"
        )

    def deferred(
        self,
        id: DeliveryId,
        to: Mailbox,
        cause: Cause,
        host: str,
        reply: Reply,
        again_ms: int,
        first: Mailbox | None = None,
    ) -> None:
        self._say(
            "deferred",
            id=id,
            **self._to(to, first),
            cause=cause.word,
            level=cause.level,
            host=host,
            again=f"{again_ms / 1000:.0f}",
            reply=_without_tokens(reply),
        )

    def kept(
        self,
        id: DeliveryId,
        to: Mailbox,
        kept_for: KeptFor,
        host: str,
        reply: Reply,
        first: Mailbox | None = None,
    ) -> None:
        self._say("kept", id=id, **self._to(to, first), why=kept_for, host=host, reply=_without_tokens(reply))

    def failed(
        self,
        id: DeliveryId,
        to: Mailbox,
        cause: Cause,
        host: str,
        reply: Reply,
        first: Mailbox | None = None,
    ) -> None:
        self._say(
            "failed", id=id, **self._to(to, first), cause=cause.word, host=host, reply=_without_tokens(reply)
        )

    def unknown(self, id: DeliveryId, to: Mailbox, host: str) -> None:
        """Mail of an issue: the final dot was sent and no reply came."""
        self._say("unknown", id=id, to=self._address(to), host=host)

    def maybe_duplicate(self, id: DeliveryId, why: str) -> None:
        self._say("maybe-duplicate", id=id, why=why)

    # -- sites
    def site_down(self, site: str, cause: Cause, detail: str) -> None:
        self._say("site-down", site=site, cause=cause.word, detail=_without_tokens(detail))

    def site_up(self, site: str, down_ms: int) -> None:
        self._say("site-up", site=site, down=f"{down_ms / 1000:.0f}")

    # -- the newsletter
    def no_issue(self, newsletter: str, slot: str, outcome: str, reason: str) -> None:
        """A slot passed without an issue, and will not return."""
        self._say("no-issue", newsletter=newsletter, slot=slot, outcome=outcome, reason=reason)

    def issue_forecast(self, issue: Issue, readers: int, days: int | None, text: str) -> None:
        """`days`: UTC days with mail; None: more than can be foreseen."""
        self._say(
            "issue-forecast",
            newsletter=issue.newsletter,
            number=issue.number,
            readers=readers,
            days="" if days is None else days,
            forecast=text,
        )

    def issue_frozen(self, issue: Issue) -> None:
        self._say(
            "issue-frozen",
            newsletter=issue.newsletter,
            number=issue.number,
            articles=issue.article_count,
            readers=issue.planned,
            subject=issue.subject,
        )

    def issue_leaves(self, issue: Issue) -> None:
        self._say("issue-leaves", newsletter=issue.newsletter, number=issue.number, readers=issue.planned)

    def issue_done(self, issue: Issue, counts: Reckoning) -> None:
        self._say(
            "issue-done",
            newsletter=issue.newsletter,
            number=issue.number,
            readers=counts.planned,
            delivered=counts.delivered,
            suppressed=counts.suppressed,
            failed=counts.failed,
            expired=counts.expired,
            stopped=counts.stopped,
            unknown=counts.unknown,
        )

    def bounces_weighed(self, issue: Issue, suspended: int, held: int) -> None:
        self._say(
            "bounces-weighed",
            newsletter=issue.newsletter,
            number=issue.number,
            suspended=suspended,
            held=held,
        )

    def sign_ups_crowded(self, newsletter: str, domain: Domain) -> None:
        """A confirmation was withheld. Strangers can cause it, so it is no alarm."""
        self._say("sign-ups-crowded", newsletter=newsletter, domain=domain.name)

    # -- the web pages
    def pages_crowded(self, connected: int, closed: int, turned_away: int) -> None:
        """Counts since the last such line. Clients can cause it, so it is no alarm."""
        self._say("pages-crowded", connected=connected, closed=closed, turned_away=turned_away)

    # -- the service
    def certificate_installed(self, names: Sequence[str], issuer: str, ends: str) -> None:
        self._say("certificate-installed", names=",".join(names), issuer=issuer, ends=ends)

    def store_moved(self, store: str) -> None:
        """What an older version had in one folder lies in the store's rooms now."""
        self._say("store-moved", path=store)

    def store_migrated(self, database: str, old: int, schema: int, copy: str) -> None:
        """A new version of the program changed the schema; `copy` is the database as it was, or "none"."""
        self._say("store-migrated", database=database, old=old, schema=schema, copy=copy)

    def role_started(self, role: str, worker: int) -> None:
        self._say("role-started", role=role, worker=worker)

    def listening(self, role: str, address: str) -> None:
        self._say("listening", role=role, address=address)

    def walls(self, role: str, walls: StandingWalls) -> None:
        landlock = "no" if walls.landlock == 0 else walls.landlock
        seccomp = "yes" if walls.has_seccomp else "no"
        self._say("walls", role=role, landlock=landlock, seccomp=seccomp, gaps=",".join(walls.gaps))

    def role_stopped(self, role: str, reason: str) -> None:
        self._say("role-stopped", role=role, reason=reason)

    def not_monitored(self, endpoint: Endpoint, why: str) -> None:
        """The usual address of `[metrics]` cannot be had."""
        self._say("not-monitored", listen=endpoint, why=why)

    def reloaded(self, path: str, changes: Sequence[str]) -> None:
        """All roles run with what the file says now."""
        self._say("reloaded", path=path, changes=", ".join(changes))

    def not_reloaded(self, fault: str) -> None:
        """One reason why a changed configuration was refused as a whole."""
        self._say("not-reloaded", fault=fault)

    def upgraded(self, old: str, new: str) -> None:
        """The service runs another version of the program, which was found to be in order."""
        self._say("upgraded", old=old, new=new)

    def not_upgraded(self, why: str) -> None:
        """One reason why another version of the program was not taken, or not kept."""
        self._say("not-upgraded", why=why)

    def upgrade_holds(self, version: str) -> None:
        """Callers wait while another version of the program changes the store and is looked at."""
        self._say("upgrade-holds", version=version)

    def went_back(self, old: str, version: str) -> None:
        """The former version of the program runs again."""
        self._say("went-back", old=old, new=version)

    def store_back(self, store: str) -> None:
        """An upgrade was broken off while it held the store: its databases are as they were before."""
        self._say("store-back", path=store)

    def policy_changed(self, domain: Domain, identity: str, hosts: Sequence[str]) -> None:
        """The MTA-STS policy that is served for a domain is a new one."""
        self._say("policy-changed", domain=str(domain), id=identity, hosts=", ".join(hosts))

    def swept(self, workers: int, maybe_duplicates: int, files: int) -> None:
        self._say("swept", workers=workers, maybe_duplicates=maybe_duplicates, files=files)

    def dropped(self, domain: Domain, deliveries: int, octets: int, why: str) -> None:
        """Deliveries that the primary refused and that are no longer kept."""
        self._say("dropped", domain=domain, deliveries=deliveries, octets=octets, why=why)

    def expired(self, domain: str, deliveries: int) -> None:
        self._say("expired", domain=domain, deliveries=deliveries)

    def alarm(self, kind: AlarmKind, detail: str) -> None:
        """Something the owner must know."""
        self._say("alarm", about=kind.word, detail=_without_tokens(detail))

    def alarm_over(self, kind: AlarmKind, detail: str) -> None:
        """The reason of an alarm is mended."""
        self._say("alarm-over", about=kind.word, detail=_without_tokens(detail))

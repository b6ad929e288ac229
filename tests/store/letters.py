"""Mail for tests of the store."""

from collections.abc import Sequence

from secondpost.mail.address import Mailbox, parse_reverse_path
from secondpost.mail.content import Content, InTable
from secondpost.mail.delivery import Claimed, State
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer
from secondpost.mail.queue_id import QueueIds
from secondpost.store.ports import Lease, Settlement
from tests.store.place import Place, Store

PEER = Peer("192.0.2.1", "mail.sender.example", "ESMTPS", "TLSv1.3 TLS_AES_256_GCM_SHA384")
UNSORTED = "unsorted"
HELLO = InTable(b"Subject: hello\r\n\r\nGood day.\r\n")


class Letters:
    """Sends mail into one store; each letter arrives a millisecond after the previous one."""

    def __init__(self, place: Place, store: Store, worker: int | None = None) -> None:
        self._clock = place.clock
        self._store = store
        self._ids = QueueIds(store.worker if worker is None else worker)

    def arrival(
        self,
        *recipients: str,
        sender: str = "somebody@sender.example",
        content: Content = HELLO,
        lane: Lane = Lane.RELAY,
        prefix: bytes = b"",
    ) -> Arrival:
        self._clock.ms += 1
        envelope = Envelope(parse_reverse_path(sender), tuple(Mailbox.parse(text) for text in recipients))
        queue_id = self._ids.next(self._clock.ms)
        return Arrival(queue_id, lane, envelope, PEER, self._clock.ms, content, prefix=prefix)

    async def send(
        self, *recipients: str, lane: Lane = Lane.RELAY, content: Content = HELLO, prefix: bytes = b""
    ) -> Arrival:
        arrival = self.arrival(*recipients, lane=lane, content=content, prefix=prefix)
        await self._store.accept(arrival)
        return arrival


async def leased(store: Store, site: str = UNSORTED, lane: Lane = Lane.RELAY) -> Lease:
    lease = await store.lease(lane, site)
    assert lease is not None
    return lease


def settled(
    claimed: Claimed,
    state: State,
    at_ms: int,
    *,
    due_ms: int = 0,
    cause: str = "",
    attempted: bool = True,
    maybe_duplicate: bool = False,
) -> Settlement:
    return Settlement(
        claimed.id,
        state,
        at_ms,
        due_ms=due_ms,
        attempted=attempted,
        cause=cause,
        host="mx.example.net" if attempted else "",
        reply="said something" if attempted else "",
        maybe_duplicate=maybe_duplicate,
    )


def recipients(claimed: Sequence[Claimed]) -> list[str]:
    return [str(one.recipient) for one in claimed]

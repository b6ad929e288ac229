"""A stub resolver with a cache: mail hosts, addresses, texts and what a check of a zone asks for, from
configured servers.

protocols/dns/lookup decides which server to query, protocols/dns/cache keeps the answers,
dns_upstream sends the queries. Concurrent requests for the same question share one look-up.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from secondpost.config.files import OpenToRead, open_to_read
from secondpost.mail.address import Domain, Endpoint, as_ip
from secondpost.mail.dns_questions import (
    AliasAnswer,
    CaaAnswer,
    CaaRecord,
    DsAnswer,
    NsAnswer,
    PtrAnswer,
    TlsaAnswer,
    TlsaRecord,
    ZoneAnswer,
)
from secondpost.mail.questions import AddressAnswer, Finding, MxAnswer, MxRecord, TxtAnswer
from secondpost.protocols.dns.cache import DnsCache
from secondpost.protocols.dns.lookup import (
    FAILED,
    DnsAnswer,
    DnsQuestion,
    RecordType,
    TimedReply,
    UnusableMx,
    look_up,
)
from secondpost.world.ports import Dice
from secondpost.world.real.dns_servers import RESOLV_CONF, Servers, reaches_ipv6

if TYPE_CHECKING:
    from secondpost.world.real.dns_upstream import Upstream

LOOK_SECONDS = 10.0  # how often to check for changes of this machine's DNS servers and routes
PENALTY_SECONDS = 30.0  # how long a server that did not reply is queried after the others
LOOKUPS_MAX = 2_000  # concurrent look-ups; more are answered FAILED, which is not cached


class RealResolver:
    def __init__(
        self,
        servers: Sequence[Endpoint],
        dice: Dice,
        *,
        has_ipv6: Callable[[], bool] = reaches_ipv6,
        resolv_conf: str = RESOLV_CONF,
        open_file: OpenToRead = open_to_read,
    ) -> None:
        """`servers`: IP addresses with ports; empty means those of resolv.conf, which `open_file` opens."""
        self._servers = Servers(servers, resolv_conf, open_file)
        self._dice = dice
        self._has_ipv6 = has_ipv6
        self._ipv6_first = False
        self._upstreams: list[Upstream] = []
        self._cache = DnsCache()
        self._on_the_way: dict[DnsQuestion, asyncio.Task[DnsAnswer]] = {}
        self._looked: float | None = None

    async def mx(self, domain: Domain) -> MxAnswer:
        if domain.is_literal:
            return MxAnswer(Finding.NO_DATA)
        answer = await self._resolve(DnsQuestion(domain.name, RecordType.MX))
        records = [record for record in answer.records if isinstance(record, MxRecord)]
        # RFC 5321 §5.1: equal preferences in random order, to spread the load.
        records = sorted(self._dice.shuffled(records), key=lambda record: record.preference)
        unusable = tuple(record.host for record in answer.records if isinstance(record, UnusableMx))
        return MxAnswer(answer.finding, tuple(records), unusable)

    async def addresses(self, host: str) -> AddressAnswer:
        address = as_ip(host)
        if address is not None:
            return AddressAnswer(Finding.FOUND, (str(address),))
        name = host.rstrip(".").lower()
        if len(name) == 0:  # the root, which a null MX names
            return AddressAnswer(Finding.NO_DATA)
        of_six, of_four = DnsQuestion(name, RecordType.AAAA), DnsQuestion(name, RecordType.A)
        six, four = self._known(of_six), self._known(of_four)
        if six is not None and four is not None:  # no tasks if both are cached
            return self._together(six, four)
        return self._together(*await asyncio.gather(self._resolve(of_six), self._resolve(of_four)))

    async def address_records(self, host: str, version: Literal[4, 6]) -> AddressAnswer:
        answer = await self._records(host, RecordType.A if version == 4 else RecordType.AAAA)
        return AddressAnswer(answer.finding, _texts(answer))

    async def txt(self, name: str) -> TxtAnswer:
        answer = await self._records(name, RecordType.TXT)
        return TxtAnswer(answer.finding, _texts(answer))

    async def ptr(self, address: str) -> PtrAnswer:
        ip = as_ip(address)
        if ip is None:
            return PtrAnswer(Finding.FAILED)
        answer = await self._records(ip.reverse_pointer, RecordType.PTR)
        return PtrAnswer(answer.finding, _texts(answer))

    async def tlsa(self, name: str) -> TlsaAnswer:
        answer = await self._records(name, RecordType.TLSA)
        records = tuple(record for record in answer.records if isinstance(record, TlsaRecord))
        return TlsaAnswer(answer.finding, records, answer.is_validated, answer.ttl_seconds)

    async def caa(self, name: str) -> CaaAnswer:
        answer = await self._records(name, RecordType.CAA)
        records = tuple(record for record in answer.records if isinstance(record, CaaRecord))
        return CaaAnswer(answer.finding, records)

    async def alias(self, name: str) -> AliasAnswer:
        answer = await self._records(name, RecordType.CNAME)
        return AliasAnswer(answer.finding, "".join(_texts(answer)[:1]))

    async def zone_of(self, name: str) -> ZoneAnswer:
        # A name without SOA is answered with the SOA of its zone (RFC 2308 §2).
        answer = await self._records(name, RecordType.SOA)
        zone = answer.zone if answer.finding is not Finding.FOUND else "".join(_texts(answer)[:1])
        if len(zone) == 0:
            return ZoneAnswer(Finding.FAILED)
        return ZoneAnswer(Finding.FOUND, zone, answer.is_validated)

    async def ds(self, zone: str) -> DsAnswer:
        answer = await self._records(zone, RecordType.DS)
        return DsAnswer(answer.finding)

    async def ns(self, zone: str) -> NsAnswer:
        answer = await self._records(zone, RecordType.NS)
        return NsAnswer(answer.finding, _texts(answer))

    async def _records(self, name: str, kind: RecordType) -> DnsAnswer:
        return await self._resolve(DnsQuestion(name.rstrip(".").lower(), kind))

    def _together(self, six: DnsAnswer, four: DnsAnswer) -> AddressAnswer:
        ordered = (six, four) if self._ipv6_first else (four, six)
        found = [record for answer in ordered for record in answer.records if isinstance(record, str)]
        if len(found) > 0:
            return AddressAnswer(Finding.FOUND, tuple(dict.fromkeys(found)))
        return AddressAnswer(_worst(six.finding, four.finding))

    def close(self) -> None:
        """Close; callers that still wait get FAILED."""
        for task in self._on_the_way.values():
            task.cancel()
        for upstream in self._upstreams:
            upstream.close()

    def _known(self, question: DnsQuestion) -> DnsAnswer | None:
        return self._cache.get(question, asyncio.get_running_loop().time())

    async def _resolve(self, question: DnsQuestion) -> DnsAnswer:
        known = self._known(question)
        if known is not None:
            return known
        task = self._on_the_way.get(question)
        if task is None:
            if len(self._on_the_way) >= LOOKUPS_MAX:
                return FAILED
            task = asyncio.get_running_loop().create_task(self._look_up(question))
            self._on_the_way[question] = task
        # A caller that is cancelled does not stop the look-up: others may wait for it, and it fills
        # the cache.
        await asyncio.wait([task])
        return FAILED if task.cancelled() else task.result()

    async def _look_up(self, question: DnsQuestion) -> DnsAnswer:
        loop = asyncio.get_running_loop()
        try:
            answer = await self._ask(question)
            self._cache.put(question, answer, loop.time())
        finally:
            del self._on_the_way[question]
        return answer

    async def _ask(self, question: DnsQuestion) -> DnsAnswer:
        loop = asyncio.get_running_loop()
        self._look_around(loop.time())
        upstreams = tuple(self._upstreams)
        decision = look_up(question, _order(upstreams, loop.time()))
        try:
            ask = next(decision)
            while True:
                begun = loop.time()
                reply = await upstreams[ask.server].ask(ask)
                ask = decision.send(TimedReply(reply, loop.time() - begun))
        except StopIteration as stop:
            answer: DnsAnswer = stop.value
            return answer

    def _look_around(self, now: float) -> None:
        if self._looked is not None and now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        self._ipv6_first = self._has_ipv6()
        servers = self._servers.now()
        if servers != tuple(upstream.endpoint for upstream in self._upstreams):
            for upstream in self._upstreams:
                upstream.close()
            # With the library for DNS messages: roles that never ask do not hold it in memory.
            from secondpost.world.real.dns_upstream import Upstream

            self._upstreams = [Upstream(endpoint, self._dice) for endpoint in servers]


def _texts(answer: DnsAnswer) -> tuple[str, ...]:
    return tuple(record for record in answer.records if isinstance(record, str))


def _order(upstreams: "Sequence[Upstream]", now: float) -> list[int]:
    """The given order, but servers that did not reply recently come last."""

    def is_sulking(place: int) -> bool:
        at = upstreams[place].silent_at
        return at is not None and now - at < PENALTY_SECONDS

    return sorted(range(len(upstreams)), key=is_sulking)


def _worst(one: Finding, other: Finding) -> Finding:
    """The finding if both queries found nothing: a failure first, since it leaves all unknown."""
    for finding in (Finding.FAILED, Finding.NO_DATA):
        if finding in (one, other):
            return finding
    return Finding.NO_NAME

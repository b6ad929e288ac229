"""Globalping: which probes try to connect to an address, and what they found. Pure.

Its API is described at globalping.io/docs/api.globalping.io. A `ping` of protocol TCP is an attempt to
connect; it needs no answer to ICMP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from secondpost.mail.printable import printable
from secondpost.mail.reach import ProbeLook, ProbeNetwork, ReachFinding
from secondpost.protocols.role_questions import Number
from secondpost.protocols.service_questions import ServiceRequest, ServiceResult, WebService
from secondpost.watch.reach.answers import AsNumber, SourceFailed, usable

SMTP_PORT = 25
PACKETS = 3
PROBES_PER_COUNTRY = 3
CONTROL_PROBES = 2
EYEBALLS = "eyeball-network"  # its tag for probes at homes and offices, where the senders are
ANSWER_OCTETS_MAX = 1_000_000
NAME_CHARACTERS_MAX = 60  # of a network


class _PingCreated(msgspec.Struct):
    id: str


class _Probe(msgspec.Struct):
    country: str
    asn: AsNumber
    network: str = ""


class _Stats(msgspec.Struct):
    total: Number | None = None
    rcv: Number | None = None


class _Result(msgspec.Struct):
    status: str
    stats: _Stats | None = None


class _PingItem(msgspec.Struct):
    probe: _Probe
    result: _Result


class _Measurement(msgspec.Struct):
    status: str
    results: list[_PingItem]


_CREATED = msgspec.json.Decoder(_PingCreated)
_MEASUREMENT = msgspec.json.Decoder(_Measurement)


@dataclass(frozen=True, slots=True)
class PingBegun:
    """A measurement has begun; its answer is asked for by this id."""

    id: str


@dataclass(frozen=True, slots=True)
class StillRunning:
    """Not all probes have finished."""


@dataclass(frozen=True, slots=True)
class Looked:
    looks: tuple[ProbeLook, ...]


def measurement_request(
    address: str, countries: Mapping[str, Sequence[ProbeNetwork]], control: str
) -> ServiceRequest:
    """A TCP connection to port 25 from each country. Its networks are asked by number first; the other
    probes are at eyeball networks of Globalping's choice.
    """
    locations: list[dict[str, object]] = []
    for country, networks in countries.items():
        locations += [{"country": country, "asn": one.asn, "limit": 1} for one in networks]
        others = max(1, PROBES_PER_COUNTRY - len(networks))
        locations.append({"country": country, "tags": [EYEBALLS], "limit": others})
    locations.append({"country": control, "limit": CONTROL_PROBES})
    document = {
        "type": "ping",
        "target": address,
        "locations": locations,
        "measurementOptions": {"protocol": "TCP", "port": SMTP_PORT, "packets": PACKETS},
    }
    body = msgspec.json.encode(document)
    return ServiceRequest(WebService.GLOBALPING, "/v1/measurements", body, ANSWER_OCTETS_MAX)


def tests_in(countries: Mapping[str, Sequence[ProbeNetwork]]) -> int:
    """How many tests a measurement costs at most: one for each probe."""
    probes = [len(networks) + max(1, PROBES_PER_COUNTRY - len(networks)) for networks in countries.values()]
    return sum(probes) + CONTROL_PROBES


def read_created(result: ServiceResult) -> PingBegun | SourceFailed:
    created = usable(result, _CREATED)
    if isinstance(created, SourceFailed):
        return created
    if not _is_id(created.id):
        return SourceFailed("answered with an id that is none")
    return PingBegun(created.id)


def _is_id(written: str) -> bool:
    return (
        0 < len(written) <= 64 and written.isascii() and written.replace("-", "").replace("_", "").isalnum()
    )


def result_request(created: PingBegun) -> ServiceRequest:
    path = f"/v1/measurements/{created.id}"
    return ServiceRequest(WebService.GLOBALPING, path, octets_max=ANSWER_OCTETS_MAX)


def read_measurement(result: ServiceResult) -> Looked | StillRunning | SourceFailed:
    found = usable(result, _MEASUREMENT)
    if isinstance(found, SourceFailed):
        return found
    if found.status == "in-progress":
        return StillRunning()
    return Looked(tuple(_look(item) for item in found.results))


def _look(item: _PingItem) -> ProbeLook:
    probe = item.probe
    network = ProbeNetwork(probe.asn, printable(probe.network)[:NAME_CHARACTERS_MAX])
    return ProbeLook(printable(probe.country)[:2].upper(), network, _finding(item.result))


def _finding(result: _Result) -> ReachFinding:
    """Only a finished test says something of the address. A refused connection is one that fails."""
    stats = result.stats
    if result.status != "finished" or stats is None or stats.rcv is None or stats.total is None:
        return ReachFinding.UNKNOWN
    if stats.rcv > 0:
        return ReachFinding.PASSES
    return ReachFinding.FAILS if stats.total > 0 else ReachFinding.UNKNOWN

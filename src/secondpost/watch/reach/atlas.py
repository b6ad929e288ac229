"""RIPE Atlas: other probes, asked to confirm what Globalping sees. Pure.

Its API is described at atlas.ripe.net/docs/apis. It has no measurement that only connects, so a
traceroute of protocol TCP to port 25 is asked for: the address answers its last packets with SYN and ACK.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from secondpost.mail.address import as_ip
from secondpost.mail.printable import printable
from secondpost.mail.reach import ProbeLook, ProbeNetwork, ReachFinding
from secondpost.protocols.role_questions import Number
from secondpost.protocols.service_questions import ServiceRequest, ServiceResult, WebService
from secondpost.watch.reach.answers import AsNumber, SourceFailed, usable

SMTP_PORT = 25
PROBES_PER_NETWORK = 2  # of those that are blocked
PROBES_PER_COUNTRY = 4
CONTROL_PROBES = 3
CREDITS_PER_PROBE = 60  # of one traceroute
ANSWER_OCTETS_MAX = 4_000_000
PROBES_ASKED_MAX = 50  # about whose networks one question asks


class _AtlasCreated(msgspec.Struct):
    measurements: list[Number]


class _Packet(msgspec.Struct, rename={"sender": "from"}):
    sender: str = ""
    flags: str = ""
    err: str | int | None = None  # of ICMP, such as "A": forbidden
    error: str = ""  # the probe could not send it


class _Hop(msgspec.Struct):
    result: list[_Packet] = []  # missing if the probe could not send any


class _Trace(msgspec.Struct):
    prb_id: Number
    result: list[_Hop]
    dst_addr: str = ""  # missing if the probe could not begin


class _ProbeInfo(msgspec.Struct):
    id: Number
    country_code: str | None = None
    asn_v4: AsNumber | None = None
    asn_v6: AsNumber | None = None


class _Probes(msgspec.Struct):
    results: list[_ProbeInfo]


_CREATED = msgspec.json.Decoder(_AtlasCreated)
_TRACES = msgspec.json.Decoder(list[_Trace])
_PROBES = msgspec.json.Decoder(_Probes)


@dataclass(frozen=True, slots=True)
class AtlasMeasurement:
    number: int


@dataclass(frozen=True, slots=True)
class AtlasTraces:
    """What each probe found; whose networks they are in is another question."""

    findings: Mapping[int, ReachFinding]  # by probe


def trace_request(
    address: str, country: str, networks: Sequence[ProbeNetwork], control: str
) -> tuple[ServiceRequest, int]:
    """A one-off traceroute from the blocked networks, the country and the control country, and how many
    probes it asks for.
    """
    ip = as_ip(address)
    sources = [{"type": "asn", "value": one.asn, "requested": PROBES_PER_NETWORK} for one in networks]
    sources.append({"type": "country", "value": country, "requested": PROBES_PER_COUNTRY})
    sources.append({"type": "country", "value": control, "requested": CONTROL_PROBES})
    definition = {
        "type": "traceroute",
        "target": address,
        "af": 4 if ip is None else ip.version,
        "protocol": "TCP",
        "port": SMTP_PORT,
        "packets": 3,
        "is_public": True,
        "description": f"TCP port {SMTP_PORT} of a mail server",
    }
    body = msgspec.json.encode({"definitions": [definition], "probes": sources, "is_oneoff": True})
    many = PROBES_PER_NETWORK * len(networks) + PROBES_PER_COUNTRY + CONTROL_PROBES
    return ServiceRequest(WebService.ATLAS, "/api/v2/measurements/", body, ANSWER_OCTETS_MAX), many


def read_atlas_created(result: ServiceResult) -> AtlasMeasurement | SourceFailed:
    created = usable(result, _CREATED)
    if isinstance(created, SourceFailed):
        return created
    if len(created.measurements) != 1 or created.measurements[0] == 0:
        return SourceFailed("did not begin one measurement, as it was asked to")
    return AtlasMeasurement(created.measurements[0])


def traces_request(measurement: AtlasMeasurement) -> ServiceRequest:
    path = f"/api/v2/measurements/{measurement.number}/results/?format=json"
    return ServiceRequest(WebService.ATLAS, path, octets_max=ANSWER_OCTETS_MAX)


def read_traces(result: ServiceResult) -> AtlasTraces | SourceFailed:
    traces = usable(result, _TRACES)
    if isinstance(traces, SourceFailed):
        return traces
    return AtlasTraces({trace.prb_id: _finding(trace) for trace in traces})


def _finding(trace: _Trace) -> ReachFinding:
    """It passes if the address answered with SYN and ACK; a reset from it is a closed port."""
    packets = [packet for hop in trace.result for packet in hop.result if len(packet.error) == 0]
    if len(trace.dst_addr) == 0 or len(packets) == 0:
        return ReachFinding.UNKNOWN
    is_open = any(
        packet.sender == trace.dst_addr and packet.err is None and {"S", "A"} <= set(packet.flags)
        for packet in packets
    )
    return ReachFinding.PASSES if is_open else ReachFinding.FAILS


def networks_request(traced: AtlasTraces) -> ServiceRequest:
    """In which networks the probes are."""
    numbers = ",".join(map(str, sorted(traced.findings)[:PROBES_ASKED_MAX]))
    path = f"/api/v2/probes/?id__in={numbers}&page_size={PROBES_ASKED_MAX}"
    return ServiceRequest(WebService.ATLAS, path, octets_max=ANSWER_OCTETS_MAX)


def read_networks(
    result: ServiceResult, traced: AtlasTraces, address: str
) -> tuple[ProbeLook, ...] | SourceFailed:
    """The looks of all probes whose network is known."""
    probes = usable(result, _PROBES)
    if isinstance(probes, SourceFailed):
        return probes
    ip = as_ip(address)
    is_ipv6 = ip is not None and ip.version == 6
    looks = []
    for probe in probes.results:
        asn = probe.asn_v6 if is_ipv6 else probe.asn_v4
        finding = traced.findings.get(probe.id)
        if asn is not None and finding is not None and probe.country_code is not None:
            looks.append(ProbeLook(printable(probe.country_code)[:2].upper(), ProbeNetwork(asn), finding))
    return tuple(looks)

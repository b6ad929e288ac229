"""The services, as far as they are asked: what their probes find is written as in `seen`."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from secondpost.protocols.service_questions import (
    ServiceAnswer,
    ServiceRequest,
    ServiceResult,
    kept_headers,
)

RECEIVED = {"+": 3, "-": 0}
_COUNTS = ("anomaly_count", "confirmed_count", "failure_count", "ok_count", "measurement_count")
Written = tuple[int, dict[str, str], bytes]  # status, headers, body


@dataclass
class Elsewhere:
    """`probes`: by country, or by address and country; `atlas`: the same for RIPE Atlas."""

    probes: dict[str, str]
    atlas: dict[str, str] = field(default_factory=dict)
    register: list[bytes] = field(default_factory=list)  # its files
    ooni_counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 1))
    failing: dict[str, Written] = field(default_factory=dict)  # by method and first part of the path
    headers: dict[str, str] = field(default_factory=dict)  # of each answer of Globalping
    looks_until_finished: int = 2
    asked: list[str] = field(default_factory=list)  # method and path
    documents: list[dict[str, Any]] = field(default_factory=list)  # that were posted
    keys: list[str] = field(default_factory=list)  # authorizations
    _begun: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    _looked: dict[str, int] = field(default_factory=dict)
    _traced: dict[int, dict[str, Any]] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: bytes, authorization: str = "") -> Written:
        self.asked.append(f"{method} {path}")
        if len(authorization) > 0:
            self.keys.append(authorization)
        for beginning, written in self.failing.items():
            if f"{method} {path}".startswith(beginning):
                return written
        parts = urlsplit(path)
        if len(body) > 0:
            self.documents.append(json.loads(body))
        match [method, *parts.path.strip("/").split("/")]:
            case ["POST", "v1", "measurements"]:
                return self._begin(self.documents[-1])
            case ["GET", "v1", "measurements", id]:
                return self._finish(id)
            case ["POST", "api", "v2", "measurements"]:
                return self._trace(self.documents[-1])
            case ["GET", "api", "v2", "measurements", number, "results"]:
                return _document(200, self._results(int(number)))
            case ["GET", "api", "v2", "probes"]:
                return _document(200, self._networks(parse_qs(parts.query)["id__in"][0]))
            case ["GET", "api", "v1", "aggregation"]:
                return _document(200, {"v": 0, "dimension_count": 0, "result": self.ooni_counts})
            case ["GET", *_, file] if file.startswith("dump-"):
                return self._file(int(file.removeprefix("dump-").removesuffix(".csv")))
        return _document(404, {"error": {"type": "not_found", "message": path}})

    async def ask(self, request: ServiceRequest) -> ServiceResult:
        """In place of the fetch role."""
        method, body = ("GET", b"") if request.body is None else ("POST", request.body)
        status, headers, written = self.answer(method, request.path, body)
        return ServiceAnswer(status, kept_headers(headers), written)

    def _written(self, table: dict[str, str], address: str, country: str) -> list[tuple[int, str]]:
        written = table.get(f"{address} {country}", table.get(country, ""))
        return [(int(one[:-1]), one[-1]) for one in written.split()]

    def _begin(self, document: dict[str, Any]) -> Written:
        target, results, used = str(document["target"]), [], set()
        for location in document["locations"]:
            country = location["country"]
            probes = enumerate(self._written(self.probes, target, country))
            chosen = [
                (country, place, asn, found)
                for place, (asn, found) in probes
                if (country, place) not in used and location.get("asn", asn) == asn
            ][: location["limit"]]
            used |= {(country, place) for country, place, *_ in chosen}
            results += [_result(country, asn, found) for country, _, asn, found in chosen]
        id = f"measurement-{len(self._begun)}"
        self._begun[id] = results
        status, headers, body = _document(202, {"id": id, "probesCount": len(results)})
        return status, {**headers, **self.headers}, body

    def _finish(self, id: str) -> Written:
        self._looked[id] = self._looked.get(id, 0) + 1
        is_over = self._looked[id] >= self.looks_until_finished
        status = "finished" if is_over else "in-progress"
        return _document(200, {"id": id, "status": status, "results": self._begun[id] if is_over else []})

    def _trace(self, document: dict[str, Any]) -> Written:
        number = 71_000_000 + len(self._traced)
        self._traced[number] = document
        return _document(201, {"measurements": [number]})

    def _atlas_probes(self, address: str) -> list[tuple[str, int, str]]:
        named = {key.split()[-1] for key in self.atlas}
        return [
            (country, asn, found)
            for country in sorted(named)
            for asn, found in self._written(self.atlas, address, country)
        ]

    def _results(self, number: int) -> list[dict[str, object]]:
        target = self._traced[number]["definitions"][0]["target"]
        return [
            {"prb_id": probe, "dst_addr": target, "result": [{"hop": 1, "result": _packets(found, target)}]}
            for probe, (_, _, found) in enumerate(self._atlas_probes(target), 1)
        ]

    def _networks(self, ids: str) -> dict[str, object]:
        target = list(self._traced.values())[-1]["definitions"][0]["target"]
        probes = self._atlas_probes(target)
        found = [
            {"id": int(id), "country_code": probes[int(id) - 1][0], "asn_v4": probes[int(id) - 1][1]}
            for id in ids.split(",")
        ]
        return {"results": found}

    def _file(self, number: int) -> Written:
        if number >= len(self.register):
            return 404, {}, b"404: Not Found"
        return 200, {"content-type": "text/plain"}, self.register[number]


def _result(country: str, asn: int, found: str) -> dict[str, object]:
    probe = {"country": country, "asn": asn, "network": f"Net {asn}", "tags": []}
    if found not in RECEIVED:
        return {"probe": probe, "result": {"status": "failed", "rawOutput": ""}}
    stats = {"total": 3, "rcv": RECEIVED[found], "drop": 3 - RECEIVED[found]}
    return {"probe": probe, "result": {"status": "finished", "rawOutput": "", "stats": stats}}


def _packets(found: str, target: str) -> list[dict[str, object]]:
    match found:
        case "+":
            return [{"from": target, "flags": "SA", "rtt": 1.0}]
        case "-":
            return [{"x": "*"}]
        case _:
            return [{"error": "sendto failed: Operation not permitted"}]


def _document(status: int, document: object) -> Written:
    return status, {"content-type": "application/json"}, json.dumps(document).encode()

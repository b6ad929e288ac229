"""A service that answers as OSV does, from the records in tests/advisories, and misbehaves as a test says."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from secondpost.protocols.osv.judging import HoleState, Installed, judge
from secondpost.protocols.osv.records import read_advisory
from secondpost.protocols.service_questions import (
    ServiceAnswer,
    ServiceRequest,
    ServiceResult,
    ServiceSilent,
)
from tests.advisories import RECORDS

Misbehaviour = Callable[[ServiceRequest, ServiceResult], ServiceResult]
FOUND = 200


REAL = {path.stem: path.read_bytes() for path in sorted(RECORDS.iterdir())}


@dataclass
class Osv:
    """`ids`: the records that it has now; `page`: advisories in one page of a query; `unknown`: ecosystems
    that it does not know.
    """

    ids: tuple[str, ...] = tuple(REAL)
    records: Mapping[str, bytes] = field(default_factory=lambda: REAL)
    page: int = 1_000
    unknown: frozenset[str] = frozenset()
    misbehaves: Misbehaviour | None = None
    asked: list[ServiceRequest] = field(default_factory=list)

    async def ask(self, request: ServiceRequest) -> ServiceResult:
        self.asked.append(request)
        answer = self.answer(request.path, request.body)
        return answer if self.misbehaves is None else self.misbehaves(request, answer)

    def answer(self, path: str, body: bytes | None) -> ServiceAnswer:
        if path == "/v1/querybatch" and body is not None:
            return self._batch(json.loads(body)["queries"])
        id = path.removeprefix("/v1/vulns/")
        if id not in self.ids:
            return ServiceAnswer(404, {}, b'{"code":5,"message":"Bug not found."}')
        return ServiceAnswer(FOUND, {}, self.records[id])

    def _batch(self, queries: list[dict[str, object]]) -> ServiceAnswer:
        results = []
        for query in queries:
            package = query["package"]
            assert isinstance(package, dict)
            ecosystem, name = package["ecosystem"], package["name"]
            if ecosystem in self.unknown:
                return ServiceAnswer(400, {}, b'{"code":3,"message":"Invalid ecosystem."}')
            plain = name.removeprefix("https://").removesuffix(".git")
            found = self._found(Installed("", ecosystem, plain, str(query.get("version", ""))))
            start = int(str(query.get("page_token", "0")))
            rest = found[start + self.page :]
            result: dict[str, object] = {"vulns": found[start : start + self.page]} if len(found) > 0 else {}
            if len(rest) > 0:
                result["next_page_token"] = str(start + self.page)
            results.append(result)
        return ServiceAnswer(FOUND, {}, json.dumps({"results": results}).encode())

    def _found(self, installed: Installed) -> list[dict[str, str]]:
        """As the real one, it names only what it thinks affects a version, and all if none was named."""
        found = []
        for id in self.ids:
            one = read_advisory(self.records[id])
            judged = judge(one, installed)
            is_affected = judged is not None and judged.state is HoleState.AFFECTED
            if is_affected or (installed.version == "" and judged is not None):
                found.append({"id": id, "modified": one.modified})
        return found

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]


def silent(request: ServiceRequest, answer: ServiceResult) -> ServiceResult:
    return ServiceSilent("cannot connect to api.osv.dev port 443: no route to host")


def answering(status: int, **headers: str) -> Misbehaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, answer: ServiceAnswer(status, named, b"")


def instead(body: bytes, path: str = "/v1/querybatch") -> Misbehaviour:
    """Another body, for paths that begin so."""
    return lambda request, answer: ServiceAnswer(200, {}, body) if request.path.startswith(path) else answer

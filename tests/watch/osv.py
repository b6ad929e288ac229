"""A service that answers as OSV does, from the records in tests/advisories, and misbehaves as a test says."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.protocols.osv.judging import HoleState, Installed, judge
from secondpost.protocols.service_questions import (
    ServiceAnswer,
    ServiceRequest,
    ServiceResult,
    ServiceSilent,
)
from tests.advisories import RECORDS, advisory, all_advisories

Misbehaviour = Callable[[ServiceRequest, ServiceResult], ServiceResult]
FOUND = 200


@dataclass
class Osv:
    """`page`: advisories in one page of a query; `unknown`: ecosystems that it does not know."""

    ids: tuple[str, ...] = tuple(one.id for one in all_advisories())
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
        return ServiceAnswer(FOUND, {}, (RECORDS / f"{id}.json").read_bytes())

    def _batch(self, queries: list[dict[str, object]]) -> ServiceAnswer:
        results = []
        for query in queries:
            package = query["package"]
            assert isinstance(package, dict)
            ecosystem, name = package["ecosystem"], package["name"]
            if ecosystem in self.unknown:
                return ServiceAnswer(400, {}, b'{"code":3,"message":"Invalid ecosystem."}')
            plain = name.removeprefix("https://").removesuffix(".git")
            found = self._affecting(Installed("", ecosystem, plain, str(query["version"])))
            start = int(str(query.get("page_token", "0")))
            rest = found[start + self.page :]
            result: dict[str, object] = {"vulns": found[start : start + self.page]} if len(found) > 0 else {}
            if len(rest) > 0:
                result["next_page_token"] = str(start + self.page)
            results.append(result)
        return ServiceAnswer(FOUND, {}, json.dumps({"results": results}).encode())

    def _affecting(self, installed: Installed) -> list[dict[str, str]]:
        """As the real one, it names only what it thinks affects this version."""
        judged = {id: judge(advisory(id), installed) for id in self.ids}
        return [
            {"id": id, "modified": advisory(id).modified}
            for id, found in judged.items()
            if found is not None and found.state is HoleState.AFFECTED
        ]

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

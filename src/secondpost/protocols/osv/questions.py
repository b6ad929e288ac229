"""The questions to a service that answers as OSV does: which advisories there are, and then each of them.

https://google.github.io/osv.dev/api/: POST /v1/querybatch and GET /v1/vulns/ID.
"""

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec

from secondpost.protocols.osv.circumstances import has_switch
from secondpost.protocols.osv.judging import UPSTREAM, HoleState, Installed, is_about, judge, order_of
from secondpost.protocols.osv.records import (
    RECORD_OCTETS_MAX,
    Advisory,
    AdvisoryUnreadable,
    kept_text,
    read_advisory,
)
from secondpost.protocols.service_questions import ServiceAnswer, ServiceRequest, WebService

BATCH_QUERIES = 100  # OSV allows 1,000
BATCH_OCTETS_MAX = 4 * 1024 * 1024
PAGES_MAX = 20  # beyond the first, of all queries together
ADVISORIES_MAX = 1_000
KEPT_OCTETS_MAX = 16 * 1024  # of one advisory in the store
OK, BAD_REQUEST, NOT_FOUND = 200, 400, 404
ANSWERS = frozenset({OK, BAD_REQUEST, NOT_FOUND})  # the statuses that asking goes on after

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_NOT_ASKED = frozenset({"Fedora"})  # OSV has no advisories of these

AskingAdvisories = Generator[ServiceRequest, ServiceAnswer, "AdvisoriesFound"]


@dataclass(frozen=True, slots=True)
class AdvisoriesFound:
    advisories: tuple[Advisory, ...]
    unreadable: tuple[str, ...]  # a sentence for each that could not be read
    unasked: tuple[Installed, ...]  # the service knows nothing of their kind


@dataclass(frozen=True, slots=True)
class _PackageQuery:
    installed: Installed
    page_token: str = ""


class _FoundId(msgspec.Struct):
    id: str
    modified: Annotated[str, msgspec.Meta(max_length=100)] = ""


class _QueryResult(msgspec.Struct):
    vulns: Annotated[list[_FoundId], msgspec.Meta(max_length=ADVISORIES_MAX)] = []
    next_page_token: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class _BatchResult(msgspec.Struct):
    results: list[_QueryResult | None]


_BATCH = msgspec.json.Decoder(_BatchResult)


def can_be_asked(installed: Installed) -> bool:
    return order_of(installed) is not None and installed.ecosystem.partition(":")[0] not in _NOT_ASKED


def asked_advisories(inventory: Iterable[Installed], kept: Mapping[str, Advisory]) -> AskingAdvisories:
    """All advisories about what is installed; those of `kept` that did not change are not asked again.

    Yields requests, whose answers have a status of ANSWERS. Raises AdvisoryUnreadable if an answer has
    another form than it should.
    """
    every = tuple(inventory)
    found, unasked = yield from _asked_ids([one for one in every if can_be_asked(one)])
    advisories, unreadable = [], []
    for id, (modified, named_for) in sorted(found.items()):
        before = kept.get(id)
        if before is not None and _still_says(before, modified, named_for):
            advisories.append(before)
            continue
        answer = yield ServiceRequest(WebService.OSV, f"/v1/vulns/{id}", octets_max=RECORD_OCTETS_MAX)
        if answer.status != OK:
            continue  # it was taken back since
        try:
            advisories.append(replace(_the_one(id, answer.body), modified=modified))
        except AdvisoryUnreadable as error:
            unreadable.append(f"{id}: {error}")
    outside = tuple(one for one in every if not can_be_asked(one))
    return AdvisoriesFound(tuple(advisories), tuple(unreadable), (*outside, *unasked))


def _still_says(before: Advisory, modified: str, named_for: Sequence[Installed]) -> bool:
    """Whether what is kept is all that there is: it was cut down to what ran here at that time."""
    if before.modified != modified or len(modified) == 0:
        return False
    judged = [judge(before, one) for one in named_for]
    return all(one is not None and one.state is HoleState.AFFECTED for one in judged)


_Ids = dict[str, tuple[str, list[Installed]]]


def _asked_ids(
    inventory: Sequence[Installed],
) -> Generator[ServiceRequest, ServiceAnswer, tuple[_Ids, list[Installed]]]:
    """Each identifier with the time of its last change and what it was named for, and what the service
    refuses to answer for.
    """
    batches = [
        [_PackageQuery(one) for one in inventory[place : place + BATCH_QUERIES]]
        for place in range(0, len(inventory), BATCH_QUERIES)
    ]
    found: _Ids = {}
    unasked: list[Installed] = []
    pages = 0
    while len(batches) > 0:
        batch = batches.pop()
        answer = yield _batch_request(batch)
        if answer.status != OK:  # a query that it does not understand spoils those beside it
            unasked += [one.installed for one in batch] if len(batch) == 1 else []
            batches += [[one] for one in batch] if len(batch) > 1 else []
            continue
        for query, result in zip(batch, _read_batch(answer.body, len(batch)), strict=True):
            for one in result.vulns:
                found.setdefault(one.id, (one.modified, []))[1].append(query.installed)
            if len(result.next_page_token) > 0:
                pages += 1
                batches.append([_PackageQuery(query.installed, result.next_page_token)])
        if pages > PAGES_MAX or len(found) > ADVISORIES_MAX:
            raise AdvisoryUnreadable(f"the answer does not end: {len(found)} advisories, {pages} pages")
    return found, unasked


def _batch_request(batch: Sequence[_PackageQuery]) -> ServiceRequest:
    queries = [_query(one) for one in batch]
    body = msgspec.json.encode({"queries": queries})
    return ServiceRequest(WebService.OSV, "/v1/querybatch", body, BATCH_OCTETS_MAX)


def _query(query: _PackageQuery) -> dict[str, object]:
    one = query.installed
    name = f"https://{one.name}.git" if one.ecosystem == UPSTREAM else one.name
    asked: dict[str, object] = {"package": {"name": name, "ecosystem": one.ecosystem}}
    if not has_switch(one.names):  # of a version that has the fix, the service says nothing
        asked["version"] = one.version
    if len(query.page_token) > 0:
        asked["page_token"] = query.page_token
    return asked


def _read_batch(body: bytes, count: int) -> list[_QueryResult]:
    try:
        results = _BATCH.decode(body).results
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AdvisoryUnreadable(f"the answer is not in the form of OSV: {error}") from error
    if len(results) != count:
        raise AdvisoryUnreadable(f"the answer has {len(results)} results to {count} queries")
    read = [_QueryResult() if one is None else one for one in results]
    wrong = next((one.id for result in read for one in result.vulns if _ID.fullmatch(one.id) is None), None)
    if wrong is not None:
        raise AdvisoryUnreadable(f"{wrong[:40]!r} is no identifier of an advisory")
    return read


def _the_one(id: str, body: bytes) -> Advisory:
    advisory = read_advisory(body)
    if advisory.id != id:
        raise AdvisoryUnreadable(f"the answer is about {advisory.id[:40]!r}")
    return advisory


def about(advisory: Advisory, inventory: Sequence[Installed]) -> Advisory:
    """The part of an advisory that is about what is installed, short enough to be kept."""
    ours = tuple(one for one in advisory.affected if any(is_about(one, each) for each in inventory))
    part = replace(advisory, affected=ours)
    if len(kept_text(part)) <= KEPT_OCTETS_MAX:
        return part
    versions = frozenset(each.version for each in inventory)
    short = tuple(
        replace(one, versions=tuple(each for each in one.versions if each in versions)) for one in ours
    )
    return replace(part, affected=short)

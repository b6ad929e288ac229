"""The web services that the fetch role may ask, and the asking."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from secondpost.config.records import Config
from secondpost.protocols.service_questions import (
    ServiceAnswer,
    ServiceRequest,
    ServiceResult,
    ServiceSilent,
    WebService,
    kept_headers,
)
from secondpost.world.ports import FetchError, Requester

AT_ONCE_MAX = 4  # answers are large: no more of them are in memory


@dataclass(frozen=True, slots=True)
class ServicePlace:
    url: str  # without a slash at its end; paths are below it
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case, such as a key of ours


def service_places(config: Config) -> dict[WebService, ServicePlace]:
    """The services that the configuration wants; the fetch role asks no other."""
    found: dict[WebService, ServicePlace] = {}
    if config.watch.advisories:
        found[WebService.OSV] = ServicePlace(config.watch.advisories_url)
    return found


def needs_fetch(config: Config) -> bool:
    """Whether a fetch role runs: something is to be fetched, posted, ordered or asked."""
    is_ordering, is_posting = config.tls.acme is not None, config.alarms.webhook is not None
    return len(config.newsletters) > 0 or is_ordering or is_posting or len(service_places(config)) > 0


class WebServices:
    """Asks services by their places. A redirect is an answer, and is not followed."""

    def __init__(self, places: Mapping[WebService, ServicePlace], requester: Requester) -> None:
        self._places = places
        self._requester = requester
        self._room = asyncio.Semaphore(AT_ONCE_MAX)

    async def ask(self, request: ServiceRequest) -> ServiceResult:
        place = self._places.get(request.service)
        if place is None:
            return ServiceSilent("the configuration does not want it asked")
        method, body = ("GET", b"") if request.body is None else ("POST", request.body)
        try:
            async with self._room:
                fetched = await self._requester.request(
                    method, place.url + request.path, _sent(request, place), body, request.octets_max
                )
        except FetchError as error:
            return ServiceSilent(str(error))
        return ServiceAnswer(fetched.status, kept_headers(fetched.headers), fetched.body)


def web_services(config: Config, requester: Requester) -> WebServices | None:
    """None if the configuration wants none asked."""
    places = service_places(config)
    return None if len(places) == 0 else WebServices(places, requester)


def _sent(request: ServiceRequest, place: ServicePlace) -> dict[str, str]:
    sent = {"accept": "application/json", **place.headers}
    for name, value in (
        ("content-type", "" if request.body is None else "application/json"),
        ("if-none-match", request.etag),
        ("if-modified-since", request.last_modified),
    ):
        if len(value) > 0:
            sent[name] = value
    return sent

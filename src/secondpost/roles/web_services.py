"""The web services that the fetch role may ask, and the asking."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from secondpost.config.faults import Wrong
from secondpost.config.files import OpenToRead, read_password
from secondpost.config.records import Config
from secondpost.mail.reach import ReachSource
from secondpost.protocols.service_questions import (
    ServiceAnswer,
    ServiceRequest,
    ServiceResult,
    ServiceSilent,
    WebService,
    kept_headers,
)
from secondpost.world.ports import FetchError, Requester, Work

AT_ONCE_MAX = 4  # answers are large: no more of them are in memory
# The services of `watch reach`, and how each is given a key.
REACH_SERVICES = {
    ReachSource.GLOBALPING: (WebService.GLOBALPING, "Bearer"),
    ReachSource.ATLAS: (WebService.ATLAS, "Key"),
    ReachSource.OONI: (WebService.OONI, ""),
}


ReadKey = Callable[[str], Awaitable[str]]  # the secret in a file; raises Wrong


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key of ours at a service, read anew for each question. Its scheme is that of RFC 9110 §11.4."""

    scheme: str
    path: str


@dataclass(frozen=True, slots=True)
class ServicePlace:
    url: str  # without a slash at its end; paths are below it
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    key: KeyFile | None = None


def service_places(config: Config) -> dict[WebService, ServicePlace]:
    """The services that the configuration wants; the fetch role asks no other."""
    found: dict[WebService, ServicePlace] = {}
    if config.watch.advisories:
        found[WebService.OSV] = ServicePlace(config.watch.advisories_url)
    for source, (service, scheme) in REACH_SERVICES.items():
        url, path = config.reach.url(source), config.reach.key_file(source)
        if url is not None:
            found[service] = ServicePlace(url, key=None if path is None else KeyFile(scheme, path))
    return found


def needs_fetch(config: Config) -> bool:
    """Whether a fetch role runs: something is to be fetched, posted, ordered or asked."""
    is_ordering, is_posting = config.tls.acme is not None, config.alarms.webhook is not None
    return len(config.newsletters) > 0 or is_ordering or is_posting or len(service_places(config)) > 0


async def no_keys(path: str) -> str:
    raise Wrong(f"{path} is not read here")


class WebServices:
    """Asks services by their places. A redirect is an answer, and is not followed."""

    def __init__(
        self,
        places: Mapping[WebService, ServicePlace],
        requester: Requester,
        read_key: ReadKey = no_keys,
    ) -> None:
        self._places = places
        self._requester = requester
        self._read_key = read_key
        self._room = asyncio.Semaphore(AT_ONCE_MAX)

    async def ask(self, request: ServiceRequest) -> ServiceResult:
        place = self._places.get(request.service)
        if place is None:
            return ServiceSilent("the configuration does not want it asked")
        method, body = ("GET", b"") if request.body is None else ("POST", request.body)
        try:
            sent = {**_sent(request, place), **await self._authorization(place.key)}
            async with self._room:
                fetched = await self._requester.request(
                    method, place.url + request.path, sent, body, request.octets_max
                )
        except FetchError as error:
            return ServiceSilent(str(error))
        except Wrong as wrong:
            return ServiceSilent(f"our key for it cannot be read: {wrong.reason}")
        return ServiceAnswer(fetched.status, kept_headers(fetched.headers), fetched.body)

    async def _authorization(self, key: KeyFile | None) -> dict[str, str]:
        return {} if key is None else {"authorization": f"{key.scheme} {await self._read_key(key.path)}"}


def web_services(config: Config, requester: Requester, read_key: ReadKey = no_keys) -> WebServices | None:
    """None if the configuration wants none asked."""
    places = service_places(config)
    return None if len(places) == 0 else WebServices(places, requester, read_key)


def key_reader(work: Work, open_file: OpenToRead) -> ReadKey:
    async def read(path: str) -> str:
        return await work.run(partial(read_password, path, open_file))

    return read


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

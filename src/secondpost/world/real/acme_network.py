"""What the library `acme` lacks for us: its requests go through our Fetcher, and it answers tls-alpn-01.

The library blocks, so it runs in a thread; each request is handed to the loop, where addresses, sizes
and times are bounded.
"""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from io import BytesIO
from typing import Protocol
from urllib.parse import urlsplit

import requests
from acme import challenges, client, messages
from josepy.jwa import ES256
from josepy.jwk import JWK
from requests.structures import CaseInsensitiveDict

from secondpost.world.ports import Fetched, FetchError, Requester

ANSWER_OCTETS_MAX = 256 * 1024  # of one document: a directory, an order or a chain
REQUESTS_MAX = 500  # of one order, with all its polls
NONCES_MAX = 8  # RFC 8555 §6.5: a refused nonce is no fault of the request, which is sent again
BAD_NONCE = "badNonce"


class OrderStopped(Exception):
    """The role ends, so the order is given up."""


@challenges.ChallengeResponse.register
class TlsAlpn01Response(challenges.KeyAuthorizationChallengeResponse):
    typ = "tls-alpn-01"


@challenges.Challenge.register
class TlsAlpn01(challenges.KeyAuthorizationChallenge):
    """RFC 8737; the library has it no more."""

    response_cls = TlsAlpn01Response
    typ = TlsAlpn01Response.typ

    def validation(self, account_key: JWK, **_unused: object) -> str:
        return self.key_authorization(account_key)


class SendRequest(Protocol):
    """Sends one request and waits for its answer. Raises FetchError and OrderStopped."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Fetched: ...


class AcmeRequests:
    """Sends the requests of a thread in the loop. `near`: for the host of the directory, `far`: for all
    others that the authority's documents name.
    """

    def __init__(self, near: Requester, far: Requester, directory: str) -> None:
        self._near = near
        self._far = far
        self._host = urlsplit(directory).hostname
        self._loop = asyncio.get_running_loop()
        self._under_way: Future[Fetched] | None = None
        self._stopped = threading.Event()

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        if not url.startswith("https:"):  # RFC 8555 §6.1
            raise FetchError(f"refused: {url[:200]!r} is not encrypted")
        requester = self._near if urlsplit(url).hostname == self._host else self._far
        asking = requester.request(method, url, headers, body, ANSWER_OCTETS_MAX)
        self._under_way = asyncio.run_coroutine_threadsafe(asking, self._loop)
        if self._stopped.is_set():
            self._under_way.cancel()
        try:
            return self._under_way.result()  # bounded by the requester
        except CancelledError:
            raise OrderStopped from None

    def wait(self, seconds: float) -> None:
        """Raises OrderStopped."""
        if self._stopped.wait(seconds):
            raise OrderStopped

    def stop(self) -> None:
        """End what the thread waits for; called in the loop."""
        self._stopped.set()
        if self._under_way is not None:
            self._under_way.cancel()


class AcmeNetwork(client.ClientNetwork):
    """The library's network with our sending; nonces and signatures stay its own."""

    def __init__(self, key: JWK, send: SendRequest) -> None:
        super().__init__(key, alg=ES256)
        self._send = send
        self._left = REQUESTS_MAX
        self.refused: Fetched | None = None  # the last answer with a status that is no success

    def post(self, *args: object, **settings: object) -> requests.Response:
        for _ in range(NONCES_MAX - 1):
            try:
                return super().post(*args, **settings)
            except messages.Error as error:
                if error.code != BAD_NONCE:
                    raise
        return super().post(*args, **settings)

    def _send_request(self, method: str, url: str, *_args: object, **settings: object) -> requests.Response:
        self._left -= 1
        if self._left < 0:
            raise FetchError(f"the authority had more than {REQUESTS_MAX} requests made for one order")
        data, headers = settings.get("data", ""), settings.get("headers", {})
        assert isinstance(data, str)
        assert isinstance(headers, dict)
        fetched = self._send(method, url, headers, data.encode("ascii"))
        if not 200 <= fetched.status < 300:
            self.refused = fetched
        response = requests.Response()
        response.status_code = fetched.status
        response.headers = CaseInsensitiveDict(fetched.headers)
        response.url = url
        response.request = requests.PreparedRequest()  # the library's texts name the method
        response.request.method = method
        response.encoding = "utf-8"
        response.raw = BytesIO(fetched.body)
        return response

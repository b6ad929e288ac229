"""A name server for the measurements: the sender's domain publishes SPF and DMARC, and every other name
is unknown. Without one, Secondpost would wait for the names of each sender."""

import asyncio
import threading
from types import TracebackType
from typing import Self

from secondpost.demo.names import Zone, serve_names

ZONE = Zone(
    mx={},
    hosts={},
    texts={"sender.example": "v=spf1 ip4:127.0.0.0/8 -all", "_dmarc.sender.example": "v=DMARC1; p=none"},
)


class NameServer:
    """Runs in a thread of the bench, whose CPU is not counted; `setting` is for the configuration."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def setting(self) -> str:
        return f'[dns]\nservers = ["127.0.0.1:{self.port}"]\n'

    def __enter__(self) -> Self:
        self._thread.start()
        self._transport, self.port = asyncio.run_coroutine_threadsafe(
            serve_names(ZONE, "127.0.0.1"), self._loop
        ).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._transport.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

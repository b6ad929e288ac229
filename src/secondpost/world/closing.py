"""Closes a connection within a bounded time.

`close` of a transport first sends the buffered data, and waits for ever for a peer that does not
read.
"""

import asyncio

CLOSE_SECONDS_MAX = 5.0  # for data not yet sent when a connection is closed


def close_soon(transport: asyncio.Transport, seconds_max: float = CLOSE_SECONDS_MAX) -> None:
    """Close once everything is sent; abort after `seconds_max`."""
    transport.close()
    if transport.get_write_buffer_size() > 0:
        asyncio.get_running_loop().call_later(seconds_max, transport.abort)

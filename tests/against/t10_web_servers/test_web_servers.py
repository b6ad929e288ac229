"""The configuration that `init` shows for a web server works in the real one."""

from pathlib import Path

import pytest

from secondpost.setup.proxies import Proxy
from tests.against.t10_web_servers.front import HOST, echoing, in_front


@pytest.mark.parametrize("proxy", list(Proxy))
def test_the_pages_get_the_host_and_the_real_address(proxy: Proxy, place: Path) -> None:
    with echoing() as door, in_front(proxy, place, door) as front:
        path, host, forwarded = front.asked("/weekly/?a=b%20c")
        assert (path, host) == ("/weekly/?a=b%20c", HOST)
        # The last address counts, whatever a client wrote before it.
        assert forwarded.split(",")[-1].strip() == "127.0.0.1"
        status, location = front.redirected("/weekly/")
        assert status in (301, 308)
        assert location == f"https://{HOST}/weekly/"

"""Fetching a large document piece by piece: its pieces, its bounds, and what is said of a broken one."""

import gzip

import pytest

from secondpost.world.ports import FetchError
from secondpost.world.real.fetch import PIECE_OCTETS_MAX

from .conftest import Run
from .test_fetch import loopback_fetcher
from .web_server import WebServer, answer

LARGE = bytes(range(256)) * 8_000  # 2 MB
TORN = gzip.compress(LARGE)[:500]


async def streamed(page: bytes, octets_max: int = 10_000_000) -> tuple[int, list[bytes]]:
    pieces: list[bytes] = []
    async with WebServer({"/dump.csv": page}).running() as server:
        url = f"http://blog.example:{server.port}/dump.csv"
        status = await loopback_fetcher().stream(url, {}, octets_max, pieces.append)
    return status, pieces


@pytest.mark.parametrize("packed", [False, True])
def test_the_pieces_together_are_the_document(packed: bool, run: Run[None]) -> None:
    async def story() -> None:
        page = (
            answer("200 OK", gzip.compress(LARGE), content_encoding="gzip")
            if packed
            else answer("200 OK", LARGE)
        )
        status, pieces = await streamed(page)
        assert (status, b"".join(pieces)) == (200, LARGE)
        assert max(map(len, pieces)) <= PIECE_OCTETS_MAX

    run(story())


def test_what_unpacks_to_very_much_comes_in_bounded_pieces_up_to_the_bound(run: Run[None]) -> None:
    pieces: list[bytes] = []

    async def story() -> None:
        page = answer("200 OK", gzip.compress(bytes(50_000_000)), content_encoding="gzip")
        async with WebServer({"/dump.csv": page}).running() as server:
            url = f"http://blog.example:{server.port}/dump.csv"
            with pytest.raises(FetchError, match="more than 3000000 octets"):
                await loopback_fetcher().stream(url, {}, 3_000_000, pieces.append)
        assert max(map(len, pieces)) <= PIECE_OCTETS_MAX
        assert sum(map(len, pieces)) <= 3_000_000

    run(story())


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (answer("200 OK", b"half", content_length="1000"), "blog.example"),
        (
            answer("200 OK", gzip.compress(LARGE)[:500], content_encoding="gzip"),
            "in the middle of its packing",
        ),
        (answer("200 OK", b"not packed", content_encoding="gzip"), "is not gzip, though it says so"),
        (answer("200 OK", content_length="9" * 12), "says that it has"),
        (answer("200 OK", b"?", content_encoding="br"), "packed as 'br'"),
    ],
    ids=["broken off", "torn packing", "not packed", "huge", "packed otherwise"],
)
def test_a_broken_document_is_an_error_even_after_some_pieces(
    page: bytes, reason: str, run: Run[None]
) -> None:
    async def story() -> None:
        with pytest.raises(FetchError, match=reason):
            await streamed(page)

    run(story())


@pytest.mark.parametrize("status", ["404 Not Found", "302 Found", "500 Oops"])
def test_another_status_has_no_pieces(status: str, run: Run[None]) -> None:
    async def story() -> None:
        found, pieces = await streamed(answer(status, b"page", location="/other"))
        assert (found, pieces) == (int(status.split()[0]), [])

    run(story())


def test_what_the_reader_raises_ends_the_fetch(run: Run[None]) -> None:
    class Enough(Exception):
        pass

    def take(piece: bytes) -> None:
        raise Enough

    async def story() -> None:
        async with WebServer({"/dump.csv": answer("200 OK", LARGE)}).running() as server:
            url = f"http://blog.example:{server.port}/dump.csv"
            with pytest.raises(Enough):
                await loopback_fetcher().stream(url, {}, 10_000_000, take)

    run(story())

"""Orders and answers over a socket to another process, which is a thread here."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from socket import socket, socketpair

import pytest

from secondpost.world.ports import WorkshopClosed
from secondpost.world.real.workshop import ANSWER_OCTETS_MAX, Bench, serve_orders
from tests.world.conftest import Run

LARGE = bytes(range(256)) * 8_000  # more than a socket buffer


def opened(opening: bytes) -> Callable[[bytes], bytes]:
    return lambda order: opening + order


async def bench_to(ours: socket, answer_octets_max: int = ANSWER_OCTETS_MAX) -> Bench:
    ours.setblocking(False)
    bench = Bench(answer_octets_max)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: bench, ours)
    return bench


def beside_a_worker(run: Run[None], story: Callable[[Bench], Coroutine[object, object, None]]) -> None:
    """Run a test beside a worker, which has ended afterwards."""
    ours, theirs = socketpair()
    worker = threading.Thread(target=serve_orders, args=(theirs, opened))
    worker.start()

    async def told() -> None:
        bench = await bench_to(ours)
        assert await bench.do(b"opening ") == b"", "it is ready"
        await story(bench)
        bench.close()
        await bench.ended

    run(told())
    worker.join(10)
    assert not worker.is_alive()
    theirs.close()


def test_answers_come_in_the_order_of_the_orders_whatever_their_size(run: Run[None]) -> None:
    async def story(bench: Bench) -> None:
        orders = [b"", b"one", LARGE, b"three", LARGE[:70_000]] * 4
        asked = [asyncio.ensure_future(bench.do(order)) for order in orders]
        await asyncio.sleep(0)
        assert bench.waiting == len(orders)
        assert await asyncio.gather(*asked) == [b"opening " + order for order in orders]
        assert bench.waiting == 0

    beside_a_worker(run, story)


def test_nobody_waits_for_one_that_is_gone(run: Run[None]) -> None:
    async def told() -> None:
        ours, theirs = socketpair()
        bench = await bench_to(ours)
        asked = [asyncio.ensure_future(bench.do(b"order")) for _ in range(2)]
        await asyncio.sleep(0)
        theirs.close()
        await bench.ended
        for one in asked:
            with pytest.raises(WorkshopClosed):
                await one
        with pytest.raises(WorkshopClosed):
            await bench.do(b"later")
        assert not bench.is_closed, "we did not ask for it"

    run(told())


@pytest.mark.parametrize("octets", [1, 2, 3, 5, 7, 64])
def test_frames_may_come_in_pieces(run: Run[None], octets: int) -> None:
    async def told() -> None:
        bench = Bench()
        answers: list[bytes] = []
        ours, theirs = socketpair()
        ours.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: bench, ours)
        asked = [asyncio.ensure_future(bench.do(b"")) for _ in range(3)]
        await asyncio.sleep(0)
        stream = b"\0\0\0\5hello" + b"\0\0\0\0" + b"\0\0\1\0" + bytes(256)
        for start in range(0, len(stream), octets):
            bench.data_received(stream[start : start + octets])
        answers += await asyncio.gather(*asked)
        assert answers == [b"hello", b"", bytes(256)]
        bench.close()
        await bench.ended
        theirs.close()

    run(told())


def test_who_works_goes_when_the_other_end_does_at_whatever_moment() -> None:
    for said in (b"", b"\0\0", b"\0\0\0\7", b"\0\0\0\7open", b"\0\0\0\4open\0\0\0\4ord"):
        ours, theirs = socketpair()
        ours.sendall(said)
        ours.close()
        serve_orders(theirs, opened)
        theirs.close()


@pytest.mark.parametrize("stream", [b"\0\0\1\1", b"\0\0\1\1" + bytes(257), b"\0\0\0\0" * 2])
def test_an_answer_that_is_too_long_or_was_not_asked_for_ends_the_worker(
    run: Run[None], stream: bytes
) -> None:
    async def told() -> None:
        ours, theirs = socketpair()
        bench = await bench_to(ours, answer_octets_max=256)
        asked = asyncio.ensure_future(bench.do(b"order"))
        await asyncio.sleep(0)
        theirs.sendall(stream)
        await bench.ended
        assert bench.is_aborted
        if stream.startswith(b"\0\0\0\0"):
            assert await asked == b""
        else:
            with pytest.raises(WorkshopClosed):
                await asked
        theirs.close()

    run(told())

"""Clients that pipeline thousands of commands and read nothing, beside good mail."""

import os
import selectors
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.crash.postoffice import RECIPIENT, PostOffice, Victim
from tests.service.conftest import Call, MakeOffice
from tests.service.primary import Primary
from tests.service.test_hard_times import message, until
from tests.service.test_silent_servers import sockets_of

DEAF = 40
GOOD = 60
COMMANDS = memoryview(
    b"EHLO deaf.example\r\nMAIL FROM:<>\r\n" + f"RCPT TO:<{RECIPIENT}>\r\n".encode() * 200_000
)
PIECE_OCTETS = 16_384
WINDOW_OCTETS = 4096
GROWTH_OCTETS_MAX = DEAF * 1_000_000
QUIET_SECONDS = 1.0  # without progress, after which the service has stopped reading them


def flood(callers: list[socket.socket]) -> None:
    """Send to the service until it accepts no more from any of them."""
    sent = dict.fromkeys(callers, 0)
    with selectors.DefaultSelector() as ready:
        for caller in callers:
            ready.register(caller, selectors.EVENT_WRITE, caller)
        while len(found := ready.select(QUIET_SECONDS)) > 0:
            for key, _ in found:
                try:
                    sent[key.data] += key.data.send(COMMANDS[sent[key.data] :][:PIECE_OCTETS])
                except ConnectionError:  # its time-out came early
                    ready.unregister(key.data)
    assert max(sent.values()) < len(COMMANDS), "the service reads on though its answers are not taken"


def deaf_caller(office: PostOffice) -> socket.socket:
    caller = socket.socket()
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        caller.setsockopt(socket.SOL_SOCKET, option, WINDOW_OCTETS)
    caller.connect(("127.0.0.1", office.port))
    caller.setblocking(False)
    return caller


def memory_octets(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def connections(pid: int) -> int:
    """How many TCP sockets the process has; roles have others among themselves."""
    ours = sockets_of(pid)
    table = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[9] in ours for line in table)


@pytest.mark.parametrize("ends", [False, True], ids=["silent", "FIN"])
def test_callers_who_never_read_go_when_their_time_is_over_and_good_mail_is_taken_beside_them(
    make_office: MakeOffice, call: Call, primary: Primary, ends: bool
) -> None:
    primary.open()
    office = make_office({"[receive]": '[receive]\ntimeout = "8 seconds"'})
    office.start()
    office.wait_for_roles()
    first = call(office)
    assert first.send(message(0), RECIPIENT).startswith("250 ")
    first.close()
    until("the first client is gone", lambda: len(primary.taken) == 1)
    receive = office.roles()[Victim.RECEIVE]
    before, memory_before = connections(receive), memory_octets(receive)
    with ExitStack() as stack:
        callers = [stack.enter_context(deaf_caller(office)) for _ in range(DEAF)]
        flood(callers)
        assert memory_octets(receive) - memory_before < GROWTH_OCTETS_MAX
        if ends:
            for caller in callers:
                with suppress(OSError):
                    caller.shutdown(socket.SHUT_WR)
        for number in range(GOOD):
            client = call(office)
            assert client.send(message(number), RECIPIENT).startswith("250 ")
            client.close()
        until("every deaf caller is gone", lambda: connections(receive) <= before)
    until("all good mail has arrived", lambda: len(primary.taken) == 1 + GOOD)

"""The socket between the supervisor and one process of a role: what each says to the other.

Its end is an end of both: a role whose supervisor was killed stops. Each message is one packet, a
word and perhaps a sentence.

    the supervisor          the role
                       ◄──  prepared    it read everything it needs, or: refused, and why
    begin              ──►              at once, or when its predecessor rests
                       ◄──  serving
    call               ──►              now and then: does it still answer?
                       ◄──  here        at once
    rest               ──►              a successor is about to begin: begin nothing more
    leave              ──►              the successor serves: hand over, then end
                       ◄──  make        start a process that signs or parses; its standard input comes with it
                       ◄──  end         kill the process with this number
    ended              ──►              the process with this number ended, and how

The last three are about processes that a role needs and cannot start itself, behind its walls.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from socket import AF_UNIX, MSG_CMSG_CLOEXEC, SOCK_SEQPACKET, recv_fds, send_fds, socket, socketpair

TETHER = "SECONDPOST_TETHER"  # the variable that names the role's descriptor
PACKET_OCTETS_MAX = 4096


class Word(StrEnum):
    PREPARED = "prepared"
    REFUSED = "refused"
    BEGIN = "begin"
    SERVING = "serving"
    CALL = "call"
    HERE = "here"
    REST = "rest"
    LEAVE = "leave"
    MAKE = "make"
    END = "end"
    ENDED = "ended"


OF_THE_ROLE = frozenset({Word.PREPARED, Word.REFUSED, Word.SERVING, Word.HERE, Word.MAKE, Word.END})
OF_THE_SUPERVISOR = frozenset({Word.BEGIN, Word.CALL, Word.REST, Word.LEAVE, Word.ENDED})
# The word, its text, and the socket that came with it, which the hearer closes.
HearWord = Callable[[Word, str, socket | None], None]


def tether_pair() -> tuple["Tether", socket]:
    """The supervisor's end, and the socket that the role inherits."""
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    return Tether(ours, OF_THE_ROLE), theirs


def adopted_tether(descriptor: int) -> "Tether":
    """The supervisor's end, which the program before this one had."""
    return Tether(adopted_end(descriptor), OF_THE_ROLE)


def adopted_end(descriptor: int) -> socket:
    """A socket that was inherited, and that no child of ours is to inherit."""
    os.set_inheritable(descriptor, False)
    return socket(fileno=descriptor)


def inherited_tether(environment: Mapping[str, str]) -> "Tether | None":
    """The end of a role that has a supervisor."""
    descriptor = environment.get(TETHER)
    if descriptor is None:
        return None
    return Tether(adopted_end(int(descriptor)), OF_THE_SUPERVISOR)


class Tether:
    """One of the two ends. `words`: what the other side may say."""

    def __init__(self, end: socket, words: frozenset[Word]) -> None:
        end.setblocking(False)
        self._end = end
        self._words = words
        self._heard: HearWord = lambda word, text, handed: None
        self._lost: Callable[[], None] = lambda: None
        self._is_listening = False

    @property
    def descriptor(self) -> int:
        return self._end.fileno()

    def listen(self, heard: HearWord, lost: Callable[[], None]) -> None:
        """Call `heard` for each message, and `lost` when the other side ends."""
        self._heard, self._lost = heard, lost
        self._is_listening = True
        asyncio.get_running_loop().add_reader(self._end.fileno(), self._read)

    def say(self, word: Word, text: str = "", handed: socket | None = None) -> None:
        """Say a word, and hand a socket over; both are lost if the other side has ended."""
        packet = f"{word} {text}".rstrip().encode()[:PACKET_OCTETS_MAX]
        with suppress(OSError):
            send_fds(self._end, [packet], [] if handed is None else [handed.fileno()])

    def close(self) -> None:
        """Hear what was said until now, and end."""
        while self._is_listening and self._read():
            pass
        self._listen_no_more()
        self._end.close()

    def _read(self) -> bool:
        """Hear one message, if there is one."""
        try:
            packet, descriptors, _, _ = recv_fds(self._end, PACKET_OCTETS_MAX, 1, MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return False
        except OSError:  # reset: the other side died with messages unread
            packet, descriptors = b"", []
        handed = _socket_among(descriptors)
        if len(packet) == 0:
            if handed is not None:
                handed.close()
            self._listen_no_more()
            self._end.close()
            self._lost()
            return False
        word, _, text = packet.decode("utf-8", "replace").partition(" ")
        if word in self._words:  # others come only from a compromised role
            self._heard(Word(word), text, handed)
        elif handed is not None:
            handed.close()
        return True

    def _listen_no_more(self) -> None:
        if self._is_listening:
            self._is_listening = False
            asyncio.get_running_loop().remove_reader(self._end.fileno())


def _socket_among(descriptors: Sequence[int]) -> socket | None:
    """What was handed over, if it is a socket; anything else comes from a compromised role, and is closed."""
    if len(descriptors) == 0:
        return None
    try:
        return socket(fileno=descriptors[0])
    except OSError:
        os.close(descriptors[0])
        return None

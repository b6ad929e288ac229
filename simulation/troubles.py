"""Starts and ends the faults of a day."""

from collections.abc import Callable, Sequence
from errno import ENOSPC

from simulation.daylog import KILL, POWER_CUT
from simulation.disk.disk import ROOM_OCTETS
from simulation.faults import (
    Blocked,
    ClockWrong,
    Crash,
    CrashAtStep,
    FeedWrong,
    InboxDown,
    InboxMoody,
    InjectedFault,
    Moody,
    NamesLie,
    NoRoom,
    PowerCut,
    PrimaryDown,
    Restart,
    Storm,
    TlsBroken,
)
from simulation.internet.dns import SimDns
from simulation.internet.net import SimInternet, Weather
from simulation.internet.primaries import BENIGN, ReceivingServer
from simulation.machine import Machine
from simulation.people.newsroom import Newsroom
from simulation.service import SimService


class Troubles:
    """`tell` logs each start, end and crash."""

    def __init__(
        self,
        internet: SimInternet,
        dns: SimDns,
        primaries: Sequence[ReceivingServer],
        newsroom: Newsroom,
        machine: Machine,
        service: SimService,
        tell: Callable[[str], None],
    ) -> None:
        self.comebacks: list[tuple[float, int]] = []  # (seconds, primary) at each return
        self._internet = internet
        self._dns = dns
        self._primaries = primaries
        self._newsroom = newsroom
        self._machine = machine
        self._service = service
        self._tell = tell

    def schedule(self, faults: Sequence[InjectedFault]) -> None:
        for fault in faults:
            self._internet.loop.call_at(fault.start, self.begin, fault)
            self._internet.loop.call_at(fault.end, self.end, fault)

    def begin(self, fault: InjectedFault) -> None:
        self._tell(f"begin {fault}")
        match fault.what:
            case PrimaryDown(server, refuses):
                self._primaries[server].shut()
                if not refuses:
                    self._internet.hosts[self._primaries[server].address].up = False
            case Blocked(network_a, network_b):
                self._internet.block(network_a, network_b)
            case Moody(server, character):
                self._primaries[server].character = character
            case NamesLie(viewpoint, name, lie):
                self._dns.lies[viewpoint, name] = lie
            case Storm(weather):
                self._internet.weather = weather
            case TlsBroken(server, how):
                self._internet.hosts[self._primaries[server].address].tls_fault = how
            case NoRoom(to_the_last_octet):
                self._fill_disk(to_the_last_octet)
            case ClockWrong(step_ms):
                self._machine.clock.step_ms = step_ms
            case Crash(role, words, later):
                self._service.after_words(role, words, later, lambda: self._crash(role))
            case Restart(role):
                self._service.stop_gracefully(role)
            case PowerCut(words, later, dark):
                self._service.after_words("receive", words, later, lambda: self._cut_power(dark))
            case InboxDown(server, refuses):
                self._newsroom.inboxes[server].shut()
                if not refuses:
                    self._internet.hosts[self._newsroom.inboxes[server].address].up = False
            case InboxMoody(server, character):
                self._newsroom.inboxes[server].character = character
            case FeedWrong(trouble):
                self._newsroom.blog.trouble = trouble
            case CrashAtStep(role, verb, calls):
                step = fault.what
                self._service.steps.after(role, verb, calls, lambda: self._crash_at_step(step))

    def end(self, fault: InjectedFault) -> None:
        self._tell(f"end {fault}")
        match fault.what:
            case PrimaryDown(server):
                self._internet.hosts[self._primaries[server].address].up = True
                self._internet.loop.create_task(self._primaries[server].open())
                self.comebacks.append((self._internet.timeline.now, server))
            case Blocked(network_a, network_b):
                self._internet.unblock(network_a, network_b)
            case Moody(server):
                self._primaries[server].character = BENIGN
            case NamesLie(viewpoint, name):
                self._dns.lies.pop((viewpoint, name), None)
            case Storm():
                self._internet.weather = Weather()
            case TlsBroken(server):
                self._internet.hosts[self._primaries[server].address].tls_fault = ""
            case NoRoom():
                self._free_disk()
            case ClockWrong():
                self._machine.clock.step_ms = 0
            case InboxDown(server):
                self._internet.hosts[self._newsroom.inboxes[server].address].up = True
                self._internet.loop.create_task(self._newsroom.inboxes[server].open())
            case InboxMoody(server):
                self._newsroom.inboxes[server].character = BENIGN
            case FeedWrong():
                self._newsroom.blog.trouble = None
            case CrashAtStep(role, verb):
                self._service.steps.forget(role, verb)
            case Crash() | Restart() | PowerCut():
                pass

    def _crash_at_step(self, step: CrashAtStep) -> None:
        call_later = self._internet.loop.call_later
        if step.dark_seconds is None:
            call_later(step.later_seconds, self._crash, step.role)
        else:
            call_later(step.later_seconds, self._cut_power, step.dark_seconds)

    def _crash(self, role: str) -> None:
        self._tell(f"{KILL} -9 {role}")
        self._service.crash(role)

    def _cut_power(self, dark_seconds: float) -> None:
        if not self._service.powered:
            return
        self._tell(f"{POWER_CUT} for {dark_seconds:.1f} s")
        self._service.power_cut()
        self._internet.loop.call_later(dark_seconds, self._service.power_on)

    def _fill_disk(self, to_the_last_octet: bool) -> None:
        if to_the_last_octet:
            self._machine.disk.fail_at(1, ENOSPC)
        else:
            self._room(0)

    def _free_disk(self) -> None:
        self._machine.disk.heal()
        self._room(ROOM_OCTETS)

    def _room(self, octets: int) -> None:
        for process in self._machine.processes.values():
            process.disk.room_octets = octets

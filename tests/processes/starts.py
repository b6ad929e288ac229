"""Starts real processes that read documents."""

import sys
from socket import socket

from secondpost.processes.makers import MakerProgram, StartedMaker, command_of, start_maker

FEED_READER = MakerProgram.FEED_READER
REPORT_READER = MakerProgram.REPORT_READER


class Starts:
    """Starts the first processes by the programs given, all later ones as in service."""

    def __init__(self, program: MakerProgram, *programs: str) -> None:
        self._command = command_of(program)
        self._programs = list(programs)
        self.makers: list[StartedMaker] = []

    def start(self, door: socket) -> StartedMaker:
        command = self._command
        if len(self._programs) > 0:
            command = (sys.executable, "-P", "-c", self._programs.pop(0))
        self.makers.append(start_maker(command, door))
        return self.makers[-1]

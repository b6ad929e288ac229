"""Hints to the deliver role that there is mail."""

import asyncio

from secondpost.world.ports import Net


class Hinter:
    """Tells the deliver role that there is mail, once for all that arrived in one turn of the loop."""

    def __init__(self, net: Net, path: str) -> None:
        self._net = net
        self._path = path
        self._is_due = False

    def arrived(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._hint)

    def _hint(self) -> None:
        self._is_due = False
        self._net.hint(self._path)

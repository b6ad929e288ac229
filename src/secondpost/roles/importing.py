"""The files of the old server, for `secondpost config import`."""

from secondpost.setup.importing.old_files import OldFiles
from secondpost.world.real.old_server_files import STANDARD_INPUT, OldServerFiles

__all__ = ["STANDARD_INPUT", "old_server_files"]


def old_server_files(root: str) -> OldFiles:
    """`root`: the folder that stands for the old machine's /."""
    return OldServerFiles(root)

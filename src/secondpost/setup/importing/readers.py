"""The reader of each old server, loaded when it is needed."""

import importlib
from collections.abc import Callable, Mapping

from secondpost.setup.importing.carried import ImportedServer, OldServer
from secondpost.setup.importing.old_files import OldFiles

# Reads from the file or folder at the path. Raises OldConfigFaults.
OldReader = Callable[[OldFiles, str], ImportedServer]

# By server: the module of its reader, and the reader's name there.
READERS: Mapping[OldServer, tuple[str, str]] = {
    OldServer.OPENSMTPD: ("secondpost.setup.importing.opensmtpd.reading", "read_opensmtpd"),
    OldServer.OLD_OPENSMTPD: ("secondpost.setup.importing.opensmtpd.reading", "read_old_opensmtpd"),
    OldServer.POSTFIX: ("secondpost.setup.importing.postfix.reading", "read_postfix"),
    OldServer.EXIM: ("secondpost.setup.importing.exim.reading", "read_exim"),
}


def reader_of(server: OldServer) -> OldReader:
    """`server`: one of READERS."""
    module, name = READERS[server]
    reader: OldReader = getattr(importlib.import_module(module), name)
    return reader

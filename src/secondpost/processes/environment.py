"""The environment of a role: a short list of variables, and no way to gain privileges."""

import ctypes
import os
from collections.abc import Mapping

# From <linux/prctl.h>, prctl(2).
_PR_SET_NO_NEW_PRIVS = 38

PASSED_ON = frozenset(
    {
        "CREDENTIALS_DIRECTORY",  # systemd: where secrets may lie
        "JOURNAL_STREAM",  # systemd: whether standard error leads to its journal
        "LANG",
        "LANGUAGE",
        "PATH",
        "SSL_CERT_DIR",  # OpenSSL: which authorities this machine trusts
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
    }
)
# PYTHON…: how the interpreter finds its modules; roles run the same program as the supervisor.
PASSED_ON_PREFIXES = ("LC_", "PYTHON", "SECONDPOST_")


def cleared(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables a role needs: no secrets of a shell, and nothing that affects ld.so(8)."""
    return {
        name: value
        for name, value in environment.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }


def take_no_new_privileges() -> None:
    """Keep this process and its children from gaining privileges by exec (set-user-ID programs,
    file capabilities).

    Irreversible. Raises OSError if the kernel refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

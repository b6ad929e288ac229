"""What a role is given by whatever starts it: a short list of variables, and no way to more rights."""

import ctypes
import os
from collections.abc import Mapping

# The words of prctl(2) from <linux/prctl.h>.
_PR_SET_NO_NEW_PRIVS = 38

PASSED_ON = frozenset(
    {
        "CREDENTIALS_DIRECTORY",  # systemd's: where secrets may lie
        "LANG",
        "LANGUAGE",
        "PATH",
        "SSL_CERT_DIR",  # OpenSSL's: which authorities this machine trusts
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
    }
)
# PYTHON…: how the interpreter finds its modules; the roles are the same program as their supervisor.
PASSED_ON_PREFIXES = ("LC_", "PYTHON", "SECONDPOST_")


def cleared(environment: Mapping[str, str]) -> dict[str, str]:
    """Of an environment, what a role needs: no secrets of a shell, and nothing that bends ld.so(8)."""
    return {
        name: value
        for name, value in environment.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }


def take_no_new_privileges() -> None:
    """This process and its children never get more rights by what they execute (set-user-ID programs, file
    capabilities). There is no way back. Raises OSError where the kernel refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

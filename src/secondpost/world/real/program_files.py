"""What this program needs of the machine's files to run: for a root that has nothing else."""

import glob
import os
import sys

LOADERS = ("/lib64/ld-linux*.so*", "/lib/ld-linux*.so*")


def program_files() -> tuple[str, ...]:
    """Files and folders: the interpreter, its modules and ours, the folders of shared libraries, the
    dynamic loader. Those in a folder of the others are left out.
    """
    # The first is the current folder, or that of a script, unless Python runs with -P.
    modules = sys.path if sys.flags.safe_path else sys.path[1:]
    candidates = (*_interpreters(), sys.prefix, *modules, *_library_folders(), *_loaders())
    there = sorted({os.path.abspath(path) for path in candidates if os.path.exists(path)})
    return tuple(path for path in there if not any(path.startswith(f"{other}/") for other in there))


def _interpreters() -> list[str]:
    """Each link from the name by which we were started to the file itself."""
    names = [sys.executable]
    while os.path.islink(names[-1]):
        names.append(os.path.normpath(os.path.join(os.path.dirname(names[-1]), os.readlink(names[-1]))))
    return names


def _library_folders() -> set[str]:
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        mapped = [line.split(maxsplit=5)[5].rstrip("\n") for line in maps if "/" in line]
    return {os.path.dirname(path) for path in mapped if ".so" in os.path.basename(path)}


def _loaders() -> list[str]:
    return [path for pattern in LOADERS for path in glob.glob(pattern)]

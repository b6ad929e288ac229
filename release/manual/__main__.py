"""`make manual`: build the pages, and name every link that leads nowhere."""

import sys
from pathlib import Path

from release.manual.building import Building

ROOT = Path(__file__).resolve().parents[2]


def main(folder: str) -> int:
    built = Building(ROOT, Path(folder)).build()
    for fault in built.faults:
        print(fault, file=sys.stderr)
    print(f"{folder}/index.html: {built.pages} pages")
    return 0 if len(built.faults) == 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

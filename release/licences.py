"""debian/copyright, from what is really inside: the licence of every library as its wheel has it.

`python -m release.licences LIBRARY PLACE` prints it for the libraries in the folder LIBRARY, which
the package will have below PLACE.
"""

import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

HEAD = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Secondpost

Files: *
Copyright: the authors of Secondpost
License: Apache-2.0

License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
"""
# Texts that Debian has in /usr/share/common-licenses, by words of theirs.
COMMON = {"Apache License": "Apache-2.0", "Mozilla Public License Version 2.0": "MPL-2.0"}
HOLDER = re.compile(r"(?mi)^\W*copyright\W*(?:\(c\)|©)?\s*(\d.*\w.*|\w+ contributors.*)$")
SHORT_NAMES = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
}


def copyright_file(library: Path, place: str) -> str:
    inside = sorted(distributions(path=[str(library)]), key=lambda found: found.name.lower())
    return "\n".join([HEAD, *(_stanza(found, place) for found in inside if found.name != "secondpost")])


def _stanza(found: Distribution, place: str) -> str:
    texts = [_text(file) for file in _licence_files(found)]
    holders = [holder for text in texts for holder in HOLDER.findall(text)]
    named = list(dict.fromkeys(holders)) or [f"the authors of {found.name}"]
    body = "\n .\n".join(_quoted(text) for text in texts)
    return (
        f"Files: {_lines(f'{place}/lib/*/{name}' for name in _top_names(found))}\n"
        f"Comment: {found.name} {found.version}\n"
        f"Copyright: {_lines(named)}\n"
        f"License: {_short_name(found)}~{found.name}\n{body}\n"
    )


def _lines(values: Iterable[str]) -> str:
    return "\n ".join(values)


def _top_names(found: Distribution) -> list[str]:
    """What it puts into the library: packages, modules, and the folder of its metadata."""
    tops = {file.parts[0] if len(file.parts) == 1 else f"{file.parts[0]}/*" for file in found.files or ()}
    return sorted(top for top in tops if not top.startswith(("..", "__pycache__")))


def _licence_files(found: Distribution) -> list[Path]:
    files = [
        Path(str(file.locate()))
        for file in found.files or ()
        if ".dist-info" in file.parts[0] and re.match(r"(?i)licen[cs]e|copying", file.name)
    ]
    if len(files) == 0:
        raise SystemExit(f"{found.name} {found.version} brings no text of its licence")
    return files


def _text(file: Path) -> str:
    text = file.read_text(encoding="utf-8").strip()
    for words, name in COMMON.items():
        if words in text[:200] and len(text) > 5000:
            return f"{file.name}: on Debian systems the text is in /usr/share/common-licenses/{name}."
    return text


def _short_name(found: Distribution) -> str:
    fields = found.metadata
    kinds = [kind for kind in fields.get_all("Classifier", []) if kind.startswith("License ::")]
    said = [*fields.get_all("License-Expression", []), *fields.get_all("License", []), *kinds]
    first = next((one for one in said if len(one) > 0), "unnamed")
    return SHORT_NAMES.get(first, first).replace(" OR ", "-or-")


def _quoted(text: str) -> str:
    return "\n".join(f" {line.rstrip()}" if len(line.strip()) > 0 else " ." for line in text.splitlines())


if __name__ == "__main__":
    print(copyright_file(Path(sys.argv[1]), sys.argv[2]))

"""What the configuration of a Postfix becomes, whose files are a dict."""

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from secondpost.setup.importing.carried import ImportedServer, ReportLine
from secondpost.setup.importing.postfix.reading import read_postfix
from secondpost.setup.importing.writing import ImportedFiles, new_files
from tests.setup.importing.old_world import OldWorld

FOLDER = "/etc/postfix"
NEW = "/etc/secondpost/secondpost.toml"

# What a server says that relays example.org, and nothing else.
LEAST = """\
compatibility_level = 3.6
myhostname = mx2.example.net
relay_domains = example.org
"""


def imported(main: str, files: Mapping[str, str] | None = None, path: str = FOLDER) -> ImportedServer:
    """`files`: by name in Postfix's folder, or by absolute path; - is standard input."""
    more = {
        name if name == "-" else posixpath.join(FOLDER, name): text for name, text in (files or {}).items()
    }
    return read_postfix(OldWorld({f"{FOLDER}/main.cf": main, **more}), path)


def completed(found: ImportedServer) -> ImportedFiles:
    """With what the command asks for; raises ConfigFaults if the new file would have faults."""
    answers = replace(found.answers, owner=("owner@outside.example",), store="/var/lib/secondpost")
    return new_files(found, answers, NEW)


def line_of(found: ImportedServer, text: str) -> ReportLine:
    """The line of the report whose text begins so."""
    (line,) = (line for line in found.report if line.text.startswith(text))
    return line

"""The Atom feed of a newsletter's issues (RFC 4287), marked so that no newsletter is made of it.

A document with `ISSUES_NAMESPACE` lists issues sent by a Secondpost, and is refused as a
newsletter's feed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.compose.templating import Templates, TemplateValue
from secondpost.mail.issue import Issue

ISSUES_NAMESPACE = "urn:secondpost:issues"

# Characters that XML 1.0 §2.2 forbids, even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class ListedIssue:
    issue: Issue
    at: str  # when it was sent, RFC 3339


def issues_feed(
    templates: Templates,
    name: str,
    title: str,
    author: str,
    language: str,
    home: str,
    issues: Sequence[ListedIssue],
) -> str:
    """The feed document; `issues` are newest first."""
    listed: list[TemplateValue] = [
        {"link": f"{home}{one.issue.number}", "subject": _xml(one.issue.subject), "at": one.at}
        for one in issues
    ]
    return templates.render(
        "issues.xml",
        {
            "namespace": ISSUES_NAMESPACE,
            "name": name,
            "title": _xml(title),
            "author": _xml(author),
            "language": language,
            "home": home,
            "updated": issues[0].at if len(issues) > 0 else "1970-01-01T00:00:00Z",
            "issues": listed,
        },
    )


def _xml(text: str) -> str:
    return _NOT_XML.sub("", text)

"""Makes the feed of the issues (Atom, RFC 4287). It carries a mark, so that nobody makes issues of issues.

`ISSUES_NAMESPACE` in a document says that it lists what a Secondpost has sent: as the feed of a newsletter
it is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.compose.templating import Templates, TemplateValue
from secondpost.mail.issue import Issue

ISSUES_NAMESPACE = "urn:secondpost:issues"

# XML 1.0 §2.2: these can stand in no document, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class ListedIssue:
    issue: Issue
    at: str  # when it went out, RFC 3339


def issues_feed(
    templates: Templates,
    name: str,
    title: str,
    author: str,
    language: str,
    home: str,
    issues: Sequence[ListedIssue],
) -> str:
    """Newest first."""
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

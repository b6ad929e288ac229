"""The words in which mail servers refuse what was sent, or put it off. Pure.

Cases for every pattern are in tests/bounce/replies.
"""

from secondpost.bounce.wording import any_of

OF_CONTENT = any_of(
    r"(?:message|mail|header|body|attachment|content|line)s?\b.{0,40}(?:(?<!queue )too (?:big|large|long)"
    r"|exceeds?\b.{0,30}(?:size|limit|maximum))",
    r"(?:size|length) (?:limit|exceed)",
    r"max(?:imum)? (?:message|mail|allowed) size",
    r"message size",
    r"line length",
    r"virus",
    r"malware",
    r"infected",
    r"forbidden (?:attachment|content|file)",
    r"attachment.{0,30}(?:not allowed|blocked|rejected)",
    r"(?:lone|bare|stray) (?:cr|lf|newline)",
    r"malformed",
    r"(?:bad|invalid|missing|illegal|duplicate) (?:header|message-id|from header|date header"
    r"|mime|syntax in header)",
    r"mime (?:error|structure)",
    r"\bin (?:the |your )?headers?\b",
    r"rfc ?5?[28]22",
    r"not (?:rfc )?5322",
    r"not rfc[ -]compliant",
    r"8[- ]?bit (?:data|characters)",
    r"(?:link|url|domain)s? in (?:the |your )?(?:message|body|mail)",
    r"content (?:rejected|denied|not acceptable|blocked)",
)

GREYLISTED = any_of(r"gr[ea]y ?list")

TEMPORARY = any_of(
    GREYLISTED.pattern,
    r"try (?:it )?(?:again|later)",
    r"temporar(?:y|ily)",
    r"please retry",
    r"retry (?:later|time)",
    r"failing for a long time",
    r"queue too long",
    r"message expired",
    r"timed? ?out",
    r"delivery time expired",
    r"(?:too|very) busy",
    r"resources",
    r"system (?:load|problem)",
    r"not available (?:now|at)",
)

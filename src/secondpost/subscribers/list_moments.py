"""Dates and times as services write them, in milliseconds; UTC where no zone is given. Pure."""

from datetime import UTC, datetime

# Formats, by the characters that tell them apart. Where day and month are both numbers their order
# is ambiguous, so such dates are only read with dots or with the year first.
_DOTTED = ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S")
_YEAR_AND_SLASH = ("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S")
_YEAR_AND_HYPHEN = ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %I:%M %p")
_DAY_AND_NAME = ("%d %b %Y", "%d %B %Y", "%d %b %Y %H:%M:%S")
_NAME_FIRST = (
    "%b %d, %Y", "%B %d, %Y", "%b %d, %Y %I:%M %p", "%b %d, %Y, %I:%M %p", "%b %d, %Y %H:%M",
)  # fmt: skip
EPOCH_DIGITS = (10, 13)  # digits of seconds or of milliseconds since 1970


def moment_ms(text: str) -> int | None:
    """Milliseconds since the epoch; None for text that cannot be read without guessing."""
    if text.isdecimal() and text.isascii():
        if len(text) not in EPOCH_DIGITS:
            return None
        return int(text) * 1000 if len(text) == EPOCH_DIGITS[0] else int(text)
    plain = text.removesuffix(" UTC").replace(" +", "+") if " " in text[11:] else text
    try:
        return _ms(datetime.fromisoformat(plain))
    except ValueError:
        pass
    for form in _forms(plain):
        try:
            return _ms(datetime.strptime(plain, form).replace(tzinfo=UTC))
        except ValueError:
            continue
    return None


def _forms(text: str) -> tuple[str, ...]:
    if text[:1].isalpha():
        return _NAME_FIRST
    if "." in text[1:3]:
        return _DOTTED
    if text[4:5] in ("/", "-"):
        return _YEAR_AND_SLASH if text[4] == "/" else _YEAR_AND_HYPHEN
    return _DAY_AND_NAME if text[2:4].strip()[:1].isalpha() else ()


def _ms(moment: datetime) -> int | None:
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    milliseconds = round(known.timestamp() * 1000)
    return milliseconds if milliseconds > 0 else None

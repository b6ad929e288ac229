"""Cells of a list: kept from being computed by a spreadsheet, and read back as they were."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute such a cell


def safe_cell(text: str) -> str:
    """For a file that may be opened in a spreadsheet."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def plain_cell(text: str) -> str:
    """What safe_cell was given."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS) else text

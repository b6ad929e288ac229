"""Cells of a list, escaped so that a spreadsheet does not evaluate them as formulas, and back."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet evaluates cells that begin so


def safe_cell(text: str) -> str:
    """Prefix an apostrophe to a cell that a spreadsheet would evaluate."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def plain_cell(text: str) -> str:
    """Inverse of safe_cell."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS) else text

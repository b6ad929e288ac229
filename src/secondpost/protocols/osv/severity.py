"""How severe a hole is, in a word: from its CVSS vector, or as the advisory says."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType

# CVSS 3.1 §7.4; ROUNDED is the smallest of each word (§5).
_WEIGHTS: Mapping[str, Mapping[str, Decimal]] = MappingProxyType(
    {
        "AV": {"N": Decimal("0.85"), "A": Decimal("0.62"), "L": Decimal("0.55"), "P": Decimal("0.2")},
        "AC": {"L": Decimal("0.77"), "H": Decimal("0.44")},
        "UI": {"N": Decimal("0.85"), "R": Decimal("0.62")},
        "C": {"H": Decimal("0.56"), "L": Decimal("0.22"), "N": Decimal(0)},
        "I": {"H": Decimal("0.56"), "L": Decimal("0.22"), "N": Decimal(0)},
        "A": {"H": Decimal("0.56"), "L": Decimal("0.22"), "N": Decimal(0)},
    }
)
_PRIVILEGES: Mapping[str, Mapping[str, Decimal]] = MappingProxyType(  # by the scope
    {
        "U": {"N": Decimal("0.85"), "L": Decimal("0.62"), "H": Decimal("0.27")},
        "C": {"N": Decimal("0.85"), "L": Decimal("0.68"), "H": Decimal("0.5")},
    }
)
_WORDS = ((Decimal("9.0"), "critical"), (Decimal("7.0"), "high"), (Decimal("4.0"), "medium"))
_SAID: Mapping[str, str] = MappingProxyType(
    {"low": "low", "moderate": "medium", "medium": "medium", "high": "high", "critical": "critical"}
)


def severity_word(scores: Sequence[tuple[str, str]], said: str) -> str:
    """`scores`: type and vector of each; `said`: the advisory's own word. "" if neither says it."""
    for type_, vector in scores:
        score = base_score(vector) if type_ == "CVSS_V3" else None
        if score is not None:
            return next((word for least, word in _WORDS if score >= least), "low" if score > 0 else "")
    return _SAID.get(said.strip().lower(), "")


def base_score(vector: str) -> Decimal | None:
    """The base score of a vector of CVSS 3.0 or 3.1; None if it is none."""
    parts = dict(part.split(":", 1) for part in vector.split("/") if ":" in part)
    if parts.get("CVSS") not in ("3.0", "3.1") or parts.get("S") not in _PRIVILEGES:
        return None
    try:
        weight = {name: _WEIGHTS[name][parts[name]] for name in _WEIGHTS}
        privileges = _PRIVILEGES[parts["S"]][parts["PR"]]
    except KeyError:
        return None
    left = (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    base = 1 - left
    is_changed = parts["S"] == "C"
    impact = Decimal("6.42") * base
    if is_changed:
        above = (base - Decimal("0.02")) ** 15
        impact = Decimal("7.52") * (base - Decimal("0.029")) - Decimal("3.25") * above
    if impact <= 0:
        return Decimal(0)
    exploitability = Decimal("8.22") * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    whole = (impact + exploitability) * (Decimal("1.08") if is_changed else 1)
    return min(whole, Decimal(10)).quantize(Decimal("0.1"), rounding=ROUND_CEILING)

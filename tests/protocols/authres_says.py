"""Wrapper of authres, an independent reader of Authentication-Results, which has no types."""

import authres  # type: ignore[import-untyped]  # this wrapper gives it types


def results(field: str) -> list[tuple[str, str]]:
    """The methods and results in a field; raises for one that is not well formed."""
    read = authres.AuthenticationResultsHeader.parse(field)
    return [(str(each.method), str(each.result)) for each in read.results]

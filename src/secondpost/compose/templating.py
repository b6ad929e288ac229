"""Renders a station's own templates: undefined names are errors, values are data alone, loops have an end.

A template ending in .html escapes every value that was not marked as HTML; one in .txt escapes none.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

from minijinja import Environment, Markup

from secondpost.mail.language import direction_of_language
from secondpost.mail.moment import zoned_text

FUEL = 2_000_000  # steps of one rendering; an issue of a thousand articles takes a tenth of it

# What a template may be given. Public methods of other objects could be called from inside it.
TemplateValue = None | str | int | bool | Markup | Sequence["TemplateValue"] | Mapping[str, "TemplateValue"]


class Templates:
    """The templates of one package, read when they are first used."""

    def __init__(self, package: str) -> None:
        folder = files(package).joinpath("templates")

        def load(name: str) -> str | None:
            place = folder.joinpath(name)
            return place.read_text(encoding="utf-8") if place.is_file() else None

        self._environment = Environment(
            loader=load,
            debug=False,
            fuel=FUEL,
            undefined_behavior="strict",
            auto_escape_callback=_escapes,
            trim_blocks=True,
            lstrip_blocks=True,
            pycompat=False,
        )
        self._environment.add_filter("moment", _moment)
        self._environment.add_filter("direction", direction_of_language)

    def render(self, name: str, values: Mapping[str, TemplateValue]) -> str:
        """Raises minijinja.TemplateError, which means a fault of ours."""
        return self._environment.render_template(name, **values)


def _moment(iso: str, zone: str) -> str:
    """What RFC 3339 says, for people: `{{ at | moment(zone) }}`."""
    return zoned_text(int(datetime.fromisoformat(iso).timestamp()) * 1000, ZoneInfo(zone))


def _escapes(name: str) -> bool:
    return name.endswith((".html", ".xml"))


def trusted(html: str) -> Markup:
    """HTML that was cleaned, to stand in a template as it is."""
    return Markup(html)

"""Render a package's own templates: undefined names are errors, values are plain data, loops are
bounded.

A template ending in .html or .xml escapes every value not marked as HTML; one in .txt escapes
nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

from minijinja import Environment, Markup

from secondpost.mail.language import direction_of_language
from secondpost.mail.moment import zoned_text

FUEL = 2_000_000  # steps per rendering; an issue of a thousand articles takes a tenth

# Values that a template may get. It could call public methods of other objects.
TemplateValue = None | str | int | bool | Markup | Sequence["TemplateValue"] | Mapping[str, "TemplateValue"]


class Templates:
    """The templates of one package, read on first use."""

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
        """Render a template. Raises minijinja.TemplateError, which is a bug of ours."""
        return self._environment.render_template(name, **values)


def _moment(iso: str, zone: str) -> str:
    """The filter `moment`: an RFC 3339 time for people, as in `{{ at | moment(zone) }}`."""
    return zoned_text(int(datetime.fromisoformat(iso).timestamp()) * 1000, ZoneInfo(zone))


def _escapes(name: str) -> bool:
    return name.endswith((".html", ".xml"))


def trusted(html: str) -> Markup:
    """Mark cleaned HTML so that templates do not escape it."""
    return Markup(html)

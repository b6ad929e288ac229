"""The option --also: mail servers by their words, with commas between."""

import click

from secondpost.protocols.osv.inventory import MAIL_SERVERS


class MailServers(click.ParamType[tuple[str, ...]]):
    name = "servers"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = tuple(dict.fromkeys(word.strip().lower() for word in str(value).split(",")))
        unknown = [word for word in words if word not in MAIL_SERVERS]
        if len(unknown) > 0:
            self.fail(f"{unknown[0]!r} is none of {', '.join(MAIL_SERVERS)}", param, ctx)
        return words

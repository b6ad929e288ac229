"""Writes messages: header fields, list fields, quoted-printable with holes, an issue's parts."""

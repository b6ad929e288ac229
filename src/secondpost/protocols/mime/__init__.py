"""Writes messages: header fields, list fields, quoted-printable with holes, the two parts of an issue."""

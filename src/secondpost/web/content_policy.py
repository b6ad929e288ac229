"""The Content-Security-Policy of our pages; a look from outside recognizes our pages by it
(roles/leave_look). An issue in the archive has one of its own (web/public).
"""

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

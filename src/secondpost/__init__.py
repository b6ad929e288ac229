"""Secondpost: a newsletter from the blog's feed, and a second post office for the domain's mail.

The folders are the mail's way: receive, policy, spool, route, deliver. Under them lie quiet floors
that do no I/O of their own: mail (the nouns), protocols (the RFCs), world and store (the ports).
"""

__version__ = "0.1.0"

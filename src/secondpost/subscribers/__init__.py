"""Readers of a newsletter: sign-up, confirmation, leaving, suppression, and lists in and out.

Read in this order: `states` is the table of permitted state changes; `signup` takes a sign-up and
asks for confirmation; `reader_desk` lets a reader leave, be erased, or take their data along; `writing`
does the same for readers who send mail instead of clicking; `suppression` keeps the addresses that
get no mail; `importing` and `exporting` read and write lists.
"""

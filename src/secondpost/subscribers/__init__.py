"""Readers of a newsletter: sign-up, confirmation, leaving, suppression, and lists in and out.

The table of permitted changes of state is mail/subscriber_states; the rules that use it are in
store/verbs. Read in this order: `signup` takes a sign-up and asks for confirmation; `reader_desk`
lets a reader leave, be erased, or take their data along; `writing` does the same for readers who
send mail instead of clicking; `importing` reads lists, by the tables of `services` (list_* are its
parts), and `exporting` writes them.
"""

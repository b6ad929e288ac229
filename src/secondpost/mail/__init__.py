"""The nouns of mail. Values only: nothing here reads a clock, a file or a socket.

Read in this order: address, reply, queue_id, envelope, content, delivery, outcome, verdict, plan,
questions, duration, size, slot, moment, language, printable, article, issue_content. Standard library
only.
"""

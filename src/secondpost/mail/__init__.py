"""The value types of mail. Nothing here reads a clock, a file or a socket. Standard library only.

Reading order: address, reply, queue_id, envelope, content, delivery, outcome, verdict, plan,
questions, duration, size, slot, moment, language, printable, article, issue_content.
"""

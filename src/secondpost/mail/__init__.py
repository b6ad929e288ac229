"""The value types of mail. Nothing here reads a clock, a file or a socket. Standard library only.

Reading order: address, prefix, reply, queue_id, envelope, content, delivery, delivery_states,
outcome, verdict, plan, offered, questions, inside_mail; alarm, daily, duration, size, moment,
printable; article, slot, issue, issue_content, signed_mail, language; subscriber,
subscriber_states.
"""

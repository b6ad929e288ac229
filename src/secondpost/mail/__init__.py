"""The value types of mail. Nothing here reads a clock, a file or a socket, and nothing is imported but
the standard library and msgspec, for the structs.

Reading order: address, network, reply, queue_id, envelope, content, delivery, delivery_states,
outcome, verdict, plan, offered, questions, inside_mail; alarm, duration, daily, size, moment,
printable; article, article_states, slot, issue, issue_content, signed_mail, language; subscriber,
subscriber_states.
"""

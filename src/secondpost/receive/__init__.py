"""Station 1: a client's bytes come in; a synced message and its 250 go out.

listener accepts and ends connections (host is what a conversation sees of it); callers, proven,
conduct and patience know who is connected and how long each client may take; caller_log limits what
is logged of them. conversation leads a client through the protocol, asks policy and answers;
knowledge answers policy's questions. envelope is a message from MAIL to DATA, incoming is it from
DATA until spool/accept has it; body streams a large one to a file; trace makes the Received line.
"""

"""Station 1: one client's bytes come in, a synced message and its 250 go out.

listener lets callers in and sees them out (host is how a conversation sees it); callers, proven, conduct and
patience know who is here and how long each may take, and caller_log bounds what is written of them;
conversation leads one of them through the protocol, asks policy and answers; knowledge answers what policy
asks; envelope is a message from MAIL to DATA, incoming the same from there until spool/accept has it; body
streams what is large to a file; trace has the one Received line.
"""

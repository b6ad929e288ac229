"""Station 1: a client's bytes come in; a synced message and its 250 go out.

listener accepts and ends connections (host is what a conversation sees of it); callers, proven,
conduct and patience know who is connected and how long each client may take; caller_log limits what
is logged of them. session_watch finds attacks in what a session does, attacks counts those of all
and notices bursts (spool/attack_tally stores the counts). conversation leads a client through the
protocol, asks policy and answers; knowledge answers policy's questions; lists has the recipients, offers what
primaries offer, under_way the octets coming in, unverified the messages per network, disk_room the
free space.
envelope is a message from MAIL to DATA, incoming the message from DATA until spool/accept has
stored it; body streams a large one to a file; trace makes the Received line. reception is what all
conversations share, refusals counts refused recipients.
"""

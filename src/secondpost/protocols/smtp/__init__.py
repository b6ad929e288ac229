"""SMTP (RFC 5321) without I/O: server and client, each a core driven by a table of states.

Reading order: server_states, server, server_commands, server_body; then client_states,
client_session, client_login, client, replies. body and lines split the stream for both;
international is SMTPUTF8 (RFC 6531).
"""

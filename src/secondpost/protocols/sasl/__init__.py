"""SASL (RFC 4422), the client's side: how this server logs in to a smart host.

mechanisms holds PLAIN and LOGIN and chooses among all; scram is SCRAM-SHA-256, which prepares names
and passwords with saslprep.
"""

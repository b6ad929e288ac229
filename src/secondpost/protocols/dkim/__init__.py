"""DKIM (RFC 6376, RFC 8463): canonical forms, signing and verifying."""

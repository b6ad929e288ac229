"""Readers and the owner: their letters, their commands and their mailboxes."""

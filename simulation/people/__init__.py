"""Readers and the owner, what they write, and what they find in their mail."""

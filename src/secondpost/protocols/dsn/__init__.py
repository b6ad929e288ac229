"""Reads delivery status notifications (RFC 3464) and detects automatic mail (RFC 3834)."""

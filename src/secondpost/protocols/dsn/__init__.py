"""Delivery status notifications (RFC 3464) written and read; mail from programs (RFC 3834) recognised."""

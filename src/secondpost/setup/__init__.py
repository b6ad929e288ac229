"""The service's surroundings: the DNS records it needs."""

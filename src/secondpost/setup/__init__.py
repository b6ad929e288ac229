"""The service's surroundings: the interview with which `init` sets it up, the DNS records that it needs,
and what `check` examines.
"""

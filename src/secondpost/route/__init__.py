"""Routing: `destination` chooses the route of a delivery, `hosts` ranks the machines at its end.

Pure. A route is computed for each attempt from the current configuration and DNS, and never stored.
"""

"""Build each role from its parts, for a process and for the simulation alike."""

"""Where mail is kept: one port, and the adapters behind it. SQL and drivers live here and nowhere else."""

"""Settings that hold for every test."""

from hypothesis import HealthCheck, settings

# No test is judged by a clock: a busy machine takes longer and finds the same.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

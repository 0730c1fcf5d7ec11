"""For all tests: no property has a deadline, since a machine may be three times slower."""

from hypothesis import HealthCheck, settings

settings.register_profile("keymoot", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("keymoot")

"""What holds for every test: no timed assertions by the back door, the same examples on every machine."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# a busy machine is no defect of the code, so no example has a deadline
settings.register_profile(
    "house", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

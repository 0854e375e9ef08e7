"""`python -m bench [OPTION…]`: every benchmark, one after the other."""

from bench import (
    backup,
    burst,
    deletion,
    endpoints,
    memory,
    overhead,
    overview,
    reminders,
    scheduler_idle,
    sweep,
    trigger,
)
from bench.command import main

main(
    burst.measure,
    overhead.measure,
    trigger.measure,
    scheduler_idle.measure,
    memory.measure,
    reminders.measure,
    deletion.measure,
    sweep.measure,
    backup.measure,
    endpoints.measure,
    overview.measure,
)

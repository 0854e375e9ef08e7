"""The catalogue of the benchmarks, filled up to two hundred jobs."""

from bench.catalog import noop
from jobs.catalog.cron import cron
from jobs.engine import registry

JOBS = 200

for number in range(JOBS - len(list(registry.all_jobs()))):
    cron.job(f"bench-{number:03}", schedule=f"{number % 60} {number % 24} * * *", description="Do nothing")(noop)

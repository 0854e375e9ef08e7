"""The settings of the benchmarks, with two hundred jobs."""

from bench.settings import *  # noqa: F403

JOBS_CATALOG = "bench.many_jobs"

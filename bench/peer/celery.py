"""A stock Celery application; the environment chooses the result backend."""

import os
import time
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peer.settings")

app = Celery("stock")
app.conf.update(
    broker_url=os.environ["REDIS_URL"],
    timezone="UTC",
    result_extended=True,
    redbeat_redis_url=os.environ["REDIS_URL"].replace("redis+socket", "unix").replace("virtual_host", "db"),
    redbeat_lock_key=None,
)
if os.environ.get("PEER_RESULTS"):
    app.conf.result_backend = "django-db"
if os.environ.get("PEER_KEPT"):
    app.conf.CELERY_DB_REUSE_MAX = 1000


@app.task(name="noop")
def noop() -> None:
    """Do nothing."""


@app.task(name="lag")
def lag(due: float) -> None:
    """Append the seconds between the moment it was due and this line to the file that the environment names."""
    now = time.time()
    with open(os.environ["BENCH_LAG_FILE"], "a") as stream:
        stream.write(f"{now - due:.6f}\n")


def publish(count: int) -> dict[str, Any]:
    """Send so many messages from one producer; the seconds it took."""
    with app.producer_pool.acquire() as producer:
        noop.apply_async(producer=producer)
        began = time.perf_counter()
        for _ in range(count):
            noop.apply_async(producer=producer)
        return {"seconds": time.perf_counter() - began}

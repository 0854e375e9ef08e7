"""Celery's configuration. Messages are hints: PostgreSQL alone knows what is to be run."""

from django.conf import settings
from kombu import Exchange, Queue

GROUPS = ("cron", "scheduled", "cleanup")

broker_url = settings.BROKER_URL
broker_connection_retry_on_startup = True
broker_transport_options = {
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "max_retries": 0,
    # Redis keeps no second copy of a message that a worker has fetched: PostgreSQL has a lost one sent again.
    "ack_emulation": False,
}
accept_content = ["json"]
result_accept_content = ["json"]
result_backend = "django-db"
result_extended = True
CELERY_DB_REUSE_MAX = 1000

task_queues = [Queue(group, Exchange(group), routing_key=group) for group in GROUPS]
task_default_queue = GROUPS[0]
task_create_missing_queues = False
task_routes = ("jobs.fleet.tasks.route",)

worker_prefetch_multiplier = 1
worker_disable_prefetch = True
worker_redirect_stdouts = False

beat_scheduler = "jobs.fleet.beat:LedgerScheduler"
beat_max_loop_interval = 5
timezone = "UTC"

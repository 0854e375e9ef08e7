"""What the engine announces; monitoring words it in the log and, later, raises alerts and broadcasts it.

Receivers get keyword arguments and must not write to the database in the sender's transaction. Every event is sent
after the fact is committed.
"""

from django.dispatch import Signal

run_started = Signal()  # run
run_finished = Signal()  # run, with its final state
run_retrying = Signal()  # run, wait, error
run_given_back = Signal()  # run, reason
run_refused = Signal()  # run_id, reason: a message that could not be executed
tick_decided = Signal()  # schedule_name, job, tick, fate, reason: for ticks that do not run
schedule_broken = Signal()  # name, reason
schedule_mended = Signal()  # name
worker_lost = Signal()  # name, kind
broker_lost = Signal()  # reason
broker_back = Signal()  # wiped
database_lost = Signal()  # reason
database_back = Signal()

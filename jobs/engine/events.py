"""What the engine announces; monitoring words it in the log and, later, raises alerts and broadcasts it.

Receivers get keyword arguments and must not write to the database in the sender's transaction. Every event is sent
after the fact is committed. A receiver that raises is logged by Django and changes nothing for anybody else.
"""

from typing import Any

from django.dispatch import Signal


class Event(Signal):
    """A signal whose receivers cannot fail its sender: a run is not lost because a log line could not be worded."""

    def send(self, sender: Any, **named: Any) -> list[tuple[Any, Any]]:
        """Tell every receiver; what one raises stands in the answer."""
        return self.send_robust(sender, **named)


run_started = Event()  # run
run_progressed = Event()  # run_id, job, progress
run_finished = Event()  # run, with its final state
run_retrying = Event()  # run, wait, error
run_goes_on_later = Event()  # run, wait, reason: it is not done yet, without an error
run_given_back = Event()  # run, reason
run_refused = Event()  # run_id, reason: a message that could not be executed
tick_decided = Event()  # schedule_name, job, tick, fate, reason: for ticks that do not run
schedule_broken = Event()  # name, reason
schedule_mended = Event()  # name
worker_lost = Event()  # name, kind
broker_lost = Event()  # reason
broker_back = Event()  # wiped
database_lost = Event()  # reason
database_back = Event()

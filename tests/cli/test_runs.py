import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.engine.runner import execute
from jobs.management import following, listing
from jobs.management.refusals import NothingDone
from jobs.models import Run, State

NO_RUN = "01890a5d-ac96-774b-bcce-b302099a8057"

# The heartbeat of a run in the foreground writes on a connection of its own.
FOREGROUND = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[2]


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=240, check=False)


@FOREGROUND
def test_a_run_in_the_foreground_ends_with_its_result(cron):
    answer = cron("run", "cleanup-sessions", "--json")

    assert answer.code == 0
    assert answer.data["state"] == "succeeded"
    assert answer.data["result"] == {"deleted": 0}
    assert Run.objects.get(pk=answer.data["id"]).trigger == "cli"


@FOREGROUND
def test_a_run_that_fails_is_shown_and_is_exit_code_1(cron, declared_failing):
    answer = cron("run", "cli-failing", "--json")

    assert answer.code == 1
    assert answer.data["state"] == "failed"
    assert answer.data["error"] == "ValueError: the disk is full"


@FOREGROUND
def test_arguments_reach_the_body_with_their_types(cron, declared_echo):
    answer = cron("run", "cli-echo", "--arg", "days=3", "--arg", 'names=["a", "b"]', "--json")

    assert answer.data["result"] == {"days": 3, "names": ["a", "b"]}


@FOREGROUND
def test_a_dry_run_says_so(cron):
    assert cron("run", "cleanup-sessions", "--dry-run", "--json").data["result"]["dryRun"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trigger", "cleanup-sesions"], "Did you mean 'cleanup-sessions'?"),
        (["trigger", "daily-report", "--arg", "days=3"], "days: Extra inputs are not permitted"),
        (["trigger", "daily-report", "--arg", "days"], "not of the form name=value"),
        (["trigger", "daily-report", "--arg", "a=1", "--arg", "a=2"], "given twice"),
        (["trigger", "daily-report", "--arg", "a=[1"], "begins like JSON"),
        (["trigger", "daily-report", "--confirms", "me"], "not the id of a run"),
        (["trigger", "daily-report", "--confirms", NO_RUN], "that the brake stopped"),
        (["next", "daily-report", "-n", "0"], "0 is not in the range"),
        (["why", "daily-report", "--at", "noon"], "is not a moment"),
        (["pause", "daily-report"], "Missing option '--reason'"),
        (["frob"], "No such command 'frob'"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line_with_code_2(cron, arguments, said):
    answer = cron(*arguments)

    assert answer.code == 2
    assert said in answer.refusal
    assert "\n" not in answer.refusal
    assert not Run.objects.exists()


def test_a_trigger_queues_one_run_and_a_second_has_nothing_to_do(cron):
    first = cron("trigger", "daily-report", "--json")
    second = cron("trigger", "daily-report", "--json")

    assert (first.code, first.data["state"]) == (0, "queued")
    assert second.code == 1
    assert first.data["runId"] in second.refusal


def test_waiting_is_bounded_and_says_where_the_run_stands(cron):
    answer = cron("trigger", "daily-report", "--wait", "--timeout", "1")

    assert answer.code == 1
    assert "is still queued" in answer.refusal


def test_following_ends_with_the_run_and_tells_each_look_at_it(cron):
    run_id = cron("trigger", "cleanup-sessions", "--json").data["runId"]
    told: list[str] = []

    ended = following.follow(
        run_id,
        limit=timedelta(minutes=1),
        tell=lambda run: told.append(following.standing(run)),
        pause=lambda _: execute(Run.objects.get().pk, worker="a worker") and None,
    )

    assert ended.state == State.SUCCEEDED
    assert told[0] == "cleanup-sessions is queued"
    assert told[-1].startswith("cleanup-sessions is succeeded")


def test_following_gives_up_at_its_limit(cron):
    run_id = cron("trigger", "cleanup-sessions", "--json").data["runId"]

    with pytest.raises(NothingDone, match="is still queued"):
        following.follow(run_id, limit=timedelta(), tell=lambda _: None, pause=lambda _: None)


def test_the_list_costs_few_queries(cron, synced, django_assert_max_num_queries):
    with django_assert_max_num_queries(40):
        list(listing.everything())


def test_from_a_terminal_an_error_is_one_line_on_stderr():
    done = manage("cron", "next", "cleanup-sesions")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "Error: There is no job 'cleanup-sesions'. Did you mean 'cleanup-sessions'?\n"


def test_a_database_that_is_away_is_one_line_too():
    done = manage("cron", "list", DATABASE_URL="postgresql://app@/app?host=/nowhere")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: The database refused or does not answer: ")
    assert done.stderr.count("\n") == 1


def test_a_bad_setting_ends_every_command_in_its_own_sentence():
    done = manage("cron", "list", CRON_ENABLED="maybe")

    assert done.returncode == 2
    assert done.stderr == "CRON_ENABLED='maybe' is not allowed: it must be true or false.\n"

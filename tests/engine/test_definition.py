"""A declaration is checked when it is made, and what a caller gives a job is checked when it is given."""

from datetime import datetime, timedelta
from typing import Literal

import pytest
from pydantic import BaseModel

from jobs.engine import registry
from jobs.engine.definition import Overlap, Retry, declare
from jobs.engine.errors import BadArguments, BadDeclaration, UnknownJob


def make(body=lambda _run: None, **declaration):
    values = {"slug": "probe-job", "group": "cron", "schedule": "0 4 * * *", "description": "Probes"}
    return declare(body, **{**values, **declaration})


def test_a_declaration_names_everything_that_follows_from_it():
    job = make()
    assert (job.name, job.task, job.queue, job.overlap_key) == ("probe-job", "jobs.probe-job", "cron", "probe-job")
    assert make(name="other").name == "other"


@pytest.mark.parametrize("overlap", [Overlap.ALLOW, "allow"])
def test_a_job_that_may_overlap_has_no_overlap_key(overlap):
    assert make(overlap=overlap).overlap_key is None


@pytest.mark.parametrize(
    "slug", ["", "Upper", "two--hyphens", "-first", "last-", "under_score", "1st", "with space", "ă"]
)
def test_a_slug_is_lower_case_words_joined_by_hyphens(slug):
    with pytest.raises(BadDeclaration, match="is not a slug"):
        make(slug=slug)


@pytest.mark.parametrize("schedule", ["", "0 4 * *", "61 * * * *", "0 0 31 2 *", "@daily"])
def test_a_schedule_that_cannot_be_understood_is_refused_by_the_jobs_name(schedule):
    with pytest.raises(BadDeclaration, match="The schedule of 'probe-job' cannot be understood"):
        make(schedule=schedule)


def test_a_zone_that_does_not_exist_is_refused():
    with pytest.raises(BadDeclaration, match="Europe/Bucarest"):
        make(zone="Europe/Bucarest")


@pytest.mark.parametrize(
    ("soft", "hard", "fits"), [(1, 2, True), (2, 2, False), (3, 2, False), (0, 2, False), (-1, 2, False)]
)
def test_the_soft_limit_lies_above_zero_and_below_the_hard_one(soft, hard, fits):
    limits = {"soft_limit": timedelta(seconds=soft), "hard_limit": timedelta(seconds=hard)}
    if fits:
        assert make(**limits)
    else:
        with pytest.raises(BadDeclaration, match="soft time limit"):
            make(**limits)


def test_a_job_has_at_least_one_attempt():
    assert make(retry=Retry(attempts=1))
    with pytest.raises(BadDeclaration, match="at least 1"):
        make(retry=Retry(attempts=0))


def test_a_policy_that_does_not_exist_is_refused_by_name():
    with pytest.raises(BadDeclaration, match=r"'probe-job'.*soft_limt"):
        make(soft_limt=timedelta(minutes=1))
    with pytest.raises(BadDeclaration, match="description"):
        declare(lambda _run: None, slug="probe-job", group="cron", schedule="0 4 * * *")


def nothing():
    """Takes no run."""


def positional(_run, _days):
    """Takes an argument by position."""


def untyped(_run, *, days):
    """Takes an argument of no type."""


@pytest.mark.parametrize(
    ("body", "why"), [(nothing, "must take the run"), (positional, "by keyword"), (untyped, "'days' needs a type")]
)
def test_a_body_takes_the_run_and_typed_arguments_by_keyword(body, why):
    with pytest.raises(BadDeclaration, match=why):
        make(body)


def test_a_slug_can_be_declared_once(declared):
    job = declared()
    with pytest.raises(BadDeclaration, match="twice"):
        registry.add(job)


def test_a_group_declares_and_an_unknown_job_is_answered_with_the_closest():
    group = registry.Group("cron", "Main jobs")

    @group.job("grouped-probe", schedule="0 4 * * *", description="Probes")
    def body(_run):
        """Do nothing."""

    try:
        assert registry.get("grouped-probe").body is body
        assert registry.groups()[0] == "cron"
        with pytest.raises(UnknownJob, match="Did you mean 'grouped-probe'"):
            registry.get("groped-probe")
    finally:
        registry.remove("grouped-probe")
    with pytest.raises(UnknownJob, match="See GET /cron/status"):
        registry.get("zzz")


class Filter(BaseModel):
    """A nested argument."""

    kind: str


def asks(
    _run,
    *,
    days: int = 3,
    at: datetime | None = None,
    mode: Literal["fast", "slow"] = "fast",
    rate: float = 1.0,
    name: str = "",
    only: Filter | None = None,
):
    """Takes typed arguments."""


def test_arguments_are_typed_and_come_back_as_json_with_only_what_was_given():
    job = make(asks)
    assert job.check_arguments({}) == {}
    assert job.check_arguments({"days": "7", "at": "2026-06-01T12:00:00Z"}) == {"days": 7, "at": "2026-06-01T12:00:00Z"}
    assert job.check_arguments({"only": {"kind": "a"}}) == {"only": {"kind": "a"}}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"days": "soon"}, "days"),
        ({"days": 1.5}, "days"),
        ({"mode": "medium"}, "mode"),
        ({"colour": "red"}, "colour"),
        ({"only": {}}, "only.kind"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"rate": float("inf")}, "rate"),
        ({"rate": float("nan")}, "rate"),
    ],
)
def test_a_bad_argument_is_refused_by_its_field(given, field):
    with pytest.raises(BadArguments, match="'probe-job'") as refused:
        make(asks).check_arguments(given)
    [problem] = refused.value.problems
    assert problem["field"] == field
    assert problem["reason"]


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [(1, 15, 30), (2, 30, 60), (3, 60, 120), (5, 240, 480), (6, 300, 600), (99, 300, 600)],
)
def test_the_wait_doubles_up_to_the_longest_and_lies_between_half_and_the_whole(failures, least, most):
    retry = Retry(backoff=timedelta(seconds=30), longest=timedelta(minutes=10))
    assert retry.wait_after(failures, jitter=lambda: 0.0) == timedelta(seconds=least)
    assert retry.wait_after(failures, jitter=lambda: 1.0) == timedelta(seconds=most)
    assert timedelta(seconds=least) <= retry.wait_after(failures) <= timedelta(seconds=most)


@pytest.mark.parametrize(("failures", "worth"), [(1, True), (2, True), (3, False)])
def test_three_attempts_mean_that_the_third_failure_is_the_last(failures, worth):
    assert Retry(attempts=3).is_worth_it(ValueError(), failures) is worth


def test_only_the_errors_that_are_named_are_worth_another_attempt():
    retry = Retry(on=(OSError,))
    assert retry.is_worth_it(ConnectionError(), 1)
    assert not retry.is_worth_it(ValueError(), 1)
    assert not Retry().is_worth_it(SystemExit(), 1)

"""`manage.py cron`: the jobs from a terminal."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from django.conf import settings
from django.utils import timezone
from django_typer.management import command
from rich.console import RenderableType
from typer import Argument, Exit, Option

from jobs.engine import dispatch, pausing, registry, runner, sync
from jobs.engine.explain import Explanation, why
from jobs.fleet import tasks
from jobs.fleet.publishing import publish
from jobs.management import arguments, following, listing, moments, printing, table
from jobs.management.refusals import FAILED, NothingDone
from jobs.management.refusing import RefusingCommand
from jobs.models import Run, State, Trigger

Slug = Annotated[str, Argument(help="The job's path, as in `cron list`.", metavar="JOB")]
AsJson = Annotated[bool, Option("--json", help="Answer in JSON.")]
DryRun = Annotated[bool, Option("--dry-run", help="Only look: count what would be done.")]
Arguments = Annotated[list[str] | None, Option("--arg", help="An argument of the job, as name=value; repeatable.")]
Confirms = Annotated[str | None, Option(help="The run that the brake stopped, and that this one repeats without it.")]


class Command(RefusingCommand, rich_markup_mode="markdown"):
    """List, trigger, run, explain and pause the jobs.

    Times are read and shown in CRON_TIMEZONE and in UTC.
    Exit codes: 0 done; 1 the run failed, or there was nothing to do; 2 what was typed cannot be understood.
    """

    @command("list")
    def list_jobs(self, as_json: AsJson = False) -> None:
        """Every job: when it is due, whether it is on, its next tick and its latest run."""
        now, found = timezone.now(), list(listing.everything())
        rows = (listing.as_row(*each, now=now) for each in found)
        self._show([listing.as_dict(*each, now=now) for each in found], printing.table(listing.COLUMNS, rows), as_json)

    @command()
    def trigger(
        self,
        slug: Slug,
        wait: Annotated[bool, Option("--wait", help="Wait for the end of the run.")] = False,
        timeout: Annotated[int, Option(help="How many seconds to wait at most.", min=1)] = 3600,
        dry_run: DryRun = False,
        arg: Arguments = None,
        confirms: Confirms = None,
        as_json: AsJson = False,
    ) -> None:
        """Ask for a run, as the trigger endpoint does; a worker carries it out."""
        run = dispatch.trigger(
            registry.get(slug),
            by=arguments.typist(),
            via=Trigger.CLI,
            publish=publish,
            arguments=arguments.read(arg or []),
            dry_run=dry_run,
            confirms=arguments.read_run_id(confirms),
        )
        if wait:
            self._end(self._follow(run, timeout), as_json)
            return
        self._show(
            {"runId": str(run.pk), "job": run.job, "state": run.state}, f"{slug} is queued: run {run.pk}", as_json
        )

    @command()
    def run(
        self,
        slug: Slug,
        dry_run: DryRun = False,
        arg: Arguments = None,
        confirms: Confirms = None,
        as_json: AsJson = False,
    ) -> None:
        """Run a job here, once, with its log on this terminal; no broker and no worker is needed."""
        done = runner.run_now(
            slug,
            by=arguments.typist(),
            arguments=arguments.read(arg or []),
            dry_run=dry_run,
            confirms=arguments.read_run_id(confirms),
        )
        if done.state == State.QUEUED:
            raise NothingDone(f"Another run of {slug} is at work. Run {done.pk} waits its turn, for a worker.")
        self._end(done, as_json)

    @command()
    def next(
        self,
        slug: Slug,
        count: Annotated[int, Option("-n", "--count", help="How many ticks.", min=1, max=1000)] = 10,
        as_json: AsJson = False,
    ) -> None:
        """The next ticks of a job by its live schedule."""
        now, data, lines = timezone.now(), [], []
        for listed in listing.live(registry.get(slug)):
            ticks = listed.upcoming(count, after=now)
            data.append(listing.ticks_as_dict(listed, ticks))
            lines.append(f"{listed.schedule} ({listed.state}): {listed.words}, {listed.zone}")
            lines += [f"  {moments.show(tick, listed.zone)}" for tick in ticks]
        self._show(data, "\n".join(lines), as_json)

    @command()
    def why(
        self, slug: Slug, at: Annotated[str, Option(help=f"The moment, {moments.ACCEPTED}.")], as_json: AsJson = False
    ) -> None:
        """Why a job ran, or did not run, at a moment."""
        reading = moments.read(at, settings.CRON.timezone)
        found = [each for instant in reading.instants for each in why(slug, at=instant)]
        lines = [f"{each.schedule} at {self._moment(each.at)}: {each.fate}. {each.words}" for each in found]
        text = "\n".join([reading.note, *lines] if reading.note else lines)
        self._show({"note": reading.note or None, "found": [_explained(each) for each in found]}, text, as_json)

    @command()
    def pause(
        self,
        slug: Slug,
        reason: Annotated[str, Option(help="Why; every tick it skips says so.")],
        until: Annotated[str | None, Option(help=f"When the pause ends by itself, {moments.ACCEPTED}.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Skip a job's ticks until it is resumed; triggering it by hand still works."""
        end = moments.read_one(until, settings.CRON.timezone) if until else None
        tasks.read_edits()
        paused = pausing.pause(slug, by=arguments.typist(), reason=reason, until=end)
        if not paused:
            raise NothingDone(f"{slug} has no schedule that could be paused. `manage.py cron sync` makes its own anew.")
        ending = f"until {self._moment(end)}" if end else "until it is resumed"
        self._show(
            {"job": slug, "paused": paused, "until": moments.as_json(end)}, f"{slug} is paused {ending}", as_json
        )

    @command()
    def resume(self, slug: Slug, as_json: AsJson = False) -> None:
        """End a job's pause."""
        resumed = pausing.resume(slug, by=arguments.typist())
        if not resumed:
            raise NothingDone(f"{slug} was not paused.")
        self._show({"job": slug, "resumed": resumed}, f"{slug} is no longer paused", as_json)

    @command()
    def sync(self, as_json: AsJson = False) -> None:
        """Bring the schedules up to date with the code, keeping what operators edited; part of every deploy."""
        done = asdict(sync.sync())
        tasks.read_edits()
        text = "\n".join(f"{what}: {', '.join(slugs)}" for what, slugs in done.items() if slugs)
        self._show(done, text, as_json)

    @command()
    def reset(self, slug: Slug, as_json: AsJson = False) -> None:
        """Give up what was edited: the job's schedule follows its declaration again."""
        sync.reset(slug, by=arguments.typist())
        tasks.read_edits()
        default = sync.default_of(registry.get(slug))
        self._show({"job": slug, **default}, f"{slug} is due at {default['cron']} ({default['zone']}) again", as_json)

    @command("table")
    def print_table(self, as_json: AsJson = False) -> None:
        """The jobs as a Markdown table, for the documentation."""
        self.stdout.write(printing.dump(table.rows()) if as_json else table.markdown())

    def _show(self, data: Any, text: RenderableType, as_json: bool) -> None:
        if as_json:
            self.stdout.write(printing.dump(data))
        else:
            printing.console(self.stdout, no_color=self.no_color).print(text, soft_wrap=isinstance(text, str))

    def _end(self, run: Run, as_json: bool) -> None:
        self._show(printing.run_as_dict(run), printing.run_as_text(run, settings.CRON.timezone), as_json)
        if run.state != State.SUCCEEDED:
            raise Exit(FAILED)

    def _follow(self, run: Run, seconds: int) -> Run:
        with following.narrated(printing.console(self.stderr, no_color=self.no_color)) as tell:
            return following.follow(run.pk, limit=timedelta(seconds=seconds), tell=tell)

    @staticmethod
    def _moment(instant: Any) -> str:
        return moments.show(instant, settings.CRON.timezone)


def _explained(explanation: Explanation) -> dict[str, Any]:
    return {
        "schedule": explanation.schedule,
        "at": moments.as_json(explanation.at),
        "fate": str(explanation.fate),
        "words": explanation.words,
        "runId": str(explanation.run.pk) if explanation.run else None,
    }

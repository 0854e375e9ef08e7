"""The real catalogue, and two jobs that do what a test tells them by files in a folder."""

from pathlib import Path
from threading import Event

from django.conf import settings

from jobs import catalog  # noqa: F401  the page shows the real jobs, too
from jobs.catalog.cron import cron
from jobs.engine.context import RunContext
from jobs.engine.definition import Retry
from tests.browser.signs import MENDED, STEPS, step

NEVER = "0 0 1 1 *"
LOOK_S = 0.1


@cron.job("probe-walk", schedule=NEVER, description="Goes on as it is told", retry=Retry(attempts=1))
def walk(run: RunContext) -> dict[str, int]:
    """Take a step for each file that appears; asked to stop, it does so wherever it waits."""
    folder = Path(settings.PROBES)
    for done in range(STEPS):
        run.log.info("waiting", step=done)
        run.progress(done, STEPS)
        while not (folder / step(done)).exists():
            Event().wait(LOOK_S)
            run.progress(done, STEPS)
    return {"steps": STEPS}


@cron.job("probe-stumble", schedule=NEVER, description="Fails until it is mended", retry=Retry(attempts=1))
def stumble(run: RunContext) -> dict[str, bool]:
    """Fail, unless there is a file that says that what was wrong is mended."""
    run.log.warning("looking", at="the card reader")
    if not (Path(settings.PROBES) / MENDED).exists():
        raise ConnectionError("the card reader does not answer")
    return {"mended": True}

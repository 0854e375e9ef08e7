"""axe-core, which looks for what keeps people with disabilities from using a page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

FILE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
RUN = """
(ours) => axe.run(document, {resultTypes: ['violations'], iframes: false, ...ours}).then(({violations}) =>
  violations.flatMap(({id, help, nodes}) => nodes.map(({target, html, failureSummary}) =>
    ({rule: id, help, target: target.join(' '), html: html.slice(0, 200), why: failureSummary}))))
"""


@dataclass(frozen=True, kw_only=True)
class Excused:
    """A defect that is not ours to mend: where, by which rule, and why it stays."""

    where: str
    rule: str
    selector: str
    why: str


def violations(page: Page, *, excused: tuple[Excused, ...] = ()) -> list[str]:
    """What is wrong with a page, except for what is excused there."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=FILE)
    found: list[dict[str, Any]] = page.evaluate(RUN, {})
    wrong = [each for each in found if not any(_is_excused(page, each, by) for by in excused)]
    return ["{rule}, {help}: {target}\n{html}\n{why}".format(**each) for each in wrong]


def _is_excused(page: Page, violation: dict[str, Any], by: Excused) -> bool:
    if by.rule != violation["rule"] or not page.url.partition("//")[2].partition("/")[2].startswith(by.where):
        return False
    return bool(page.locator(violation["target"]).first.evaluate("(it, which) => it.matches(which)", by.selector))

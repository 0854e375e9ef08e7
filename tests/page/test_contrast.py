"""Words can be read: every pair of colours that meets has the contrast of WCAG AA, in the light and in the dark."""

import re
from pathlib import Path

import pytest
from django.apps import apps

STATIC = Path(apps.get_app_config("monitoring").path) / "static/monitoring"
COLOURS = (STATIC / "page/colours.css").read_text()
ON_GROUND = [
    (ink, ground) for ink in ("text", "soft", "accent", "good", "bad", "warn", "still") for ground in ("bg", "card")
]
ON_THEIR_OWN = [(ink, f"{ink}-bg") for ink in ("good", "bad", "warn", "accent", "still")]
OTHERS = [("on-accent", "accent"), ("soft", "still-bg"), ("text", "warn-bg"), ("text", "accent-bg"), ("text", "bad-bg"),
          ("bg", "text"), ("card", "bad"), ("bad", "bg"), ("text", "still-bg"), ("accent", "accent-bg")]  # fmt: skip


def colours(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", COLOURS, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#\w+)", light if scheme == "light" else dark))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), sorted({*ON_GROUND, *ON_THEIR_OWN, *OTHERS}))
def test_it_can_be_read(scheme, ink, ground):
    known = colours(scheme)
    lighter, darker = sorted((luminance(known[ink]), luminance(known[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_nothing_has_a_colour_of_its_own_beside_these():
    rules = "".join((STATIC / each).read_text() for each in ("page/page.css", "admin.css"))
    assert set(re.findall(r"#[0-9a-fA-F]{3,6}\b(?![^{}]*\{)", rules)) <= {"#fff"}  # the paper of the letter

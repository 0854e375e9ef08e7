"""The files by which a test tells the probe jobs what to do; apart from these, which no test's own process declares."""

STEPS = 4
MENDED = "mended"


def step(number: int) -> str:
    """Its file lets the walk go past that step."""
    return f"step-{number}"

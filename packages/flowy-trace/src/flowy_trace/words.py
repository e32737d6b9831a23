"""Numbers as people read them."""

from __future__ import annotations


def seconds(value: float) -> str:
    """Return a time span with three digits or so and its unit."""
    value = max(0.0, value)
    if value < 0.9995e-3:
        return f"{value * 1e6:.0f} µs"
    if value < 0.9995:
        return f"{value * 1e3:.3g} ms" if value < 0.0995 else f"{value * 1e3:.0f} ms"
    if value < 59.95:
        return f"{value:.2f} s" if value < 9.995 else f"{value:.1f} s"
    whole = round(value)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with the word for what it counts: `1 call`, `2,000 calls`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part: float, whole: float) -> str:
    """Return the share of a part in whole percent; what is there is no 0."""
    share = 100 * part / whole if whole > 0 else 0.0
    return "< 1 %" if 0 < share < 1 else f"{share:.0f} %"


def listing(items: list[str]) -> str:
    """Return the items as a sentence lists them: `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def clip(text: str, limit: int) -> str:
    """Return the text, cut to so many characters with a mark where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"

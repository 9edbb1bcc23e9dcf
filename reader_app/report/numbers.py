"""How figures are printed: as journals print them. Nothing is computed here."""

from __future__ import annotations

from datetime import datetime

from reader_app.agreement.result import Estimate, Interval, Reason, Result

MINUS = "−"
NOT_DEFINED = "–"

# Not strftime's: its month names follow the locale of the machine.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def decimal(value: float, digits: int = 2) -> str:
    """Print a coefficient, for example ``0.62`` or ``−0.05``; zero has no sign."""
    text = f"{abs(value):.{digits}f}"
    return MINUS + text if value < 0 and float(text) != 0 else text


def percent(share: float) -> str:
    """Print a share of 1 as a percentage with one decimal, without the sign %."""
    return decimal(100 * share, 1)


def count(number: int) -> str:
    """Print a count with thousands set apart by a thin space, as in ``15 364``; four digits stay together."""
    return f"{number:,}".replace(",", "\u202f") if abs(number) >= 10_000 else str(number)


def moment(iso: str) -> str:
    """Print an ISO 8601 time for people, ``21 November 2026, 11:00 UTC``; other text stays as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = f" {when.tzname()}" if when.tzinfo else ""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}, {when:%H:%M}{zone}"


def value_text(result: Result, *, as_percent: bool = False) -> str:
    """Print the point estimate, or a dash where there is none."""
    if not isinstance(result, Estimate):
        return NOT_DEFINED
    return percent(result.value) if as_percent else decimal(result.value)


def interval_text(result: Result, *, as_percent: bool = False) -> str:
    """Print the interval in brackets, or nothing where there is none."""
    if not isinstance(result, Estimate) or not isinstance(result.interval, Interval):
        return ""
    show = percent if as_percent else decimal
    return f"[{show(result.interval.low)}, {show(result.interval.high)}]"


def reason(result: Result) -> str:
    """Say why a figure or its interval is missing; empty where nothing is."""
    if not isinstance(result, Estimate):
        return f"not defined: {result.sentence}"
    if not isinstance(result.interval, Interval):
        if result.interval.reason is Reason.NOT_COMPUTED:
            return ""
        return f"no interval: {result.interval.sentence}"
    return ""

"""What a visit is called before people who must not know its date."""

from __future__ import annotations

import re
from collections.abc import Mapping

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def visit_titles(visits: Mapping[str, int]) -> dict[str, str]:
    """Return what the visits of one participant are called.

    A visit that a manifest names keeps its name. One that is known by its date alone becomes the visit's
    number, since dates identify.

    Parameters
    ----------
    visits
        Name or date of each visit, with its place in time.
    """
    ranked = sorted(visits.items(), key=lambda pair: (pair[1], pair[0]))
    return {
        visit: f"Visit {number}" if _DATE.fullmatch(visit) else visit
        for number, (visit, _) in enumerate(ranked, start=1)
    }

"""Protocols as plain text, for the command line and for whoever checks a file of their own."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from reader_app.protocols.loader import available_protocols
from reader_app.protocols.model import (
    AdjudicationRule,
    Combine,
    Condition,
    Feature,
    Protocol,
    Resolution,
    Scale,
    Trigger,
    TriggerKind,
)

PROTOCOL_COLUMNS = ("Protocol", "Version", "Title", "Joint", "Features", "Bundle", "SHA-256", "File")
"""What the cells of a row of `protocol_table` are."""

_WIDTH = 96

_RESOLUTIONS = {
    Resolution.THIRD_FINAL: "the third reader's grade is final",
    Resolution.THIRD_IF_MATCH: (
        "the third reader's grade is final if it matches one of the two, else a consensus session"
    ),
    Resolution.MEDIAN: "the median of the readings is final",
    Resolution.MAJORITY: "the majority of the readings is final",
    Resolution.WORST: "the worst of the readings is final",
    Resolution.LIVE_CONSENSUS: "the readers agree on a grade together",
}


def protocol_table(*extra_folders: Path) -> tuple[tuple[str, ...], ...]:
    """Return one row for each protocol file, with the cells named by `PROTOCOL_COLUMNS`.

    A faulty file has its error's first line as title, and no version, joint, features, bundle and hash.

    Raises
    ------
    MissingPart
        If the software came without protocols.
    """
    rows = []
    for file in available_protocols(*extra_folders):
        if file.protocol is None:
            what = file.error.what.splitlines()[0] if file.error is not None else ""
            rows.append((file.id, "", f"FAULTY: {what}", "", "", "", "", str(file.path)))
            continue
        protocol = file.protocol
        rows.append(
            (
                protocol.id,
                protocol.version,
                protocol.title,
                str(protocol.joint),
                " ".join(feature.id for feature in protocol.features),
                protocol.bundle or "none",
                protocol.sha256[:12],
                str(file.path),
            )
        )
    return tuple(rows)


def protocol_text(protocol: Protocol) -> str:
    """Return a protocol as a page of plain text that ends with a line feed."""
    blocks = [
        _head(protocol),
        *(_feature(feature) for feature in protocol.features),
        _exclusions(protocol),
        _checks(protocol),
        _adjudication(protocol),
        _reading(protocol),
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _wrapped(text: str, indent: str, *, first: str | None = None) -> list[str]:
    lead = indent if first is None else first
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        lines += textwrap.wrap(paragraph, _WIDTH, initial_indent=lead, subsequent_indent=indent) or [""]
        lead = indent
    return lines


def _head(protocol: Protocol) -> list[str]:
    facts = {
        "Protocol": f"{protocol.id}, version {protocol.version}",
        "Joint": str(protocol.joint),
        "Views": ", ".join(protocol.views),
        "Bundle": protocol.bundle or "none: this protocol has no pre-grades",
        "Source": protocol.source,
        "SHA-256": protocol.sha256,
    }
    lines = [protocol.title, "=" * len(protocol.title)]
    for name, fact in facts.items():
        lines += _wrapped(fact, " " * 10, first=f"{name:<10}")
    return lines


def _feature(feature: Feature) -> list[str]:
    title = f"{feature.id}  {feature.title}"
    lines = [title, "-" * len(title)]
    lines += _wrapped(feature.help, "  ")
    lines += _wrapped(
        f"Graded for each {feature.unit} on the scale {feature.scale.title}, {_sites(feature)}.", "  "
    )
    if feature.present_from is None:
        present = "no grade counts as present by itself"
    else:
        present = f"present from {feature.present_from} ({feature.scale.level(feature.present_from).label})"
    lines += _wrapped(f"Kappa weights: {feature.weights}; {present}.", "  ")
    widest = max(len(level.label) for level in feature.scale.levels)
    for level in feature.scale.levels:
        # Keys and codes usually are the same digit, yet a site's own protocol may use letters.
        first = f"  [{level.key}] {level.code:>2} {level.label:<{widest}}  "
        text = feature.help_for(level.code)
        lines += _wrapped(text, " " * len(first), first=first) if text else [first.rstrip()]
    return lines


def _sites(feature: Feature) -> str:
    if not feature.sites:
        return "once"
    names = ", ".join(f"{site.title} ({site.id})" for site in feature.sites)
    if feature.combine is Combine.MAX:
        return f"at the sites {names}; the worst site is the final grade"
    return f"at the sites {names}, each with a final grade of its own"


def _headed(title: str, lines: Iterator[str] | list[str], *, none: str) -> list[str]:
    return [title, "-" * len(title), *(list(lines) or [f"  {none}"])]


def _exclusions(protocol: Protocol) -> list[str]:
    lines = []
    for reason in protocol.exclusion_reasons:
        confirmation = "a second reader must confirm" if reason.needs_confirmation else "no confirmation"
        text = f"{reason.id}: {reason.title} (excludes the {reason.scope}; {confirmation})"
        lines += _wrapped(text, "    ", first="  ")
    return _headed("Reasons for exclusion", lines, none="None: everything must be graded.")


def _condition(condition: Condition, scale: Scale) -> str:
    site = f":{condition.site_id}" if condition.site_id is not None else ""
    label = scale.level(condition.code).label
    return f"{condition.feature_id}{site} {condition.comparison} {condition.code} ({label})"


def _checks(protocol: Protocol) -> list[str]:
    lines = []
    for check in protocol.cross_checks:
        parts = " and ".join(
            _condition(condition, protocol.feature(condition.feature_id).scale)
            for condition in check.conditions
        )
        lines += _wrapped(check.title, "  ")
        lines += _wrapped(f"warns when {parts}: {check.message}", "    ")
    return _headed("Cross-checks", lines, none="None.")


def _trigger(trigger: Trigger) -> str:
    match trigger.kind:
        case TriggerKind.ANY_DIFFERENCE:
            return "the readers differ"
        case TriggerKind.DIFFERENCE_ABOVE:
            return f"the readers differ by more than {trigger.above}"
        case TriggerKind.ACROSS_CUT:
            return f"one reader is at {trigger.cut} or below and another above"
        case TriggerKind.DIRECTION_OF_CHANGE:
            return "the readers see change between visits in different directions"


def rule_words(rule: AdjudicationRule) -> str:
    """Return an adjudication rule as a sentence that names its features."""
    when = ", or when ".join(_trigger(trigger) for trigger in rule.triggers)
    return f"{', '.join(rule.feature_ids)}: when {when}; {_RESOLUTIONS[rule.resolution]}."


def _adjudication(protocol: Protocol) -> list[str]:
    lines = [
        line for rule in protocol.adjudication for line in _wrapped(rule_words(rule), "    ", first="  ")
    ]
    without = [feature.id for feature in protocol.features if protocol.rule_for(feature.id) is None]
    if without and protocol.adjudication:
        lines += _wrapped(f"{', '.join(without)}: never; readings stand side by side.", "    ", first="  ")
    return _headed("Adjudication", lines, none="None: readings stand side by side.")


def _reading(protocol: Protocol) -> list[str]:
    reading = protocol.reading
    lines = [
        f"  Readers per case: {reading.readers_per_case}",
        f"  Presentation: {reading.presentation}",
        f"  Arm: {reading.arm}",
        f"  Cases per block: {reading.block_size}",
        f"  Hidden re-reads: {reading.reread_percent} %",
    ]
    return _headed("Reading design by default", lines, none="")

"""`reader-app quality`: how the readers keep up with the reference, and another attempt for one of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.cli import people
from reader_app.cli.screen import Screen

if TYPE_CHECKING:
    from reader_app.operations.quality import FeatureDrift, ReaderQuality

Commands = argparse._SubParsersAction  # argparse has no public name for it

FOUND_ALARM = 1


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "quality",
        help="show how the readers keep up with the reference",
        description=(
            "Show who passed the calibration set, with kappa by feature, and whose grades have drifted "
            "since. For coordinators and auditors; the exit code is 1 where a control chart raises an alarm."
        ),
        epilog=f"{_EXAMPLES}\n{people.HOW_TO_GIVE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("study", metavar="STUDY", type=Path, help="study folder")
    parser.add_argument("--json", action="store_true", help="print for programs")
    parser.add_argument("--repeat", metavar="READER", help="let this reader read the calibration set again")
    parser.add_argument(
        "--reason", metavar="TEXT", default="", help="why, with --repeat; goes into the journal"
    )
    people.add_who(parser)
    parser.set_defaults(handler=_quality)


_EXAMPLES = """\
examples:
  reader-app quality hips --as "Ada Moreno"
  reader-app quality hips --repeat Ben --reason "Trained again on 3 May." --as "Ada Moreno"
"""


def _quality(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.quality import grant_attempt, quality

    with people.study_as(arguments) as (study, actor):
        if arguments.repeat is not None:
            number = grant_attempt(study, actor, arguments.repeat, reason=arguments.reason)
            if arguments.json:
                screen.json({"reader": arguments.repeat, "calibration_cases": number})
            else:
                screen.line(
                    f"{arguments.repeat} reads {number} calibration cases again; live cases are closed until "
                    "they are passed."
                )
            return 0
        found = quality(study, actor)
    if arguments.json:
        screen.json([_told(reader) for reader in found])
    else:
        _show(found, screen)
    return FOUND_ALARM if any(reader.alarms for reader in found) else 0


def _show(found: tuple[ReaderQuality, ...], screen: Screen) -> None:
    if not found:
        screen.line("The study has no reader yet.")
        return
    rows = [
        (
            reader.state.name,
            f"{reader.state.locked} of {reader.state.total}",
            str(len(reader.state.attempts)),
            reader.words,
            str(len(reader.alarms)),
        )
        for reader in found
    ]
    screen.table(("Reader", "Calibration", "Attempts", "Result", "Alarms"), rows)
    for reader in found:
        lines = [feature.words for outcome in reader.outcomes[-1:] for feature in outcome.features]
        lines += [f"{title}: alarm. {alarm.words}" for title, alarm in reader.alarms]
        if lines:
            screen.line(f"{reader.state.name}:")
        for line in lines:
            screen.line(f"  {line}")


def _told(reader: ReaderQuality) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "reader": reader.state.name,
        "active": reader.state.active,
        "calibration": {"locked": reader.state.locked, "total": reader.state.total},
        "attempt": reader.state.attempt,
        "qualified": reader.state.qualified,
        "attempts": [asdict(outcome) for outcome in reader.outcomes],
        "features": [_drift(drift) for drift in reader.drift],
    }


def _drift(drift: FeatureDrift) -> dict[str, object]:
    from reader_app.agreement.result import Estimate, Undefined

    newest = drift.agreement[-1] if drift.agreement else None
    told: dict[str, object] = {
        "feature": drift.feature_id,
        "calibration_cases": len(drift.base_at),
        "controls": len(drift.controls_at),
        "agreement": newest.value if isinstance(newest, Estimate) else None,
    }
    if isinstance(drift.chart, Undefined):
        return told | {"chart": None, "why": drift.chart.sentence}
    return told | {
        "chart": {
            "center": drift.chart.center,
            "sigma": drift.chart.sigma,
            "points": [
                {
                    "at": at,
                    "difference": point.value,
                    "average": point.average,
                    "low": point.low,
                    "high": point.high,
                }
                for at, point in zip(drift.controls_at, drift.chart.points, strict=True)
            ],
            "alarms": [
                {
                    "rule": alarm.rule.value,
                    "side": alarm.side.value,
                    "first": alarm.first + 1,
                    "last": alarm.last + 1,
                    "raised": alarm.raised + 1,
                    "words": alarm.words,
                }
                for alarm in drift.chart.alarms
            ],
        }
    }

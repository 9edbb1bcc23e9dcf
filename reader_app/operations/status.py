"""How far a study is."""

from __future__ import annotations

from reader_app.operations import exclusions
from reader_app.operations.amend import all_amendments
from reader_app.operations.check_display import failed_displays
from reader_app.operations.freeze import freeze_state
from reader_app.operations.study import Study
from reader_app.store import cases, import_files
from reader_app.store.records import Actor, ImportFault, StudyCounts


def status(study: Study, actor: Actor) -> StudyCounts:
    """Count films, joints, cases, readings and pre-grades: progress, never grades.

    Raises
    ------
    NotAllowed
        If the acting account is neither coordinator nor auditor.
    """
    return cases.counts(study.database, actor)


def import_faults(study: Study, actor: Actor) -> tuple[ImportFault, ...]:
    """Return the files that could not be imported; raises like `status`."""
    return import_files.refused_files(study.database, actor)


def import_duplicates(study: Study, actor: Actor) -> tuple[ImportFault, ...]:
    """Return the files with the same pixels as a radiograph of the study; raises like `status`."""
    return import_files.duplicate_files(study.database, actor)


def status_notices(study: Study, actor: Actor) -> tuple[str, ...]:
    """Return what a coordinator should know besides the counts, one sentence each; raises like `status`.

    That the study is frozen, on which screens not all of the test pattern was seen, amendments that came
    after the grade had been settled, and exclusions that wait for a second reader.
    """
    said: list[str] = []
    since = freeze_state(study, actor)
    if since is not None:
        said.append(f"The study has been frozen since {since.astimezone():%Y-%m-%d %H:%M}.")
    said.extend(
        f"{check.name} did not see all of the test pattern on the screen "
        f"“{check.screen.get('name', 'unknown')}” on {check.at[:10]}."
        for check in failed_displays(study, actor)
    )
    late = sum(each.settled for each in all_amendments(study, actor))
    if late:
        what = "1 grade was" if late == 1 else f"{late} grades were"
        said.append(f"{what} amended after the adjudicator had settled the feature: the settlement stands.")
    waiting = exclusions.counts(study, actor).waiting
    if waiting:
        what = "1 excluded joint waits" if waiting == 1 else f"{waiting} excluded joints wait"
        said.append(f"{what} for a second reader to say whether that is right.")
    return tuple(said)

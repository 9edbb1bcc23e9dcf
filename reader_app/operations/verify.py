"""Prove that a study is what it was: journal, protocol, design, bundle and films."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from reader_app.ai.bundle import find_bundle, load_bundle
from reader_app.errors import BundleError, ImageError, ReaderError
from reader_app.imaging.radiograph import file_sha256
from reader_app.operations.bundles import bundle_folders
from reader_app.operations.export_journal import unlike_export
from reader_app.operations.progress import Progress, Report, silent
from reader_app.operations.study import Study
from reader_app.store import (
    corrections,
    designs,
    film_replay,
    films,
    guards,
    journal,
    pregrades,
    replay,
    results,
    study_replay,
)
from reader_app.store.records import Actor, RadiographRecord

CHUNK = 64
"""Films between two words on how far it is."""


@dataclass(frozen=True)
class VerifyReport:
    """What was checked, in sentences.

    Attributes
    ----------
    checked
        What was found as it should be.
    faults
        What was not.
    notes
        What could not be checked, or is no fault but worth knowing.
    """

    checked: tuple[str, ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no fault was found."""
        return not self.faults


@dataclass
class _Findings:
    checked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def report(self) -> VerifyReport:
        return VerifyReport(tuple(self.checked), tuple(self.faults), tuple(self.notes))


def verify(
    study: Study, actor: Actor | None = None, *, exported: Path | None = None, progress: Report = silent
) -> VerifyReport:
    """Check a study that could be opened.

    Parameters
    ----------
    actor
        A coordinator or auditor; None leaves out what only they may see: films and readings.
    exported
        A journal that was exported earlier: every entry of it must be there as it was.

    Raises
    ------
    NotAllowed
        If the acting account is neither coordinator nor auditor.
    StudyError
        If the exported journal cannot be read.
    """
    found = _Findings()
    _check_journal(study, found)
    if exported is not None:
        unlike = unlike_export(study, exported)
        (found.faults if unlike else found.checked).append(
            unlike or f"every entry of {exported.name} stands in the journal as it was exported"
        )
    # The study could be opened, so its protocol has the hash that study.toml states.
    found.checked.append(f"the protocol {study.protocol.id} has the SHA-256 {study.protocol.sha256}")
    _check_bundles(study, actor, found)
    if actor is None:
        found.notes.append("Films and stamps of readings were not checked: name a coordinator or an auditor.")
        return found.report()
    _check_stamps(study, actor, found)
    _check_superseded(study, actor, found)
    _check_films(study, films.all_radiographs(study.database, actor), found, progress)
    return found.report()


def refused(fault: ReaderError) -> VerifyReport:
    """Return the report on a study that is too damaged to be opened."""
    return VerifyReport((), (f"{fault.what} {fault.next_step}".strip(),), ())


def _check_journal(study: Study, found: _Findings) -> None:
    gone = guards.broken_guards(study.database)
    if gone:
        found.faults.append(f"The database no longer guards what is signed: {gone}.")
    else:
        found.checked.append("the database refuses every change to what is signed or journaled")
    chain = journal.verify_chain(study.database)
    if chain.ok:
        found.checked.append(f"the journal's {chain.entries} entries form an unbroken chain")
    else:
        found.faults.append(f"The journal is not whole from entry {chain.first_broken} on: {chain.reason}.")
        found.notes.append(
            "Readings and corrections of films were not held against the journal, which is not whole itself."
        )
        return
    played = replay.verify_readings(study.database)
    if played.ok:
        found.checked.append(f"{played.readings} readings hold what the journal tells")
    else:
        found.faults.append(f"Reading {played.first_broken} is not what the journal tells: {played.reason}.")
    tables = study_replay.verify_tables(study.database)
    found.faults.extend(tables.faults)
    found.checked.extend(
        f"{number:,} {name} {'is' if number == 1 else 'are'} as the journal tells"
        for name, number in tables.checked.items()
        if number
    )
    corrected = film_replay.verify_corrections(study.database)
    if corrected.ok:
        found.checked.append(f"{corrected.films} corrected radiographs are corrected as the journal tells")
    else:
        found.faults.append(
            f"Film {corrected.first_broken} is not corrected as the journal tells: {corrected.reason}."
        )


def _check_bundles(study: Study, actor: Actor | None, found: _Findings) -> None:
    """Each version that pre-graded the study, where it is installed, and the one that the study names."""
    used = pregrades.bundles_used(study.database, actor) if actor is not None else ()
    versions = [f"{use.bundle_id}@{use.bundle_version}" for use in used]
    known = {use.bundle_id for use in used}
    named = [study.config.bundle] if study.config.bundle and study.config.bundle not in known else []
    for name in dict.fromkeys((*versions, *named)):
        try:
            folder = find_bundle(name, *bundle_folders(study))
        except BundleError:
            found.notes.append(f"The bundle {name} is not installed here and was not checked.")
            continue
        try:
            bundle = load_bundle(folder)
        except BundleError as fault:
            found.faults.append(fault.what)
            continue
        found.checked.append(
            f"the bundle {bundle.id} {bundle.version} is what its makers stated, SHA-256 {bundle.sha256}"
        )
        found.notes.extend(
            f"{use.joints} joints were pre-graded with {use.bundle_id} {use.bundle_version} "
            f"(SHA-256 {use.bundle_sha256[:12]}), which is not the one installed."
            for version, use in zip(versions, used, strict=True)
            if version == name and use.bundle_sha256 != bundle.sha256
        )


def _check_stamps(study: Study, actor: Actor, found: _Findings) -> None:
    """Every locked reading was made under the protocol and a design that was in force."""
    readings = results.timings(study.database, actor)
    known = {record.sha256 for record in designs.all_designs(study.database, actor)}
    known |= {study.design.sha256, study.config.before_designs_sha256}
    wrong_protocol = sum(one.protocol_sha256 != study.protocol.sha256 for one in readings)
    wrong_design = sum(one.design_sha256 not in known for one in readings)
    if wrong_protocol:
        found.faults.append(f"{wrong_protocol} locked readings were made under another protocol.")
    if wrong_design:
        found.faults.append(
            f"{wrong_design} locked readings were made under a reading design that was never in force."
        )
    if not wrong_protocol and not wrong_design:
        found.checked.append(
            f"{len(readings)} locked readings bear the stamps of this protocol and of a design in force"
        )


def _check_superseded(study: Study, actor: Actor, found: _Findings) -> None:
    """A copy from before a box-out shows what was boxed out: it must not stay."""
    for radiograph_id, path in corrections.superseded_copies(study.database, actor).items():
        if study.image_path(path).exists():
            found.faults.append(
                f"The copy of film {radiograph_id} from before its box-out is still in the study: {path}. "
                "Boxing out any film removes it."
            )


def _check_films(
    study: Study, records: tuple[RadiographRecord, ...], found: _Findings, progress: Report
) -> None:
    faults = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for start in range(0, len(records), CHUNK):
            chunk = records[start : start + CHUNK]
            paths = [study.image_path(record.path) for record in chunk]
            for sentence in _film_faults(pool, paths, chunk):
                faults += 1
                found.faults.append(sentence)
            progress(Progress(start + len(chunk), len(records), paths[-1].name))
    if not faults:
        found.checked.append(f"{len(records)} films are where they were imported from, and unchanged")


def _film_faults(
    pool: ThreadPoolExecutor, paths: list[Path], records: tuple[RadiographRecord, ...]
) -> Iterator[str]:
    for path, record, (digest, reason) in zip(paths, records, pool.map(_digest, paths), strict=True):
        if reason:
            yield f"Film {record.id} ({record.participant}): {reason}"
        elif digest != record.file_sha256:
            yield f"Film {record.id} ({record.participant}): {path} has changed since the import."


def _digest(path: Path) -> tuple[str, str]:
    """Return the hash of a file, or why it has none."""
    if not path.exists():
        return "", f"{path} is gone."
    try:
        return file_sha256(path), ""
    except ImageError as fault:
        return "", fault.what

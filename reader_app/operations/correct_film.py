"""Films as the coordinator corrects them: millimetres by a marker, polarity, burned-in text boxed out.

Every correction is journaled with what was before, reaches readers, adjudicators and networks with the
next loading of the film, and leaves what was signed as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reader_app.errors import ReaderError, StudyError
from reader_app.imaging.calibration import MarkerLine, calibrated_spacing, calibration_doubt
from reader_app.imaging.geometry import Box
from reader_app.imaging.radiograph import Radiograph
from reader_app.imaging.spacing import Spacing
from reader_app.operations.blanked_copy import blanked_copy, remove_superseded
from reader_app.operations.film import load_film
from reader_app.operations.study import Study
from reader_app.store import corrections
from reader_app.store import film_list as listing
from reader_app.store.film_records import CorrectionEffect, FilmDoubt, FilmEntry, MarkerCalibration
from reader_app.store.records import Actor

__all__ = [
    "Calibration",
    "FilmDoubt",
    "FilmEntry",
    "box_out",
    "calibrate",
    "film",
    "film_count",
    "film_entry",
    "film_list",
    "films_checked",
    "forget_calibration",
    "override_polarity",
    "proposed_calibration",
    "text_checked",
]

MOST_BOXES = 50

_STAYS_IN_FILE = (
    "The study's copy of this film was made byte for byte by an older version: the parts are covered "
    "whenever it is loaded, and stay in the file."
)


@dataclass(frozen=True)
class Calibration:
    """Millimetres by a marker.

    Attributes
    ----------
    spacing
        Of the kind “calibrated”.
    notes
        Sentences for the coordinator, such as that the film's own millimetres are far from these.
    """

    spacing: Spacing
    notes: tuple[str, ...]


def film_list(
    study: Study, actor: Actor, *, offset: int = 0, limit: int = 500, to_check_only: bool = False
) -> tuple[FilmEntry, ...]:
    """Return films in the order of import; of those to be checked, the most doubtful first.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator or auditor.
    """
    return listing.film_list(study.database, actor, offset=offset, limit=limit, to_check_only=to_check_only)


def film_count(study: Study, actor: Actor, *, to_check_only: bool = False) -> int:
    """Return how many films `film_list` has on all its pages."""
    return listing.film_count(study.database, actor, to_check_only=to_check_only)


def film_entry(study: Study, actor: Actor, radiograph_id: int) -> FilmEntry:
    """Return one film of the list.

    Raises
    ------
    StudyError
        If the study has no such film.
    """
    return listing.film_entry(study.database, actor, radiograph_id)


def film(study: Study, actor: Actor, radiograph_id: int) -> Radiograph:
    """Return a film as readers see it, and with its overlays, which readers see once they were checked.

    May be called from any thread.

    Raises
    ------
    ImageError
        If it vanished, cannot be read or has changed since the import.
    """
    source = corrections.film_source(study.database, actor, radiograph_id)
    shown = replace(source.correction, overlays_hidden=False)
    return load_film(study, replace(source, correction=shown))


def proposed_calibration(
    study: Study,
    actor: Actor,
    radiograph_id: int,
    *,
    marker_mm: float,
    start: tuple[float, float],
    end: tuple[float, float],
) -> Calibration:
    """Work out what `calibrate` would store, without storing it; raises like it."""
    entry = film_entry(study, actor, radiograph_id)
    line = MarkerLine(marker_mm, start, end)
    spacing = calibrated_spacing(line, entry.own_spacing, (entry.rows, entry.columns))
    doubt = calibration_doubt(spacing, entry.own_spacing)
    return Calibration(spacing, (doubt,) if doubt else ())


def calibrate(
    study: Study,
    actor: Actor,
    radiograph_id: int,
    *,
    marker_mm: float,
    start: tuple[float, float],
    end: tuple[float, float],
) -> Calibration:
    """Give a film millimetres by a marker of known size.

    Parameters
    ----------
    marker_mm
        True length of what the line spans.
    start, end
        Ends of the line in film pixels, (x, y).

    Raises
    ------
    ImageError
        If marker or line is implausible; the sentence says how.
    StudyError
        If the study has no such film.
    NotAllowed
        Unless the acting account is a coordinator.
    """
    found = proposed_calibration(study, actor, radiograph_id, marker_mm=marker_mm, start=start, end=end)
    row_mm, column_mm = found.spacing.row_mm, found.spacing.column_mm
    assert row_mm is not None
    assert column_mm is not None
    line = MarkerLine(marker_mm, start, end)
    effect = corrections.save_calibration(
        study.database,
        actor,
        radiograph_id,
        MarkerCalibration(row_mm, column_mm, float(marker_mm), line.pixels),
    )
    return Calibration(found.spacing, (*found.notes, *_notes(effect)))


def forget_calibration(study: Study, actor: Actor, radiograph_id: int) -> tuple[str, ...]:
    """Give a film its own millimetres back, as file or import state them; return notes."""
    return _notes(corrections.save_calibration(study.database, actor, radiograph_id, None))


def override_polarity(
    study: Study, actor: Actor, radiograph_id: int, inverse: bool | None
) -> tuple[str, ...]:
    """Decide whether a film's black and white are turned round; None leaves it to the file again.

    Returns
    -------
    tuple of str
        Sentences on what was made on the film as it was before.
    """
    return _notes(corrections.save_polarity(study.database, actor, radiograph_id, inverse))


def box_out(study: Study, actor: Actor, radiograph_id: int, boxes: Sequence[Box]) -> tuple[str, ...]:
    """Black out parts of a film, instead of those that were before; none takes them back.

    Of a film that the study refers to, the file stays as it is and every loading covers them. In the
    study's own copy they are blanked in the file, and cannot be taken back.

    Parameters
    ----------
    boxes
        In film pixels; each must touch the film.

    Returns
    -------
    tuple of str
        Sentences on what was made on the film as it was before.

    Raises
    ------
    ImageError
        If a copy cannot be read or blanked; then everything is as it was.
    StudyError
        If a box lies outside the film, or one that is blanked in a file is missing among them.
    NotAllowed
        Unless the acting account is a coordinator.
    """
    remove_superseded(study, actor)
    entry = film_entry(study, actor, radiograph_id)
    wanted = _on_film(entry, boxes)
    source = corrections.film_source(study.database, actor, radiograph_id)
    if not entry.copied:
        notes = _notes(corrections.save_box_outs(study.database, actor, radiograph_id, wanted))
        return notes if Path(source.path).is_absolute() else (*notes, _STAYS_IN_FILE)
    lost = [box for box in entry.box_outs if box not in wanted]
    if lost:
        raise StudyError(
            f"{len(lost)} of the parts that were boxed out of this film are blanked in the study's copy "
            "and cannot come back.",
            "Keep them; only further parts can be added.",
        )
    if len(wanted) == len(entry.box_outs):
        return ()
    copy = blanked_copy(study, source, wanted)
    try:
        effect = corrections.save_box_outs(study.database, actor, radiograph_id, wanted, copy)
    except ReaderError:
        if copy.path != source.path:
            study.image_path(copy.path).unlink(missing_ok=True)
        raise
    return (*_notes(effect), *remove_superseded(study, actor))


def text_checked(study: Study, actor: Actor, radiograph_id: int, checked: bool) -> None:
    """Note that a human has looked at a film for burned-in text, or take that back."""
    corrections.save_text_checked(study.database, actor, [radiograph_id], checked=checked)


def films_checked(study: Study, actor: Actor, radiograph_ids: Sequence[int] | None = None) -> int:
    """Note that a human has looked at films.

    Parameters
    ----------
    radiograph_ids
        Which; None means all that are to be checked, save those whose own file says that text is burned
        in: these are looked at one by one.

    Returns
    -------
    int
        For how many films that is new.
    """
    if radiograph_ids is None:
        radiograph_ids = listing.films_silent_on_text(study.database, actor)
    return corrections.save_text_checked(study.database, actor, radiograph_ids, checked=True)


def _on_film(entry: FilmEntry, boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Return boxes cut to the film, each once."""
    if len(boxes) > MOST_BOXES:
        raise StudyError(
            f"{len(boxes)} parts are more than can be boxed out of one film.",
            f"Draw at most {MOST_BOXES} larger ones.",
        )
    found: dict[Box, None] = {}
    for box in boxes:
        inside = box.clipped(entry.rows, entry.columns)
        if not inside.area:
            raise StudyError(
                f"The part at {box.x:g}, {box.y:g} of {box.width:g} x {box.height:g} pixels does not touch "
                "the film.",
                f"Draw it on the film, which has {entry.columns} x {entry.rows} pixels.",
            )
        if inside.area >= entry.rows * entry.columns:
            raise StudyError(
                "This part covers the whole film.", "Box out the text alone, or leave the film out."
            )
        found[inside] = None
    return tuple(found)


def _notes(effect: CorrectionEffect) -> tuple[str, ...]:
    notes = []
    if effect.locked_readings:
        some = "reading was" if effect.locked_readings == 1 else "readings were"
        notes.append(
            f"{effect.locked_readings} {some} locked on this film as it was before and stay as they are; "
            "the journal tells when it was corrected."
        )
    if effect.withdrawn_joints:
        some = "joint" if effect.withdrawn_joints == 1 else "joints"
        notes.append(
            f"The pre-grades of {effect.withdrawn_joints} {some} were made on the film as it was and are "
            "withdrawn; “Pre-grade” makes them anew."
        )
    return tuple(notes)

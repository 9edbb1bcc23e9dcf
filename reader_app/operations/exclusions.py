"""Quality checks: a second reader says whether a film that somebody could not grade can be graded."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.errors import GradeError
from reader_app.imaging.pyramid import Pyramid
from reader_app.operations.film import load_pyramid
from reader_app.operations.study import Study
from reader_app.reading.case import CaseFilm
from reader_app.store import exclusion_checks
from reader_app.store.exclusion_records import CheckCounts, QualityCheck
from reader_app.store.records import Actor


@dataclass(frozen=True)
class QualityQuestion:
    """One question to the acting reader.

    Attributes
    ----------
    reason
        What a reader gave as the reason, as the protocol puts it.
    where
        Which joints of the film it is about, e.g. "Right and Left".
    """

    check: QualityCheck
    reason: str
    where: str

    @property
    def film(self) -> CaseFilm:
        """The film in question."""
        return self.check.film

    @property
    def radiograph_id(self) -> int:
        """Of the film in question."""
        return self.check.film.radiograph_id


def waiting(study: Study, actor: Actor) -> tuple[QualityQuestion, ...]:
    """Return what the acting reader is asked.

    Raises
    ------
    NotAllowed
        Unless the acting account is a reader.
    """
    titles = {reason.id: reason.title for reason in study.protocol.exclusion_reasons}
    return tuple(
        QualityQuestion(check, titles[check.reason_id], _where(check))
        for check in exclusion_checks.waiting(study.database, actor, study.protocol)
    )


def save_check(
    study: Study, actor: Actor, question: QualityQuestion, *, confirmed: bool, note: str = ""
) -> None:
    """Store the acting reader's answer, for good.

    Parameters
    ----------
    confirmed
        Whether the film cannot be graded.
    note
        The reader's own words; whoever says that it can be graded says why.

    Raises
    ------
    GradeError
        If it is rejected without a word.
    NotAllowed
        If the question is not open to this reader any more.
    """
    words = note.strip()
    if not confirmed and not words:
        raise GradeError(
            "Whoever finds that a film can be graded says so in a word.", "Write what can be seen on it."
        )
    exclusion_checks.save_check(
        study.database, actor, study.protocol, question.check.joint_ids, confirmed=confirmed, note=words
    )


def pyramid(study: Study, actor: Actor, question: QualityQuestion) -> Pyramid:
    """Return the film in question, ready for the screen; may be called from any thread.

    Raises
    ------
    ImageError
        If it vanished, cannot be read or has changed since the import.
    NotAllowed
        If the question is not open to this reader any more.
    """
    source = exclusion_checks.film_source(study.database, actor, study.protocol, question.film.radiograph_id)
    return load_pyramid(study, source)


def counts(study: Study, actor: Actor) -> CheckCounts:
    """Return how many excluded joints wait for a second look, for coordinator and auditor."""
    return exclusion_checks.check_counts(study.database, actor, study.protocol)


def _where(check: QualityCheck) -> str:
    labels = [joint.side.label for joint in check.film.joints if joint.id in check.joint_ids]
    return " and ".join(labels)

"""Freezing a study: no grade can change any more, and the results may be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reader_app.errors import StudyError
from reader_app.operations.study import Study
from reader_app.store import accounts, cases, exclusion_checks, freezing
from reader_app.store.adjudication_records import Rules
from reader_app.store.freezing import FREEZING, UNFREEZING
from reader_app.store.records import Actor, Role


@dataclass(frozen=True)
class Unfinished:
    """What a study still waits for: figures of progress, nothing of the grades."""

    readings_waiting: int
    readings_open: int
    disagreements: int
    exclusions: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each; empty where everything is done."""
        said = (
            (self.readings_waiting, "reading has not been begun", "readings have not been begun"),
            (self.readings_open, "reading is begun and not locked", "readings are begun and not locked"),
            (
                self.disagreements,
                "grade that readers disagree on is not settled",
                "grades that readers disagree on are not settled",
            ),
            (
                self.exclusions,
                "excluded joint waits for a second reader",
                "excluded joints wait for a second reader",
            ),
        )
        return tuple(f"{n:,} {one if n == 1 else many}." for n, one, many in said if n)


def unfinished(study: Study, actor: Actor) -> Unfinished:
    """Count what is still to be read, settled and confirmed.

    Raises
    ------
    NotAllowed
        Unless the acting account is a coordinator or an auditor.
    """
    readers = cases.counts(study.database, actor).readers
    rules = Rules(study.protocol, study.design)
    return Unfinished(
        readings_waiting=sum(reader.total - reader.locked - reader.open for reader in readers),
        readings_open=sum(reader.open for reader in readers),
        disagreements=freezing.open_disagreements(study.database, actor, rules),
        exclusions=exclusion_checks.check_counts(study.database, actor, study.protocol).waiting,
    )


def freeze_state(study: Study, actor: Actor) -> datetime | None:
    """Return since when the study is frozen, None where it is not; anyone may ask."""
    since = freezing.frozen_since(study.database, actor)
    return None if since is None else datetime.fromisoformat(since)


def freeze(
    study: Study, actor: Actor, *, password: str, reason: str, although_unfinished: bool = False
) -> datetime:
    """Freeze the study: from now on no grade can change, and the coordinator sees the results.

    Parameters
    ----------
    although_unfinished
        Whether to go on where something is still to be read, settled or confirmed.

    Raises
    ------
    StudyError
        If something is unfinished, with the list; if there is no reason; if it is frozen already.
    NotAllowed
        Unless the acting account is a coordinator.
    WrongPassword, AccountLocked
        If the password is wrong.
    """
    # Anybody else is refused by the store, in words.
    if actor.role is Role.COORDINATOR and not although_unfinished:
        left = unfinished(study, actor).sentences
        if left:
            raise StudyError(
                "The study is not finished. " + " ".join(left), "Have it finished, or freeze it as it is."
            )
    proof = accounts.prove(study.database, actor, password, purpose=FREEZING)
    return datetime.fromisoformat(freezing.freeze(study.database, actor, proof=proof, reason=reason))


def unfreeze(study: Study, actor: Actor, *, password: str, reason: str) -> None:
    """Let the study be read and adjudicated again; raises like `freeze`."""
    proof = accounts.prove(study.database, actor, password, purpose=UNFREEZING)
    freezing.unfreeze(study.database, actor, proof=proof, reason=reason)

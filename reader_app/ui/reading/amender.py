"""What a reader amends in locked readings of theirs, in one session."""

from __future__ import annotations

from reader_app.operations.amend import amend, own_amendments, value_words
from reader_app.operations.read import OpenCase
from reader_app.operations.sign import signing_in_force
from reader_app.operations.study import Study
from reader_app.protocols.model import Item
from reader_app.reading.change import Exclusion
from reader_app.reading.design import PasswordPolicy
from reader_app.store.amendment_records import OwnAmendment
from reader_app.store.records import Actor


class Amender:
    """The verbs of one reader; each raises `ReaderError` for what a user can cause.

    Parameters
    ----------
    study, actor
        The open study and the reader who is logged in.
    """

    def __init__(self, study: Study, actor: Actor) -> None:
        self._study = study
        self._actor = actor

    @property
    def asks_password(self) -> bool:
        """Whether an amendment takes the password, as signing does."""
        return signing_in_force(self._study).password is not PasswordPolicy.NEVER

    def amend(
        self,
        open_case: OpenCase,
        joint_id: int,
        item: Item | None,
        *,
        after: int | Exclusion | None,
        reason: str,
        password: str,
    ) -> OwnAmendment:
        """Amend a grade, or the exclusion of a joint; slow where the password is checked."""
        return amend(
            self._study,
            self._actor,
            open_case.reading.reading_id,
            joint_id,
            item,
            after=after,
            reason=reason,
            password=password,
        )

    def made(self, open_case: OpenCase) -> tuple[OwnAmendment, ...]:
        """Return what was amended in a case, oldest first."""
        return own_amendments(self._study, self._actor, open_case.reading.reading_id)

    def words(self, item: Item | None, value: int | Exclusion | None) -> str:
        """Return a grade or an exclusion as it is shown."""
        return value_words(self._study, item, value)

"""What a reader's signature needs in one session: what is stated, the password, the screen."""

from __future__ import annotations

from collections.abc import Mapping

from reader_app.operations.read import OpenCase
from reader_app.operations.sign import SigningDemand, prove_to_sign, signing_demand, signing_details
from reader_app.operations.study import Study
from reader_app.store.proofs import Proof
from reader_app.store.records import Actor
from reader_app.store.signatures import SigningDetails


class Signer:
    """Signs for one reader from log in to log out.

    Parameters
    ----------
    study, actor
        The open study and the reader who is logged in.
    """

    def __init__(self, study: Study, actor: Actor) -> None:
        self._study = study
        self._actor = actor
        # Of the last time that the password was typed to sign: good for the session if the design says so.
        self._proof: Proof | None = None

    def demand(self) -> SigningDemand:
        """Return what locking a reading asks now."""
        return signing_demand(self._study, proven_in_session=self._proof is not None)

    def prove(self, open_case: OpenCase, password: str) -> Proof:
        """Check the reader's password for a signature; slow on purpose, for a thread of its own.

        Raises
        ------
        WrongPassword, AccountLocked
            As at log in.
        """
        return prove_to_sign(self._study, self._actor, open_case.reading.reading_id, password=password)

    def details(
        self, demand: SigningDemand, proof: Proof | None, screen: Mapping[str, object]
    ) -> SigningDetails:
        """Return what comes with the signature: what the reader was shown, the password, the screen."""
        self._proof = proof or self._proof
        return signing_details(self._study, meaning=demand.meaning, proof=self._proof, display=screen)

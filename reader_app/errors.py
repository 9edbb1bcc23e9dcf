"""What can go wrong outside our code, each with a sentence for the person at the screen.

The tree::

    ReaderError                what the user can understand and act on
    ├── ImageError             a radiograph cannot be read, shown or measured
    ├── ProtocolError          a protocol file is wrong: names file, key and expectation
    ├── DesignError            a reading design is wrong or does not fit the protocol: likewise
    ├── ManifestError          a table that came with an import is wrong
    ├── StudyError             the study folder or its database
    │   ├── StudyBusy          another program holds the database
    │   ├── NewerStudy         written by a newer version; left untouched
    │   ├── StudyFrozen        the results are final; nothing is written any more
    │   └── StudyDamaged       journal, file or database do not fit together
    ├── AccountError           who is acting
    │   ├── WrongPassword
    │   ├── AccountLocked      too many wrong passwords
    │   ├── PasswordNeeded     to sign, the password must be typed
    │   └── NotAllowed         the role may not do this
    ├── GradeError             a grade, box or exclusion that the protocol does not admit
    │   ├── NotYet             a case that opens later
    │   └── NotQualified       live cases open once the calibration set is passed
    ├── BundleError            a model bundle is missing, altered or does not fit
    │   └── BundleMissing      none of that name is installed
    ├── PreGradeError          the AI worker could not make a pre-grade
    │   ├── AiLost             its process ended or fell silent; another try may succeed
    │   └── AiUnavailable      the networks cannot be loaded at all
    └── MissingPart            something this machine lacks (library, display, disk space)

Anything that is not a `ReaderError` is a bug of ours.
"""

from __future__ import annotations

from datetime import datetime


class ReaderError(Exception):
    """A fault outside our code.

    Parameters
    ----------
    what
        One sentence: what is wrong, and where.
    next_step
        One sentence: what the user can do now.
    """

    def __init__(self, what: str, next_step: str = "") -> None:
        self.what = what
        self.next_step = next_step
        super().__init__(f"{what} {next_step}".strip())


class ImageError(ReaderError):
    """A radiograph cannot be read, shown or measured."""


class ProtocolError(ReaderError):
    """A protocol file is wrong; the sentence names file, key and what was expected."""


class DesignError(ReaderError):
    """A reading design is wrong, or does not fit the protocol; the sentence names key and expectation."""


class ManifestError(ReaderError):
    """A table that came with an import is wrong; the sentence names file and line."""


class StudyError(ReaderError):
    """The study folder or its database cannot be used."""


class StudyBusy(StudyError):
    """Another program holds the database for longer than we may wait."""


class NewerStudy(StudyError):
    """The database was written by a newer version and has been left untouched."""


class StudyDamaged(StudyError):
    """Journal, files and database do not fit together."""


class StudyFrozen(StudyError):
    """The study is frozen: its results are final, and nothing in it is written any more."""


class AccountError(ReaderError):
    """Who is acting, and with which right."""


class WrongPassword(AccountError):
    """Name or password is wrong."""


class AccountLocked(AccountError):
    """Too many wrong passwords; a coordinator or time must unlock the account."""


class PasswordNeeded(AccountError):
    """The study asks for the password to sign, and it was not typed."""


class NotAllowed(AccountError):
    """The role of the acting account may not do this."""


class GradeError(ReaderError):
    """A grade, box or exclusion that the protocol or the reading's state does not admit."""


class NotYet(GradeError):
    """A case that opens later, by the design of the study.

    Attributes
    ----------
    opens_at
        From when it can be opened; None where another reading has to be locked first.
    """

    def __init__(self, what: str, next_step: str, *, opens_at: datetime | None) -> None:
        super().__init__(what, next_step)
        self.opens_at = opens_at


class NotQualified(GradeError):
    """The calibration set stands between the reader and live cases.

    Attributes
    ----------
    assignment_id
        The case to read instead, None where there is none.
    judgement_due
        Whether all that is left is that the readings are judged, which nobody has to wait for.
    """

    def __init__(
        self, what: str, next_step: str, *, assignment_id: int | None = None, judgement_due: bool = False
    ) -> None:
        self.assignment_id = assignment_id
        self.judgement_due = judgement_due
        super().__init__(what, next_step)


class BundleError(ReaderError):
    """A model bundle is missing, altered or does not fit the study's protocol."""


class BundleMissing(BundleError):
    """No bundle of that name is installed."""


class PreGradeError(ReaderError):
    """The AI worker could not make a pre-grade for a joint."""


class AiLost(PreGradeError):
    """The process that holds the networks ended or fell silent with this joint; another try may succeed."""


class AiUnavailable(PreGradeError):
    """The networks cannot be loaded at all: no joint would fare better."""


class MissingPart(ReaderError):
    """Something that this machine lacks: a library, a display, space on the disk."""

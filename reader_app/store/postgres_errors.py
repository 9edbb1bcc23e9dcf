"""What a PostgreSQL server cannot do, in words.

Where a statement failed, the server says which kind of fault it was (PostgreSQL documentation, appendix A);
where no connection came about, there is its sentence only, in the language of the server.
"""

from __future__ import annotations

from reader_app.errors import StudyBusy, StudyDamaged, StudyError
from reader_app.store.backend import AWAY_SECONDS, BUSY_SECONDS

_TRY_AGAIN = "Everything that was acknowledged is safe; try again in a moment."

_GONE = (
    "connection refused",
    "could not translate host name",
    "could not resolve",
    "failed to resolve",
    "no route to host",
    "network is unreachable",
    "timeout expired",
    "timed out",
    "no such file or directory",
    "server closed the connection",
    "could not connect",
    "connection reset",
)


def in_words(error: BaseException | None, shown: str) -> StudyError | None:
    """Return the sentence for an error of PostgreSQL, None where it is a bug of ours.

    Parameters
    ----------
    error
        The driver's error.
    shown
        The database, for sentences.
    """
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _by_state(state, shown)
    # Without a state it came from the connection, never from a statement of ours.
    if type(error).__name__ in ("OperationalError", "ConnectionTimeout"):
        return _by_sentence(" ".join(str(error).split()), shown)
    return None


def _by_state(state: str, shown: str) -> StudyError | None:
    match state:
        case "55P03" | "40P01" | "40001":
            return StudyBusy(
                f"Somebody else has been writing to the study database {shown} for more than "
                f"{BUSY_SECONDS:.0f} seconds.",
                "Nothing was changed; wait a moment and try again.",
            )
        case "25P03":
            return StudyBusy(
                f"The study database {shown} gave up a change that took a pause of more than "
                f"{AWAY_SECONDS} seconds.",
                "Nothing was changed; repeat the last step.",
            )
        case "53100":
            return StudyError(
                f"The disk of the server that holds the study database {shown} is full; the last change was "
                "not stored.",
                "Ask the server's administrator to free some space, and repeat the last step; everything "
                "before it is safe.",
            )
        case "25006":
            return StudyError(
                f"The study database {shown} can only be read: the server is a standby or is set so.",
                "Ask the server's administrator for the address of the server that can be written.",
            )
        case "42501":
            return StudyError(
                f"The database server does not give you all rights that a study needs on {shown}.",
                "Ask its administrator to make your user the owner of that database, or of its tables.",
            )
        case "57014":
            return StudyBusy(
                f"The server of the study database {shown} ended a task because it took too long.",
                "Nothing was changed; try again.",
            )
        case "58030":
            return StudyError(
                f"The server of the study database {shown} reported an error of its disk; the last change "
                "may not be stored.",
                "Ask its administrator to check the disk, then open the study again.",
            )
    if state in ("XX001", "XX002"):
        return StudyDamaged(
            f"The study database {shown} is damaged on its server.",
            "Ask the server's administrator to leave it as it is, and restore the newest backup.",
        )
    if state in ("53300", "53400"):
        return _too_many(shown)
    if state in ("57P01", "57P02", "57P03", "57P05") or state.startswith("08"):
        return _lost(shown)
    if state in ("28000", "28P01", "3D000"):
        return _refused("", shown, state=state)
    return None


def _by_sentence(sentence: str, shown: str) -> StudyError:
    lower = sentence.lower()
    if "too many clients" in lower or "connection slots" in lower or "too many connections" in lower:
        return _too_many(shown)
    if "starting up" in lower or "shutting down" in lower or "recovery mode" in lower:
        return StudyBusy(f"The server of the study database {shown} is starting or stopping.", _TRY_AGAIN)
    if not lower.startswith(("connection failed", "connection is bad", "connection timeout", "failed to")):
        return _lost(shown)
    if any(word in lower for word in _GONE):
        return StudyError(
            f"The server of the study database {shown} cannot be reached.",
            "Check the network and the address, and that the server runs; then try again.",
        )
    return _refused(sentence, shown)


def _refused(sentence: str, shown: str, *, state: str = "") -> StudyError:
    lower = sentence.lower()
    if state == "3D000" or ("database" in lower and "does not exist" in lower):
        return StudyError(
            f"There is no database {shown} on that server.",
            "Check the address, or ask the server's administrator to make the database.",
        )
    if state or any(word in lower for word in ("password", "authentication", "pg_hba", "role", "ssl")):
        return StudyError(
            f"The server of the study database {shown} did not let you in: user or password are wrong, or "
            "this computer is not admitted.",
            "Check the user in the address and the password in the file ~/.pgpass (or PGPASSWORD), or ask "
            "the server's administrator.",
        )
    # Its own words, as they may be in another language; they hold no password.
    told = sentence.rpartition("FATAL:")[2].strip() or sentence
    return StudyError(
        f"The server of the study database {shown} refused the connection: {told.rstrip('.')}.",
        "Check the address, or ask the server's administrator.",
    )


def _too_many(shown: str) -> StudyError:
    return StudyBusy(
        f"The server of the study database {shown} has too many connections already.",
        "Close other programs that use it, or ask its administrator to allow more; then try again.",
    )


def _lost(shown: str) -> StudyError:
    return StudyError(
        f"The connection to the study database {shown} was lost; the last change may not be stored.",
        "Everything acknowledged before is safe: check the network, then open the case again.",
    )

"""Which grade the next keystroke sets. No Qt: the panel and the films show what stands here."""

from __future__ import annotations

from reader_app.reading.case import CaseFilm, GradeKey, Joint, JointSide
from reader_app.reading.session import ReadingSession

_SIDE_PLACE = {JointSide.RIGHT: 0, JointSide.LEFT: 1, JointSide.UNSTATED: 2, JointSide.WHOLE: 3}


def columns_of(session: ReadingSession, film: CaseFilm) -> tuple[Joint, ...]:
    """Return the joints of a film that are graded, as radiologists see them: the right one on the left."""
    graded = {key.joint_id for key in session.keys}
    return tuple(
        sorted((j for j in film.joints if j.id in graded), key=lambda joint: _SIDE_PLACE[joint.side])
    )


class ReadingCursor:
    """The current item of the current joint, and how it moves.

    Parameters
    ----------
    session
        The reading; the cursor starts at its first open item, else at its first.
    """

    def __init__(self, session: ReadingSession) -> None:
        self._session = session
        self._columns = tuple(joint for film in session.case.films for joint in columns_of(session, film))
        self.key: GradeKey | None = session.next_key() or (session.keys[0] if session.keys else None)

    @property
    def joint_id(self) -> int | None:
        """The joint being graded."""
        return self.key.joint_id if self.key else None

    def choose_film(self, radiograph_id: int) -> None:
        """Go to the joint of the same side on another film of the case, else to that film's first joint."""
        case = self._session.case
        wanted = next((film for film in case.films if film.radiograph_id == radiograph_id), None)
        if wanted is None or not wanted.joints:
            return
        sides = {joint.side: joint.id for joint in wanted.joints}
        here = case.joint(self.key.joint_id).side if self.key else wanted.joints[0].side
        self.choose_joint(sides.get(here, wanted.joints[0].id))

    def go_to(self, key: GradeKey | None) -> None:
        """Move to an item of this reading; anything else leaves the cursor where it is."""
        if key in self._session.keys:
            self.key = key

    def advance(self) -> None:
        """Move to the next open item, going round; stay if nothing is open."""
        self.go_to(self._session.next_key(self.key))

    def move(self, step: int) -> None:
        """Move along the reading order, stopping at its ends."""
        if self.key is None:
            return
        keys = self._session.keys
        self.key = keys[min(max(keys.index(self.key) + step, 0), len(keys) - 1)]

    def move_across(self, step: int) -> None:
        """Move to the same item of a neighbouring joint, or its first item where it has no such item."""
        if self.key is None:
            return
        places = [joint.id for joint in self._columns]
        place = min(max(places.index(self.key.joint_id) + step, 0), len(places) - 1)
        self._enter(places[place], wish=self.key)

    def move_joint(self, step: int) -> None:
        """Move to the first open item of the next joint, going round the case."""
        if self.key is None:
            return
        places = [joint.id for joint in self._columns]
        joint_id = places[(places.index(self.key.joint_id) + step) % len(places)]
        still_open = next((k for k in self._session.open_keys() if k.joint_id == joint_id), None)
        self._enter(joint_id, wish=still_open)

    def choose_joint(self, joint_id: int) -> None:
        """Move to a joint, keeping the item where the joint has it."""
        if self.key is not None and joint_id != self.key.joint_id:
            self._enter(joint_id, wish=self.key)

    def _enter(self, joint_id: int, *, wish: GradeKey | None) -> None:
        members = [key for key in self._session.keys if key.joint_id == joint_id]
        same = next((key for key in members if wish is not None and key.item == wish.item), None)
        self.key = same or (members[0] if members else self.key)

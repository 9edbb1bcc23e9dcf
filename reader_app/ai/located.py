"""Where the joints are on a film, as values: what a localizer gives back."""

from __future__ import annotations

from dataclasses import dataclass

from reader_app.imaging.geometry import Box


@dataclass(frozen=True)
class Landmark:
    """A named point on the film, pixel-edge coordinates."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class JointBox:
    """A joint found on a film.

    Attributes
    ----------
    side
        "R", "L", or "U" where the film does not tell.
    confidence
        0 to 1: a network's own, or how clearly the rules' features stood out.  It is no probability: it
        ranks films for a second look.
    method
        By which localizer.
    tilt_degrees
        Of the knee's tibial plateau: positive where its right end, as the film is seen, lies lower.  None
        where it was not looked for.
    landmarks
        In film pixels.
    """

    box: Box
    side: str
    confidence: float
    method: str
    tilt_degrees: float | None = None
    landmarks: tuple[Landmark, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """Something found that gets no pre-grade, such as a prosthesis, and why, as a sentence."""

    box: Box
    side: str
    confidence: float
    reason: str


@dataclass(frozen=True)
class Located:
    """All that a localizer says of a film.

    Attributes
    ----------
    joints
        At most one right and one left, or a single one of either or unknown side; image's left first.
    left_out
        Prostheses.
    flags
        Sentences for the coordinator, such as a side marker that contradicts the position.
    """

    joints: tuple[JointBox, ...]
    left_out: tuple[LeftOut, ...] = ()
    flags: tuple[str, ...] = ()

    def of_side(self, side: str) -> JointBox | None:
        """Return the joint of a side ("R", "L", "U"); a single joint of unknown side serves for each."""
        for joint in self.joints:
            if joint.side == side:
                return joint
        if len(self.joints) == 1 and (self.joints[0].side == "U" or side == "U"):
            return self.joints[0]
        return None

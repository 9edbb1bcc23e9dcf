"""From what a network sees on a film to its joints: at most one right and one left, and what is left out.

Pure rules without torch.  All boxes are in film pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from reader_app.ai.film_image import ONE_JOINT
from reader_app.ai.located import JointBox, LeftOut, Located
from reader_app.imaging.geometry import Box, Side

JOINT, PROSTHESIS, MARKER = "joint", "prosthesis", "marker-"

_SAME = 0.4
"""IoU from which two boxes are of one joint."""
_SIZES = 1.6  # one joint's edge to the other's, at most
_APART = 0.55  # between the two middles, in edges, at least
_LEVEL = 0.8  # between the heights of the two, in edges, at most: feet stand on one floor
_OWN_HALF = 0.62  # of the width: how far a joint may reach over the middle on a film cut off-centre
_SQUARE_ASPECT = 1.35  # a film of a single joint is cut out about square
_WHOLE_FILM = 0.5  # IoU of a joint's box with the film from which the film was cut around the joint

_SIDES = {"R": "right", "L": "left"}


@dataclass(frozen=True)
class Detection:
    """One thing that a network sees: ``joint``, ``prosthesis``, ``marker-R`` or ``marker-L``."""

    label: str
    confidence: float
    box: Box


@dataclass(frozen=True)
class FilmFacts:
    """What is known of a film: its extent in pixels, sides as in `PreparedFilm`, and the joint's name."""

    rows: float
    columns: float
    image_left: Side
    laterality: str
    joint: str

    @property
    def side_told(self) -> bool:
        """Whether the film is said to be of one side."""
        return self.laterality in _SIDES


@dataclass(frozen=True)
class _Found:
    """A joint or a prosthesis, of which a film shows two at most."""

    box: Box
    confidence: float
    prosthesis: bool


def choose_joints(
    detections: Sequence[Detection], film: FilmFacts, *, threshold: float, method: str
) -> Located:
    """Choose the joints of a film, give them sides and say what is odd.

    Parameters
    ----------
    detections
        Candidates in any order, of any confidence.
    threshold
        What is below does not count.
    method
        Goes into the joints.
    """
    seen = [each for each in detections if each.confidence >= threshold]
    found, flags = _shown(_merged(seen), film)
    markers = _markers(seen)
    sides, middle = _sides(found, film)
    if len(found) == 1 and sides == ["U"] and len(markers) == 1:
        sides = [next(iter(markers))]
    flags += _contradictions(sides, middle, markers, film)
    joints, left_out = [], []
    for each, side in zip(found, sides, strict=True):
        if each.prosthesis:
            left_out.append(LeftOut(each.box, side, each.confidence, _prosthesis_sentence(side, film.joint)))
        else:
            joints.append(JointBox(each.box, side, each.confidence, method))
    if len(found) == 1 and joints:
        joints = [_whole_film_if_cut_around(joints[0], film)]
    if not found:
        joints, more = _nothing_seen(film, method)
        flags += more
    return Located(tuple(joints), tuple(left_out), tuple(flags))


def _merged(seen: Sequence[Detection]) -> list[_Found]:
    """Return joints and prostheses, one for each place, the surest first.

    Where both are seen in one place it is a prosthesis: grading metal is worse than leaving a joint out.
    """
    kept: list[_Found] = []
    for each in sorted(seen, key=lambda each: -each.confidence):
        if each.label not in (JOINT, PROSTHESIS) or each.box.area <= 0.0:
            continue
        implant = each.label == PROSTHESIS
        place = next((n for n, other in enumerate(kept) if other.box.iou(each.box) >= _SAME), None)
        if place is None:
            kept.append(_Found(each.box, each.confidence, implant))
        elif implant and not kept[place].prosthesis:
            kept[place] = _Found(each.box, each.confidence, True)
    return sorted(kept, key=lambda each: -each.confidence)


def _shown(found: list[_Found], film: FilmFacts) -> tuple[list[_Found], list[str]]:
    """Return the one or two that the film shows, image's left first."""
    pairs = [pair for pair in combinations(found, 2) if _plausible(*pair, film)]
    best = max(pairs, key=lambda pair: pair[0].confidence + pair[1].confidence, default=None)
    if film.laterality == ONE_JOINT:
        told = [f"The film is said to show one {film.joint} alone, but both are seen."]
        return found[:1], told if best is not None else []
    if film.side_told:
        if best is None:
            return found[:1], []
        left, right = sorted(best, key=lambda each: each.box.centre[0])
        return [left if film.laterality == film.image_left.value else right], [
            f"The film is said to show the {_SIDES[film.laterality]} {film.joint} alone, but both are seen."
        ]
    if best is not None:
        return sorted(best, key=lambda each: each.box.centre[0]), []
    if found and film.laterality == "B":
        return found[:1], [f"Of the two {film.joint}s on the film only one was found."]
    return found[:1], []


def _plausible(one: _Found, other: _Found, film: FilmFacts) -> bool:
    """Whether two boxes can be the right and the left joint of one body."""
    left, right = sorted((one.box, other.box), key=lambda box: box.centre[0])
    edge = (left.width + right.width) / 2.0
    apart = right.centre[0] - left.centre[0]
    return (
        max(left.width, right.width) <= _SIZES * min(left.width, right.width)
        and apart >= _APART * edge
        and abs(left.centre[1] - right.centre[1]) <= min(_LEVEL * edge, apart)
        and left.centre[0] <= _OWN_HALF * film.columns
        and right.centre[0] >= (1.0 - _OWN_HALF) * film.columns
    )


def _sides(found: Sequence[_Found], film: FilmFacts) -> tuple[list[str], float]:
    """Return the sides by position, and the column between them."""
    if len(found) == 2:
        middle = (found[0].box.centre[0] + found[1].box.centre[0]) / 2.0
        return [film.image_left.value, film.image_left.other.value], middle
    middle = film.columns / 2.0
    if film.side_told:
        return [film.laterality] * len(found), middle
    if film.laterality == "B":
        return [_side_at(each.box.centre[0], middle, film) for each in found], middle
    return ["U"] * len(found), middle


def _side_at(x: float, middle: float, film: FilmFacts) -> str:
    return (film.image_left if x < middle else film.image_left.other).value


def _markers(seen: Sequence[Detection]) -> dict[str, Detection]:
    """Return the surest lead letter of each side; of two letters in one place the surer."""
    letters = sorted(
        (each for each in seen if each.label.startswith(MARKER)), key=lambda each: -each.confidence
    )
    kept: list[Detection] = []
    for each in letters:
        if all(other.box.iou(each.box) < _SAME and other.label != each.label for other in kept):
            kept.append(each)
    return {each.label.removeprefix(MARKER): each for each in kept}


def _contradictions(
    sides: Sequence[str], middle: float, markers: dict[str, Detection], film: FilmFacts
) -> list[str]:
    """Say where lead letters speak against the sides."""
    if len(sides) == 1:
        told = sides[0]
        if told in _SIDES and markers and told not in markers:
            seen = next(iter(markers))
            taken = f"the {film.joint} is taken as the {_SIDES[told]} one"
            return [f"The lead letter {seen} is on the film, but {taken}."]
        return []
    wrong = [
        letter
        for letter, each in sorted(markers.items())
        if sides and _side_at(each.box.centre[0], middle, film) != letter
    ]
    if not wrong:
        return []
    letters = " and ".join(wrong)
    return [
        f"The lead letter{'s' if len(wrong) > 1 else ''} {letters} on the film "
        f"contradict{'' if len(wrong) > 1 else 's'} the sides by position; the film may be reversed."
    ]


def _prosthesis_sentence(side: str, joint: str) -> str:
    return f"The {f'{_SIDES[side]} ' if side in _SIDES else ''}{joint} bears a prosthesis."


def _near_square(film: FilmFacts) -> bool:
    return max(film.columns / film.rows, film.rows / film.columns) <= _SQUARE_ASPECT


def _whole_film_if_cut_around(joint: JointBox, film: FilmFacts) -> JointBox:
    """Take a film that was cut around one joint as it is, as the networks for such films learned it."""
    whole = Box(0.0, 0.0, film.columns, film.rows)
    if film.laterality == "B" or not _near_square(film) or joint.box.iou(whole) < _WHOLE_FILM:
        return joint
    return replace(joint, box=whole)


def _nothing_seen(film: FilmFacts, method: str) -> tuple[list[JointBox], list[str]]:
    if film.laterality == "B" or not _near_square(film):
        return [], [f"No {film.joint} was found on the film."]
    side = film.laterality if film.side_told else "U"
    whole = JointBox(Box(0.0, 0.0, film.columns, film.rows), side, 0.0, method)
    return [whole], [f"No {film.joint} stood out on the film; all of it was taken as one {film.joint}."]

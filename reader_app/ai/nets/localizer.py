"""Where the joints are on a film, by the localizer that a bundle names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reader_app.ai.bundle import Bundle
from reader_app.ai.bundle_spec import Localizer, LocalizerMethod
from reader_app.ai.film_image import PreparedFilm
from reader_app.ai.localizer import SINGLE, locate_joints
from reader_app.ai.located import JointBox, Located
from reader_app.imaging.geometry import Box


class FilmLocalizer:
    """A bundle's localizer, loaded and warm.

    Parameters
    ----------
    bundle
        Verified.
    device
        Of torch, as `reader_app.ai.nets.engine.choose_device` returns it.
    light
        Take the quicker localizer where the bundle has one.

    Attributes
    ----------
    spec
        The localizer that was taken.
    """

    def __init__(self, bundle: Bundle, *, device: str, light: bool) -> None:
        quicker = bundle.spec.light_localizer
        self.spec: Localizer = quicker if light and quicker is not None else bundle.spec.localizer
        self.device = device

    def locate(self, films: Sequence[PreparedFilm]) -> list[Located]:
        """Find the joints on films; boxes are in film pixels.

        Raises
        ------
        ImageError
            A film is too small.
        """
        return [by_rules(film, self.spec.method) for film in films]


def by_rules(film: PreparedFilm, method: LocalizerMethod) -> Located:
    """Find the joints without a network."""
    rows, columns = film.pixels.shape
    sided = film.laterality in ("R", "L")
    if method is LocalizerMethod.SINGLE_JOINT:
        found: tuple[JointBox, ...] = (JointBox(Box(0.0, 0.0, columns, rows), "U", 1.0, SINGLE),)
    else:
        bilateral = {"B": True, "R": False, "L": False}.get(film.laterality)
        found = locate_joints(film.pixels, image_left=film.image_left, bilateral=bilateral)
    return Located(
        tuple(
            replace(joint, box=film.to_film(joint.box), side=film.laterality if sided else joint.side)
            for joint in found
        )
    )

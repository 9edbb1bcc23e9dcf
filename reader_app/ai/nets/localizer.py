"""Where the joints are on a film, by the localizer that a bundle names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reader_app.ai.bundle import Bundle
from reader_app.ai.bundle_spec import Localizer, LocalizerMethod
from reader_app.ai.choose_joints import Detection, FilmFacts, choose_joints
from reader_app.ai.film_image import ONE_JOINT, PreparedFilm
from reader_app.ai.localizer import SINGLE, locate_joints
from reader_app.ai.located import JointBox, Located
from reader_app.ai.nets.detectors import Detector, detections_on, load_detector
from reader_app.ai.nets.landmarks import LandmarkNet, load_landmarks, place_landmarks
from reader_app.imaging.geometry import Box

BATCH = 8
"""Films through a network at once: on a CPU more gains nothing."""


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

    Raises
    ------
    BundleError
        The weights cannot be read or do not fit.
    """

    def __init__(self, bundle: Bundle, *, device: str, light: bool) -> None:
        quicker = bundle.spec.light_localizer
        self.spec: Localizer = quicker if light and quicker is not None else bundle.spec.localizer
        self.device = device
        self.detector: Detector | None = None
        if self.spec.method.is_network:
            self.detector = load_detector(
                bundle.folder / self.spec.file,
                self.spec.method,
                size=self.spec.size,
                classes=self.spec.classes,
            ).to(device)
        self.landmarks = bundle.spec.landmarks
        self.landmark_net: LandmarkNet | None = None
        if self.landmarks is not None:
            self.landmark_net = load_landmarks(bundle.folder, self.landmarks).to(device)

    def locate(self, films: Sequence[PreparedFilm]) -> list[Located]:
        """Find the joints on films; boxes are in film pixels.

        Raises
        ------
        ImageError
            A film is too small.
        """
        if self.detector is None:
            found = [by_rules(film, self.spec.method) for film in films]
        else:
            found = self._by_network(films, self.detector)
        return [self._with_landmarks(film, each) for film, each in zip(films, found, strict=True)]

    def _by_network(self, films: Sequence[PreparedFilm], detector: Detector) -> list[Located]:
        found: list[Located] = []
        for start in range(0, len(films), BATCH):
            part = films[start : start + BATCH]
            seen = detections_on(
                detector,
                [film.pixels for film in part],
                size=self.spec.size,
                classes=self.spec.classes,
                device=self.device,
            )
            found += [self._chosen(film, each) for film, each in zip(part, seen, strict=True)]
        return found

    def _chosen(self, film: PreparedFilm, seen: Sequence[Detection]) -> Located:
        rows, columns = film.film_shape
        return choose_joints(
            [replace(each, box=film.to_film(each.box)) for each in seen],
            FilmFacts(rows, columns, film.image_left, film.laterality, film.joint),
            threshold=self.spec.threshold,
            method=self.spec.method.value,
        )

    def _with_landmarks(self, film: PreparedFilm, located: Located) -> Located:
        if self.landmarks is None or self.landmark_net is None or not located.joints:
            return located
        placed = place_landmarks(self.landmark_net, self.landmarks, film, located.joints)
        return replace(located, joints=tuple(placed))


def by_rules(film: PreparedFilm, method: LocalizerMethod) -> Located:
    """Find the joints without a network.

    Raises
    ------
    ImageError
        The film is too small.
    """
    rows, columns = film.pixels.shape
    sided = film.laterality in ("R", "L")
    if method is LocalizerMethod.SINGLE_JOINT:
        found: tuple[JointBox, ...] = (JointBox(Box(0.0, 0.0, columns, rows), "U", 1.0, SINGLE),)
    else:
        bilateral = {"B": True, "R": False, "L": False, ONE_JOINT: False}.get(film.laterality)
        found = locate_joints(film.pixels, image_left=film.image_left, bilateral=bilateral)
    return Located(
        tuple(
            replace(joint, box=film.to_film(joint.box), side=film.laterality if sided else joint.side)
            for joint in found
        )
    )

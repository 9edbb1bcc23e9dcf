"""The same networks as a script would call them: the peer that `bench_ai` measures our pipeline against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from captum.attr import Occlusion  # type: ignore[import-untyped]
from torch import Tensor

from reader_app.ai.bundle import Bundle, ExplainMethod
from reader_app.ai.crop import standardise
from reader_app.ai.film_image import PreparedFilm, prepare_film
from reader_app.ai.nets.grader import Grader, load_grader
from reader_app.ai.nets.heads import head_specs, probabilities
from reader_app.ai.nets.localizer import FilmLocalizer
from reader_app.ai.nets.occlusion import usual_window
from reader_app.imaging.geometry import Box

Pixels = npt.NDArray[np.uint16]
JOINTS = (("R", Box(300.0, 800.0, 900.0, 900.0)), ("L", Box(1800.0, 800.0, 900.0, 900.0)))
SPACING_MM = (0.15, 0.15)


@dataclass(frozen=True, eq=False)
class Peer:
    """The same networks, as a script would call them."""

    bundle: Bundle
    graders: tuple[Grader, ...]
    localizer: FilmLocalizer
    device: str

    def locate(self, film: Pixels) -> None:
        """Find joints, in torch as it is."""
        self.localizer.locate([prepared_film(film, self.bundle)])

    def grade(self, film: Pixels) -> list[Tensor]:
        """Return per graded head the joints' mean probabilities, joints x classes."""
        heads, size = self.bundle.spec.heads, self.bundle.spec.preprocessing.size
        found: list[list[Tensor]] = [[] for _ in heads]
        for side, box in JOINTS:
            crop = plain_crop(film, box, size=size)
            crop = crop[:, ::-1] if side == self.bundle.spec.preprocessing.mirror_side else crop
            for place, mean in enumerate(self.mean_of(crop)):
                found[place].append(mean)
            if self.bundle.spec.explainer.method is ExplainMethod.OCCLUSION:
                self._occlude(crop)
        return [torch.stack(joints) for joints in found]

    def _occlude(self, crop: npt.NDArray[np.float32]) -> None:
        """Explain the likeliest class of every head by captum, which covers one window after the other."""
        image = torch.from_numpy(standardise(np.ascontiguousarray(crop))[None, None]).to(self.device)
        window, stride = usual_window(image.shape[-1])
        with torch.no_grad():
            for grader in self.graders:
                for place, logits in enumerate(grader(image)[: len(self.bundle.spec.heads)]):
                    Occlusion(lambda covered, grader=grader, place=place: grader(covered)[place]).attribute(
                        image,
                        sliding_window_shapes=(1, window, window),
                        strides=(1, stride, stride),
                        target=int(logits.argmax()),
                    )

    def mean_of(self, crop: npt.NDArray[np.float32]) -> list[Tensor]:
        """Return per head the mean probabilities of one crop of values 0..1."""
        heads = self.bundle.spec.heads
        image = torch.from_numpy(standardise(np.ascontiguousarray(crop))[None, None]).to(self.device)
        views = [image, image.flip(-1)] if self.bundle.spec.mirror_test else [image]
        answers: list[list[Tensor]] = [[] for _ in heads]
        with torch.no_grad():
            for grader in self.graders:
                for view in views:
                    for place, (head, logits) in enumerate(zip(heads, grader(view), strict=False)):
                        answers[place].append(probabilities(logits, head.kind, head.temperature)[0])
        return [torch.stack(each).mean(dim=0) for each in answers]


def plain_crop(film: Pixels, box: Box, *, size: int) -> npt.NDArray[np.float32]:
    from PIL import Image

    values = film.astype(np.float32)
    left, top = int(box.x), int(box.y)
    piece = values[top : top + int(box.height), left : left + int(box.width)]
    small = np.asarray(Image.fromarray(piece).resize((size, size), Image.Resampling.BILINEAR))
    low, high = np.percentile(small, (0.5, 99.5))
    return np.asarray(np.clip((small - low) / (high - low), 0.0, 1.0), dtype=np.float32)


def eager_peer(bundle: Bundle, device: str, *, light: bool) -> Peer:
    specs = head_specs(bundle.spec)
    graders = tuple(
        load_grader(bundle.folder / member.file, member.architecture, specs)
        .to(memory_format=torch.contiguous_format)
        .to(device)
        for member in bundle.spec.members
    )
    localizer = eager_localizer(bundle, device, light=light)
    return Peer(bundle, graders, localizer, device)


def eager_localizer(bundle: Bundle, device: str, *, light: bool) -> FilmLocalizer:
    localizer = FilmLocalizer(bundle, device=device, light=light)
    if localizer.detector is not None:
        localizer.detector.to(memory_format=torch.contiguous_format)
    return localizer


def prepared_film(film: Pixels, bundle: Bundle) -> PreparedFilm:
    joint = "knee" if bundle.id.startswith("knee") else "hip"
    return prepare_film(film, laterality="B", joint=joint, spacing_mm=SPACING_MM)

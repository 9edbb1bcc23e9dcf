"""What ``bundle.toml`` says, as values."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from reader_app.ai.bundle_parts import (
    AGAIN,
    Auxiliary,
    BundleHead,
    Decision,
    Distance,
    DistanceMethod,
    EnsembleRule,
    Explainer,
    ExplainMethod,
    ExplainTarget,
    HeadKind,
    Landmarks,
    Localizer,
    LocalizerMethod,
    Member,
    ProtocolRef,
    TrainedOn,
    TrainingRecord,
    check_tensor_file,
)
from reader_app.ai.crop import Preprocessing
from reader_app.errors import BundleError

__all__ = [
    "AGAIN",
    "Auxiliary",
    "BundleHead",
    "BundleSpec",
    "Decision",
    "Distance",
    "DistanceMethod",
    "EnsembleRule",
    "ExplainMethod",
    "ExplainTarget",
    "Explainer",
    "HeadKind",
    "Landmarks",
    "Localizer",
    "LocalizerMethod",
    "Member",
    "ProtocolRef",
    "TrainedOn",
    "TrainingRecord",
]

_ID = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}(?:[-+.]?[0-9A-Za-z])*")


@dataclass(frozen=True)
class BundleSpec:
    """The content of ``bundle.toml``.

    `localizer` is the published or most faithful one; `light_localizer`, where there is one, is quicker and
    serves a pre-grade that somebody waits for.  Images of `full_range_views` keep all their grey values: a
    sum of CT slices, say, beside radiographs that are clipped at percentiles.
    """

    format: int
    id: str
    version: str
    title: str
    licence: str
    intended_use: str
    protocols: tuple[ProtocolRef, ...]
    heads: tuple[BundleHead, ...]
    members: tuple[Member, ...]
    ensemble: EnsembleRule
    mirror_test: bool
    localizer: Localizer
    preprocessing: Preprocessing
    explainer: Explainer
    distance: Distance
    training: TrainingRecord
    light_localizer: Localizer | None = None
    landmarks: Landmarks | None = None
    auxiliary: tuple[Auxiliary, ...] = ()
    trained_on: TrainedOn = TrainedOn.RADIOGRAPHS
    full_range_views: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, fault in (
            ("has an id that is no plain name", not _ID.fullmatch(self.id)),
            (f"has the version “{self.version}”, which is none", not _VERSION.fullmatch(self.version)),
            ("has no members or no heads", not self.members or not self.heads),
            ("names an item twice", _twice([head.item for head in self.heads])),
            ("names an auxiliary task twice", _twice([task.name for task in self.auxiliary])),
            ("names a protocol twice", _twice([protocol.id for protocol in self.protocols])),
            ("names a file twice", _twice(self._named_files())),
            ("has members of which some are of a fold and others are not", self._folds_mixed()),
        ):
            if fault:
                raise BundleError(f"The bundle “{self.id}” {what}.", AGAIN)
        for file in self.files:
            check_tensor_file(file)

    def preprocessing_of(self, view: str) -> Preprocessing:
        """Return how joints of a view, as a film states it, are cut out; only percentiles may differ."""
        if view.strip().lower() in {each.lower() for each in self.full_range_views}:
            return replace(self.preprocessing, low_percentile=0.0, high_percentile=100.0)
        return self.preprocessing

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 by name of all tensor files."""
        return {part.file: part.sha256 for part in self._parts_with_files()}

    def _parts_with_files(self) -> Iterator[Member | Distance | Localizer | Landmarks]:
        yield from self.members
        yield self.distance
        for localizer in (self.localizer, self.light_localizer):
            if localizer is not None and localizer.method.is_network:
                yield localizer
        if self.landmarks is not None:
            yield self.landmarks

    def _named_files(self) -> list[str]:
        return [part.file for part in self._parts_with_files()]

    def _folds_mixed(self) -> bool:
        """Whether some networks of one architecture come from a fold and others learned from everything."""
        kinds = {(member.architecture, member.fold > 0) for member in self.members}
        return len(kinds) != len({architecture for architecture, _ in kinds})


def _twice(names: Sequence[Hashable]) -> bool:
    return len(set(names)) != len(names)

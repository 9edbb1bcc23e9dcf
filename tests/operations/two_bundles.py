"""A study that two bundles have pre-graded: what each said is known, and where they differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from reader_app.imaging.geometry import Box
from reader_app.operations.accounts import add_account
from reader_app.operations.heatmaps import heatmap_file, write_heatmaps
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study
from reader_app.operations.study_config import ImagePolicy
from reader_app.protocols.model import Arm
from reader_app.reading.case import GradeKey
from reader_app.reading.pregrade import Heatmap, PreGrade, Provenance
from reader_app.store.pregrades import pending_joints, save_pregrades
from reader_app.store.records import Actor, PendingJoint, Role

COORDINATOR, PASSWORD = "Carla", "carla-coordinates"
READER, READER_PASSWORD = "Anna", "anna-reads-films"
OLD, NEW = "ab" * 32, "cd" * 32
MARKER = "The marker R on the film contradicts the position of the joint."
FILMS = 6
GRADES = {OLD: (0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 2, 2), NEW: (0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 3, 2)}
"""Of the KL grade, joint by joint as imported: they differ on the tenth by 4 and on the eleventh by 1."""


def make_study(root: Path) -> Path:
    """Make the study and return its folder."""
    images = root / "films"
    images.mkdir(parents=True)
    generator = np.random.default_rng(3)
    lines = ["image,participant,side"]
    for number in range(FILMS):
        pixels = generator.integers(10, 245, size=(200, 320), dtype=np.uint8)
        Image.fromarray(pixels).save(images / f"film-{number}.png")
        lines.append(f"film-{number}.png,person-{number},both")
    manifest = root / "manifest.csv"
    manifest.write_text("\n".join([*lines, ""]), encoding="utf-8")
    choices = NewStudy(
        protocol="knee-kl",
        title="Two bundles",
        coordinator=COORDINATOR,
        password=PASSWORD,
        arm=Arm.AIDED,
        seed=5,
        images=ImagePolicy.COPY,
    )
    with create_study(root / "study", choices) as study:
        carla = log_in(study, COORDINATOR, PASSWORD)
        add_account(study, carla, name=READER, password=READER_PASSWORD, role=Role.READER)
        import_films(study, carla, images, manifest=manifest)
        for sha256, version in ((OLD, "1.0.0"), (NEW, "1.1.0")):
            for number, joint in enumerate(pending_joints(study.database, carla, sha256)):
                say(
                    study,
                    carla,
                    joint,
                    sha256,
                    version,
                    GRADES[sha256][number],
                    remark="" if number else MARKER,
                )
    return root / "study"


def say(
    study: Study,
    actor: Actor,
    joint: PendingJoint,
    sha256: str,
    version: str,
    code: int,
    *,
    remark: str = "",
) -> None:
    """Store what a bundle says of a joint: a grade of which it is nine tenths sure, and a map."""
    (item,) = study.protocol.items
    box = Box(10.0 if joint.side.value == "R" else 170.0, 20.0, 140.0, 150.0)
    source = Provenance(
        "knee-kl", version, sha256, study.protocol.sha256, "tests", joint.pixel_sha256, "2026-01-01T00:00:00Z"
    )
    codes = study.protocol.item_scale(item).codes
    odds = {each: 0.9 if each == code else 0.1 / (len(codes) - 1) for each in codes}
    file = heatmap_file(joint.joint_id, sha256, joint.pixel_sha256)
    seen = Heatmap(np.full((4, 4), 0.5, np.float32), np.array([[35.0, 0, box.x + 17], [0, 37.0, box.y + 18]]))
    write_heatmaps(study.folder, file, {item: seen})
    said = PreGrade(GradeKey(joint.joint_id, item), odds, code, 0.5, False, box, source, 0.0, remark)
    save_pregrades(study.database, actor, [said], heatmap_file=file, located_box=box)

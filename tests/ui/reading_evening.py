"""An evening of reading: a study with films, pre-grades and a reader at the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from safetensors.numpy import save_file

from reader_app.ai.bundle import BundleHead, Decision, Member, ProtocolRef, write_bundle
from reader_app.imaging.geometry import Box
from reader_app.operations import read
from reader_app.operations.accounts import add_account
from reader_app.operations.heatmaps import heatmap_file, write_heatmaps
from reader_app.operations.import_films import import_films
from reader_app.operations.log_in import log_in
from reader_app.operations.study import NewStudy, Study, create_study, open_study
from reader_app.operations.study_config import ImagePolicy
from reader_app.protocols.model import Arm, Presentation
from reader_app.reading.case import GradeKey, JointSide
from reader_app.reading.pregrade import Heatmap, PreGrade, Provenance
from reader_app.reading.worklist import ReadingState
from reader_app.store.pregrades import pending_joints, save_pregrades
from reader_app.store.records import Actor, Role
from reader_app.ui.reading.desk import StudyDesk
from reader_app.ui.reading.page import ReadingPage
from tests.small_bundles import small_spec

Key = Qt.Key
FILMS = 4
ROWS, COLUMNS = 200, 320
FIRST_JOINT = "1203120"
"""Keys for the seven items of one knee: an overall grade of five, then six of four."""


def make_study(root: Path, arm: Arm) -> Path:
    images = root / "films"
    images.mkdir(parents=True)
    generator = np.random.default_rng(3)
    lines = ["image,participant,side"]
    for number in range(FILMS):
        pixels = generator.integers(10, 245, size=(ROWS, COLUMNS), dtype=np.uint8)
        Image.fromarray(pixels).save(images / f"film-{number}.png")
        lines.append(f"film-{number}.png,person-{number},both")
    manifest = root / "manifest.csv"
    manifest.write_text("\n".join([*lines, ""]), encoding="utf-8")
    choices = NewStudy(
        protocol="knee-oarsi-kl",
        title="Four pairs of knees",
        coordinator="Carla",
        password="carla-coordinates",
        arm=arm,
        presentation=Presentation.SINGLE,
        seed=5,
        images=ImagePolicy.COPY,
    )
    with create_study(root / "study", choices) as study:
        carla = log_in(study, "Carla", "carla-coordinates")
        add_account(study, carla, name="Anna", password="anna-reads-films", role=Role.READER)
        add_account(study, carla, name="Ben", password="ben-reads-films", role=Role.READER)
        import_films(study, carla, images, manifest=manifest)
        if arm is Arm.AIDED:
            pregrade_all(study, carla)
    return root


def pregrade_all(study: Study, carla: Actor) -> None:
    """A bundle that verifies, and what it might have said: every item 1, of which it is nearly sure."""
    folder = study.folder / "bundles" / "knee-oarsi-kl"
    folder.mkdir(parents=True)
    for name in ("model", "statistics"):
        save_file({name: np.zeros(2, np.float32)}, str(folder / f"{name}.safetensors"))
    protocol = study.protocol
    heads = tuple(
        BundleHead(i.feature_id, i.site_id or "", protocol.item_scale(i).codes, 1.0, Decision.LIKELIEST)
        for i in protocol.items
    )
    bundle = write_bundle(
        folder,
        small_spec(
            id="knee-oarsi-kl",
            version="0.0.1",
            protocols=(ProtocolRef(protocol.id, protocol.sha256),),
            heads=heads,
            members=(Member("none", "model.safetensors", ""),),
        ),
    )
    source = Provenance(
        "knee-oarsi-kl", "0.0.1", bundle.sha256, protocol.sha256, "tests", "ab" * 32, "2026-01-01T00:00:00Z"
    )
    for joint in pending_joints(study.database, carla, bundle.sha256):
        box = Box(10.0 if joint.side is JointSide.RIGHT else 170.0, 20.0, 140.0, 150.0)
        maps = {
            item: Heatmap(np.full((4, 4), 0.5, np.float32), np.array([[10.0, 0, 0], [0, 10.0, 0]]))
            for item in protocol.items
        }
        source = replace(source, pixel_sha256=joint.pixel_sha256)
        file = heatmap_file(joint.joint_id, bundle.sha256, joint.pixel_sha256)
        write_heatmaps(study.folder, file, maps)
        said = []
        for item in protocol.items:
            codes = protocol.item_scale(item).codes
            odds = {code: 0.94 if code == 1 else 0.06 / (len(codes) - 1) for code in codes}
            key = GradeKey(joint.joint_id, item)
            said.append(PreGrade(key, odds, 1, 0.5, False, box, source))
        save_pregrades(study.database, carla, said, heatmap_file=file, located_box=box)


@pytest.fixture(scope="session")
def aided_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("aided"), Arm.AIDED)


@pytest.fixture(scope="session")
def unaided_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("unaided"), Arm.UNAIDED)


class Evening:
    """A reader at the screen."""

    def __init__(self, root: Path, qtbot: QtBot) -> None:
        self.root = root
        self.qtbot = qtbot
        self.study = open_study(root / "study")
        self.anna = log_in(self.study, "Anna", "anna-reads-films")
        self.page = ReadingPage(StudyDesk(self.study, self.anna), settle_milliseconds=30)
        qtbot.addWidget(self.page)
        self.page.resize(1280, 720)
        self.page.show()
        self.page.start(self.assignments()[0])
        self.wait()

    def assignments(self) -> list[int]:
        return [entry.assignment_id for entry in read.worklist(self.study, self.anna)]

    def wait(self) -> None:
        self.qtbot.waitUntil(lambda: self.page.ready)

    def press(self, *keys: str | Qt.Key) -> None:
        for key in keys:
            if isinstance(key, str):
                QTest.keyClicks(self.page, key)
            else:
                QTest.keyClick(self.page, key)

    def stored(self, place: int = 0) -> dict[GradeKey, int]:
        """What another program would find in the database now."""
        case = read.open_case(self.study, self.anna, self.assignments()[place])
        return {key: code for key in case.session.keys if (code := case.session.grade(key)) is not None}

    def state(self, place: int = 0) -> ReadingState:
        return read.worklist(self.study, self.anna)[place].state

    def key(self, number: int) -> GradeKey:
        assert self.page.open_case is not None
        return self.page.open_case.session.keys[number]

    def close(self) -> None:
        self.page.release()
        self.page.close()
        self.study.close()


@pytest.fixture
def evening(aided_study: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Evening]:
    yield from _begin(aided_study, tmp_path, qtbot)


@pytest.fixture
def unaided_evening(unaided_study: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Evening]:
    yield from _begin(unaided_study, tmp_path, qtbot)


def _begin(root: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Evening]:
    shutil.copytree(root / "study", tmp_path / "mine" / "study")
    made = Evening(tmp_path / "mine", qtbot)
    yield made
    made.close()

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from reader_app.ai.bundle import Bundle
from reader_app.ai.nets.engine import Engine, RawAnswer
from reader_app.ai.pipeline import JointImage, Pipeline
from reader_app.ai.prediction import predict_item
from reader_app.errors import PreGradeError
from reader_app.imaging.geometry import Box
from reader_app.protocols.model import Item


def joint(seed: int = 0, *, side: str = "R") -> JointImage:
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:200, :260]
    pixels = 1000.0 + 300.0 * np.sin(x / (9.0 + seed)) * np.cos(y / 13.0) + generator.normal(0, 20, x.shape)
    return JointImage(pixels.astype(np.float32), Box(40, 20, 150, 150), side, "cd" * 32)


@pytest.fixture(scope="module")
def pipeline(bundle: Bundle) -> Pipeline:
    return Pipeline(bundle, device="cpu", threads=1)


def test_a_pregrade_is_complete_and_says_where_it_came_from(pipeline: Pipeline, bundle: Bundle) -> None:
    result = pipeline.pregrade(joint(side="L"))
    assert set(result.predictions) == {Item("KL"), Item("FO", "medial")}
    for prediction in result.predictions.values():
        codes = list(prediction.probabilities)
        assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
        assert prediction.code in codes
        assert prediction.expected == pytest.approx(sum(c * p for c, p in prediction.probabilities.items()))
        if prediction.heatmap is None:  # nothing speaks for the grade given, which is not the likeliest
            assert prediction.code != prediction.likeliest
        else:
            assert prediction.heatmap.dtype == np.float16
            assert 0.0 <= prediction.heatmap.min() <= prediction.heatmap.max() == 1.0
    assert result.predictions[Item("FO", "medial")].heatmap is not None
    assert result.mirrored
    assert result.box == Box(40, 20, 150, 150)
    assert (result.bundle_id, result.bundle_sha256) == (bundle.id, bundle.sha256)
    assert result.pixel_sha256 == "cd" * 32
    assert result.details["device"] == "cpu"
    assert result.details["threads"] == "1"
    assert result.details["batch"] == "1"
    assert "fallback" not in result.details
    # The middle of the map is the middle of the box, pixel centres on whole numbers.
    middle = result.crop_to_film @ (27.5, 27.5, 1.0)
    assert middle == pytest.approx((40 + 75 - 0.5, 20 + 75 - 0.5))


def test_a_batch_gives_what_its_joints_give_alone(pipeline: Pipeline) -> None:
    images = [joint(seed) for seed in range(3)]
    for one, together in zip(
        [pipeline.pregrade(image) for image in images], pipeline.pregrade_many(images), strict=True
    ):
        for item, prediction in one.predictions.items():
            other = together.predictions[item]
            assert list(prediction.probabilities.values()) == pytest.approx(
                list(other.probabilities.values()), abs=1e-4
            )
        assert one.out_of_distribution == pytest.approx(together.out_of_distribution, rel=1e-3)


def test_the_mirrored_film_with_the_other_side_gives_the_same_pregrade(pipeline: Pipeline) -> None:
    right = joint(side="R")
    mirrored = JointImage(right.pixels[:, ::-1], right.box.mirrored(260), "L", right.pixel_sha256)
    one, other = pipeline.pregrade(right), pipeline.pregrade(mirrored)
    for item, prediction in one.predictions.items():
        assert prediction.expected == pytest.approx(other.predictions[item].expected, abs=1e-3)


def test_the_decision_rule_of_the_bundle_is_followed(bundle: Bundle) -> None:
    rounded, likeliest = bundle.spec.heads
    heatmap = np.zeros((4, 4), dtype=np.float32)
    one = predict_item(rounded, np.array([0.4, 0.1, 0.1, 0.2, 0.2], dtype=np.float32), heatmap)
    assert (one.likeliest, one.code) == (0, 2)
    assert one.expected == pytest.approx(1.7)
    other = predict_item(likeliest, np.array([0.4, 0.1, 0.2, 0.3], dtype=np.float32), heatmap)
    assert (other.likeliest, other.code) == (0, 0)
    assert other.heatmap is None  # an empty map is no map
    assert predict_item(likeliest, np.array([0, 0, 1, 0], dtype=np.float32), heatmap).entropy == 0.0


class SmallMemory(Engine):
    """The real networks on a machine whose memory holds so many joints at once."""

    room = 2

    def run(self, crops: list[np.ndarray], *, explain: bool = True, urgent: bool = True) -> RawAnswer:
        if len(crops) > self.room:
            raise MemoryError("does not fit")
        return super().run(crops, explain=explain, urgent=urgent)


def test_out_of_memory_takes_smaller_batches_and_says_so(bundle: Bundle) -> None:
    pipeline = Pipeline(bundle, device="cpu", threads=1)
    pipeline._engine = SmallMemory(bundle, device="cpu", threads=1)
    results = pipeline.pregrade_many([joint(seed) for seed in range(5)])
    assert [result.details["batch"] for result in results] == ["2", "2", "2", "2", "1"]
    assert "out of memory, batch reduced to 2" in results[0].details["fallback"]


def test_too_little_memory_for_one_joint_is_told(bundle: Bundle) -> None:
    pipeline = Pipeline(bundle, device="cpu", threads=1)
    pipeline._engine = SmallMemory(bundle, device="cpu", threads=1)
    pipeline._engine.room = 0
    with pytest.raises(PreGradeError, match="memory"):
        pipeline.pregrade(joint())


def test_a_flat_film_has_no_pregrade(pipeline: Pipeline) -> None:
    flat = JointImage(np.full((100, 100), 7, dtype=np.uint16), Box(0, 0, 100, 100), "R", "")
    with pytest.raises(PreGradeError, match="flat grey"):
        pipeline.pregrade(flat)


def test_pipeline_worker_and_bundle_import_no_torch() -> None:
    code = (
        "import sys, reader_app.ai.pipeline, reader_app.ai.worker, reader_app.ai.localizer\n"
        "heavy = {'torch', 'timm', 'torchvision', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

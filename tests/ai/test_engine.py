"""What several networks and the mirror image say together, and how the machine computes it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from reader_app.ai.bundle import (
    Bundle,
    BundleHead,
    Decision,
    Explainer,
    ExplainMethod,
    ExplainTarget,
    Member,
    write_bundle,
)
from reader_app.ai.bundle_spec import Auxiliary, HeadKind
from reader_app.ai.crop import ByteArray, network_input
from reader_app.ai.fast import (
    CHOICES_FILE,
    Backend,
    Choice,
    compiled_backend_installed,
    fast_folder,
    recall,
    remember,
    situation,
)
from reader_app.ai.nets.backends import Body
from reader_app.ai.nets.backends.ensemble import MEASURE_FROM, ROUNDS, SECONDS, time_bodies
from reader_app.ai.nets.engine import HEATMAP_CELLS, Engine, RawAnswer
from reader_app.ai.nets.explain import alike, grad_cam, unit_maps
from reader_app.ai.nets.grader import build_grader, half_state
from reader_app.ai.nets.heads import head_specs, probabilities
from reader_app.ai.pipeline import Pipeline, PreparedJoint, prepare
from reader_app.errors import MissingPart
from reader_app.protocols.model import Item
from reader_app.settings import HOME_VARIABLE
from tests.ai.conftest import ARCHITECTURE, SIZE, make_bundle
from tests.ai.test_pipeline import joint

HEADS = (
    BundleHead("KL", "", (0, 1, 2, 3, 4), 0.7, Decision.ROUNDED),
    BundleHead("JSN", "", (0, 1, 2, 3), 1.5, Decision.LIKELIEST, HeadKind.CORN),
)
needs_openvino = pytest.mark.skipif(
    not compiled_backend_installed(), reason="the optional part “fast” is not installed"
)


def ensemble(
    folder: Path, *, members: int = 2, mirror: bool = True, explainer: Explainer | None = None
) -> Bundle:
    """Write a bundle of several networks with random weights and an auxiliary task."""
    small = make_bundle(folder)
    spec = replace(
        small.spec,
        heads=HEADS,
        auxiliary=(Auxiliary("sex", ("female", "male")),),
        mirror_test=mirror,
        explainer=explainer or small.spec.explainer,
        members=tuple(Member(ARCHITECTURE, f"m{number}.safetensors", "") for number in range(members)),
    )
    (folder / "model.safetensors").unlink()
    for number, member in enumerate(spec.members):
        torch.manual_seed(number)
        grader = build_grader(member.architecture, head_specs(spec))
        with torch.no_grad():  # heads whose answers differ from joint to joint
            for head in grader.heads:
                assert isinstance(head, torch.nn.Linear)
                head.weight.normal_(0.0, 0.5)
        save_file(half_state(grader.state_dict()), folder / member.file)
    return write_bundle(folder, spec)


def crops(bundle: Bundle, number: int = 3) -> list[ByteArray]:
    return [prepare(joint(seed), bundle).crop for seed in range(number)]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return ensemble(tmp_path_factory.mktemp("several") / "several")


@pytest.fixture(scope="module")
def engine(several: Bundle) -> Engine:
    return Engine(several, device="cpu", threads=1, backend="eager")


@pytest.fixture(scope="module")
def answer(several: Bundle, engine: Engine) -> RawAnswer:
    return engine.run(crops(several))


@pytest.fixture
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing was measured yet."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    folder = fast_folder()
    assert folder is not None
    return folder


def by_hand(engine: Engine, several: Bundle) -> tuple[list[Tensor], list[Tensor]]:
    """Return views x N x classes for each head, and each member's maps of the images and their mirrors."""
    images = torch.from_numpy(network_input(crops(several)))
    found: list[list[Tensor]] = [[] for _ in HEADS]
    maps = []
    with torch.no_grad():
        for view in (images, images.flip(-1)):
            for grader in engine.graders:
                maps.append(grader.features(view))
                for place, head in enumerate(HEADS):
                    logits = grader.logits(maps[-1])[place]
                    found[place].append(probabilities(logits, head.kind, head.temperature))
    return [torch.stack(each) for each in found], maps


def test_the_answer_is_the_mean_over_members_and_mirror_images(
    engine: Engine, several: Bundle, answer: RawAnswer
) -> None:
    expected, _ = by_hand(engine, several)
    for place, views in enumerate(expected):
        assert answer.member_probabilities[place].shape == (4, 3, len(HEADS[place].codes))
        np.testing.assert_allclose(answer.member_probabilities[place], views.numpy(), atol=1e-5)
        np.testing.assert_allclose(answer.probabilities[place], views.mean(dim=0).numpy(), atol=1e-5)
        np.testing.assert_allclose(answer.probabilities[place].sum(axis=1), 1.0, atol=1e-5)


def test_the_heatmap_of_an_ensemble_explains_the_grade_that_the_ensemble_gave(
    engine: Engine, several: Bundle, answer: RawAnswer
) -> None:
    expected, maps = by_hand(engine, several)
    means = [views.mean(dim=0) for views in expected]
    given = [(means[0] @ torch.arange(5.0) + 0.5).floor().long(), means[1].argmax(dim=1)]
    sums = [torch.zeros(())] * len(HEADS)
    for number, own in enumerate(maps):
        cams = grad_cam(engine.graders[number % 2], own, given)
        for place, cam in enumerate(cams):
            sums[place] = sums[place] + (alike(cam).flip(-1) if number >= 2 else alike(cam))
    for place, total in enumerate(sums):
        assert answer.heatmaps[place].shape == (3, HEATMAP_CELLS, HEATMAP_CELLS)
        np.testing.assert_allclose(answer.heatmaps[place], unit_maps(total, HEATMAP_CELLS).numpy(), atol=1e-3)
    assert max(float(heatmap.max()) for heatmap in answer.heatmaps) == 1.0


def test_auxiliary_heads_make_no_pregrade(several: Bundle, answer: RawAnswer) -> None:
    assert len(answer.probabilities) == len(answer.heatmaps) == len(HEADS)
    result = Pipeline(several, device="cpu", threads=1, backend="eager").pregrade(joint())
    assert set(result.predictions) == {Item("KL"), Item("JSN")}


def test_the_answers_of_several_networks_and_of_the_mirror_image_differ_by_a_spread(several: Bundle) -> None:
    result = Pipeline(several, device="cpu", threads=1, backend="eager").pregrade(joint())
    assert all(prediction.spread > 0.0 for prediction in result.predictions.values())


def test_one_network_without_a_mirror_image_has_no_spread(tmp_path: Path) -> None:
    bundle = ensemble(tmp_path / "one", members=1, mirror=False)
    result = Pipeline(bundle, device="cpu", threads=1, backend="eager").pregrade(joint())
    assert [prediction.spread for prediction in result.predictions.values()] == [0.0, 0.0]


@pytest.mark.parametrize("method", list(ExplainMethod))
@pytest.mark.parametrize("target", list(ExplainTarget))
def test_signed_maps_tell_for_from_against(
    tmp_path: Path, method: ExplainMethod, target: ExplainTarget
) -> None:
    bundle = ensemble(tmp_path / "signed", members=1, explainer=Explainer(method, target, signed=True))
    found = Engine(bundle, device="cpu", threads=1, backend="eager").run(crops(bundle, 1))
    heights = np.concatenate([heatmap.ravel() for heatmap in found.heatmaps])
    assert heights.min() < 0.0
    assert max(heights.max(), -heights.min()) == pytest.approx(1.0)


def test_heatmaps_may_be_left_out(engine: Engine, several: Bundle, answer: RawAnswer) -> None:
    bare = engine.run(crops(several), explain=False)
    assert bare.heatmaps == ()
    np.testing.assert_array_equal(bare.probabilities[0], answer.probabilities[0])


def test_deterministic_gives_the_same_bits_whatever_comes_along(several: Bundle) -> None:
    def bits(pipeline: Pipeline, *seeds: int) -> list[bytes]:
        found = pipeline.pregrade_many([joint(seed) for seed in seeds])
        return [
            np.array(
                [
                    list(p.probabilities.values())
                    for p in one.predictions.values()
                    if len(p.probabilities) == 5
                ]
            ).tobytes()
            for one in found
        ]

    one = Pipeline(several, device="cpu", deterministic=True)
    other = Pipeline(several, device="cpu", deterministic=True)
    assert bits(one, 0, 1, 2) == [*bits(other, 0), *bits(other, 1), *bits(other, 2)]
    details = one.pregrade(joint()).details
    assert (details["deterministic"], details["backend"], details["batch"]) == ("true", "eager", "1")
    assert details["threads"] == "1"
    assert not torch.are_deterministic_algorithms_enabled()  # set for its own work alone


def prepared(bundle: Bundle, number: int) -> list[PreparedJoint]:
    return [prepare(joint(seed % 3), bundle) for seed in range(number)]


def backend_of(pipeline: Pipeline, bundle: Bundle, number: int = 1, *, urgent: bool = False) -> str:
    return pipeline.pregrade_prepared(prepared(bundle, number), urgent=urgent)[-1].details["backend"]


def test_nothing_is_measured_while_somebody_waits(several: Bundle, fresh_home: Path) -> None:
    pipeline = Pipeline(several, device="cpu", threads=1)
    assert backend_of(pipeline, several, MEASURE_FROM - 1) == "channels-last"
    assert backend_of(pipeline, several, 2 * MEASURE_FROM, urgent=True) == "channels-last"
    assert not (fresh_home / CHOICES_FILE).exists()


def test_a_run_over_many_joints_measures_once_and_remembers(several: Bundle, fresh_home: Path) -> None:
    pipeline = Pipeline(several, device="cpu", threads=1)
    backend_of(pipeline, several, MEASURE_FROM)
    found = recall(situation(several.sha256, 1), fresh_home)
    assert found is not None
    expected = {Backend.EAGER, Backend.CHANNELS_LAST}
    assert set(found.milliseconds) == expected | (
        {Backend.OPENVINO} if compiled_backend_installed() else set()
    )
    assert found.backend == min(found.milliseconds, key=lambda backend: found.milliseconds[backend])
    assert all(taken > 0.0 for taken in found.milliseconds.values())


@needs_openvino
def test_an_ensemble_is_compiled_network_by_network_and_found_compiled_again(
    several: Bundle, fresh_home: Path
) -> None:
    choice = Choice(Backend.OPENVINO, {Backend.OPENVINO: 1.0, Backend.EAGER: 2.0})
    remember(situation(several.sha256, 1), choice, fresh_home)
    pipeline = Pipeline(several, device="cpu", threads=1)
    assert backend_of(pipeline, several) == "channels-last"
    assert backend_of(pipeline, several, MEASURE_FROM) == "openvino for 1 of 2, channels-last for 1 of 2"
    assert backend_of(pipeline, several) == "openvino"
    assert backend_of(Pipeline(several, device="cpu", threads=1), several, urgent=True) == "openvino"
    (fresh_home / CHOICES_FILE).write_text("damaged", encoding="utf-8")
    assert backend_of(Pipeline(several, device="cpu", threads=1), several) == "channels-last"


@needs_openvino
def test_a_compiled_ensemble_gives_what_the_eager_one_gives(
    several: Bundle, fresh_home: Path, answer: RawAnswer
) -> None:
    compiled = Engine(several, device="cpu", threads=1, backend="openvino", folder=fresh_home)
    found = compiled.run(crops(several))
    for place in range(len(HEADS)):
        np.testing.assert_allclose(found.probabilities[place], answer.probabilities[place], atol=1e-3)
        np.testing.assert_allclose(found.heatmaps[place], answer.heatmaps[place], atol=1e-2)
    np.testing.assert_allclose(found.distances, answer.distances, rtol=1e-3)


def test_an_absent_compiler_is_a_note_and_no_error(
    several: Bundle, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)  # as where it is not installed
    pipeline = Pipeline(several, device="cpu", threads=1, backend="openvino")
    assert "optional part “fast”" in pipeline.notes[0]
    details = pipeline.pregrade(joint()).details
    assert details["backend"] == "channels-last"
    assert "openvino" in details["fallback"]
    assert Pipeline(several, device="cpu", threads=1).notes == ()


def test_an_unknown_backend_is_refused(several: Bundle) -> None:
    with pytest.raises(MissingPart, match="no backend “warp”"):
        Pipeline(several, device="cpu", backend="warp")


class Slow:
    """A body that takes so many seconds of a clock that the test winds."""

    def __init__(self, name: str, clock: list[float], seconds: float) -> None:
        self.name = name
        self._clock, self._seconds = clock, seconds
        self.calls = 0

    def features(self, images: Tensor) -> Tensor:
        self._clock[0] += self._seconds * (5.0 if self.calls == 0 else 1.0)
        self.calls += 1
        return images


def test_bodies_are_timed_in_turns_after_a_first_round_and_not_for_long() -> None:
    now = [0.0]
    quick, slow = Slow("a", now, 0.010), Slow("b", now, 0.030)
    bodies: dict[Backend, Body] = {Backend.OPENVINO: quick, Backend.EAGER: slow}
    taken = time_bodies(bodies, torch.zeros(1), clock=lambda: now[0])
    assert taken == pytest.approx({Backend.OPENVINO: 10.0, Backend.EAGER: 30.0})
    assert quick.calls == slow.calls == ROUNDS + 1
    endless = Slow("c", now, SECONDS)
    assert time_bodies({Backend.EAGER: endless}, torch.zeros(1), clock=lambda: now[0])[Backend.EAGER] > 0.0
    assert endless.calls == 2


class SmallCard(Engine):
    """The real networks, as if on a graphics card that has no room for a single joint."""

    def run(self, crops: list[ByteArray], *, explain: bool = True, urgent: bool = True) -> RawAnswer:
        raise MemoryError(f"{len(crops)} joints do not fit, {explain=}, {urgent=}")


def test_what_does_not_fit_on_the_card_is_graded_on_the_cpu_and_said(several: Bundle) -> None:
    pipeline = Pipeline(several, device="cpu", threads=1, backend="eager")
    pipeline._engine = SmallCard(several, device="cpu", threads=1, backend="eager")
    pipeline._engine.device = "cuda"
    (first, _) = pipeline.pregrade_many([joint(0), joint(1)])
    assert pipeline.device == first.details["device"] == "cpu"
    assert "out of memory, batch reduced to 1" in first.details["fallback"]
    assert "out of memory on cuda, went to the CPU" in first.details["fallback"]
    assert pipeline.notes == tuple(first.details["fallback"].split("; "))


def test_crops_have_the_size_that_the_bundle_says(several: Bundle) -> None:
    assert crops(several)[0].shape == (SIZE, SIZE)

"""Whatever computes a network's body, the heads say the same and nobody outside is told."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from reader_app.ai.bundle import Bundle
from reader_app.ai.bundle_spec import LocalizerMethod
from reader_app.ai.fast import Backend, compiled_backend_installed
from reader_app.ai.nets.architectures import ARCHITECTURES
from reader_app.ai.nets.backends import build_body
from reader_app.ai.nets.backends.detector_parts import COMPILE_FROM, CompiledDetector, flat, nested
from reader_app.ai.nets.backends.eight_bits import FEWEST, quantise_bundle
from reader_app.ai.nets.detectors import build_detector
from reader_app.ai.nets.engine import Engine
from reader_app.ai.nets.explain import grad_cam
from reader_app.ai.nets.grader import HeadSpec, build_grader
from reader_app.ai.pipeline import prepare
from reader_app.errors import MissingPart, PreGradeError
from tests.ai.cam_peers import System, lively_grader
from tests.ai.test_pipeline import joint

SIZE = 64
PARITY = 1e-3
PUBLISHED = (
    "densenet161",
    "seresnet50",
    "seresnext50_32x4d",
    "convnext_tiny",
    "resnet18",
    "tf_efficientnet_lite0",
)

needs_openvino = pytest.mark.skipif(
    not compiled_backend_installed(), reason="the optional part “fast” is not installed"
)


def images(number: int = 3, size: int = SIZE) -> Tensor:
    return torch.randn(number, 1, size, size, generator=torch.Generator().manual_seed(8))


def build(name: Backend, architecture: str, folder: Path, *, weights: str = "ab") -> tuple[object, Tensor]:
    """Return a body and the probabilities that it leads to, of always the same random weights."""
    grader = lively_grader(System(architecture, (HeadSpec("one", 5), HeadSpec("two", 3)), SIZE), seed=2)
    body = build_body(name, grader, size=SIZE, batch=2, cache=folder, weights=weights, threads=1)
    with torch.no_grad():
        return body, torch.cat([o.softmax(1) for o in grader.logits(body.features(images()))], dim=1)


@needs_openvino
@pytest.mark.parametrize("architecture", PUBLISHED)
def test_every_published_network_gives_the_same_probabilities_compiled(
    architecture: str, tmp_path: Path
) -> None:
    _, eager = build(Backend.EAGER, architecture, tmp_path)
    _, beside = build(Backend.CHANNELS_LAST, architecture, tmp_path)
    _, compiled = build(Backend.OPENVINO, architecture, tmp_path)
    assert (beside - eager).abs().max() < PARITY
    assert (compiled - eager).abs().max() < PARITY
    # The joints differ by far more than the backends, so that the comparison means something.
    apart = float(eager.std(dim=0).max())
    assert apart > PARITY
    assert (compiled - eager).abs().max() < apart / 100


def test_the_published_networks_are_known() -> None:
    assert set(PUBLISHED) <= set(ARCHITECTURES)


@needs_openvino
def test_heatmaps_come_from_compiled_maps_as_from_eager_ones(tmp_path: Path) -> None:
    torch.manual_seed(2)
    grader = build_grader("resnet18", [HeadSpec("one", 5)]).eval()
    eager = build_body(Backend.EAGER, grader, size=SIZE, batch=2, cache=None).features(images())
    compiled = build_body(Backend.OPENVINO, grader, size=SIZE, batch=2, cache=None).features(images())
    chosen = [torch.tensor([0, 3, 4])]
    for one, other in zip(
        grad_cam(grader, eager, chosen, signed=True),
        grad_cam(grader, compiled, chosen, signed=True),
        strict=True,
    ):
        torch.testing.assert_close(other, one, atol=1e-3 * float(one.abs().max()), rtol=1e-3)


@needs_openvino
def test_a_compiled_body_takes_batches_of_any_size_and_keeps_no_answer_alive(tmp_path: Path) -> None:
    torch.manual_seed(2)
    grader = build_grader("tf_efficientnet_lite0", [HeadSpec("one", 5)]).eval()
    body = build_body(Backend.OPENVINO, grader, size=SIZE, batch=2, cache=None)
    whole = body.features(images())
    before = whole.clone()
    for number in range(3):
        torch.testing.assert_close(body.features(images()[number : number + 1])[0], before[number])
    torch.testing.assert_close(whole, before, atol=0, rtol=0)  # the later calls did not write over it
    torch.testing.assert_close(body.features(images(7))[:3].shape, before.shape)


@needs_openvino
def test_a_compiled_network_is_found_again_by_its_weights_and_rebuilt_when_damaged(tmp_path: Path) -> None:
    _, first = build(Backend.OPENVINO, "tf_efficientnet_lite0", tmp_path)
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    _, again = build(Backend.OPENVINO, "tf_efficientnet_lite0", tmp_path)
    assert file.stat().st_mtime_ns == written
    torch.testing.assert_close(again, first)
    build(Backend.OPENVINO, "tf_efficientnet_lite0", tmp_path, weights="cd")
    assert len(list(tmp_path.iterdir())) == 2
    whole = file.read_bytes()
    middle = len(whole) // 2
    for damaged in (b"", whole[:1000], whole[:middle] + b"\0\1\2\3" + whole[middle + 4 :], b"{}\n" + whole):
        file.write_bytes(damaged)
        _, rebuilt = build(Backend.OPENVINO, "tf_efficientnet_lite0", tmp_path)
        torch.testing.assert_close(rebuilt, first)
        assert file.stat().st_size > middle


@needs_openvino
def test_a_folder_that_cannot_be_written_costs_the_cache_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    _, answer = build(Backend.OPENVINO, "tf_efficientnet_lite0", tmp_path / "file")
    assert answer.isfinite().all()


def test_eight_bits_without_a_quantised_network_are_refused_in_words(tmp_path: Path) -> None:
    if not compiled_backend_installed():
        pytest.skip("the optional part “fast” is not installed")
    with pytest.raises(MissingPart, match="not been quantised") as raised:
        build(Backend.OPENVINO_INT8, "tf_efficientnet_lite0", tmp_path)
    assert "bench int8" in raised.value.next_step


needs_nncf = pytest.mark.skipif(
    importlib.util.find_spec("nncf") is None, reason="the optional part “fast” is not installed"
)


@needs_openvino
@needs_nncf
def test_quantised_networks_are_used_on_request_and_say_what_they_were_calibrated_on(
    bundle: Bundle, tmp_path: Path
) -> None:
    crops = [prepare(joint(seed), bundle).crop for seed in range(FEWEST)]
    with pytest.raises(PreGradeError, match="too few to quantise"):
        quantise_bundle(bundle, crops[:-1], folder=tmp_path, threads=1)
    quantise_bundle(bundle, crops, folder=tmp_path, threads=1)
    exact = Engine(bundle, device="cpu", threads=1, backend="eager", folder=tmp_path)
    coarse = Engine(bundle, device="cpu", threads=1, backend="openvino-int8", folder=tmp_path)
    assert coarse.facts["backend"] == f"openvino-int8 (calibrated on {FEWEST} joints)"
    one, other = (engine.run(crops[:4]).probabilities[0] for engine in (exact, coarse))
    assert 0.0 < abs(one - other).max() < 0.2  # another arithmetic, the same network


WITHOUT_OPENVINO = """
import sys
sys.modules["openvino"] = None
from reader_app.ai.nets.backends.quiet import load_openvino
from reader_app.errors import MissingPart
try:
    load_openvino()
except MissingPart as fault:
    assert "OpenVINO is not installed" in fault.what, fault.what
    assert "fast" in fault.next_step
else:
    raise SystemExit("it was loaded")
"""

WATCHED = """
import os, socket, sys
told = []
def watch(event, arguments):
    if event.split(".")[0] in ("socket", "urllib", "http", "subprocess") or event == "os.system":
        told.append((event, str(arguments)))
from reader_app.ai.nets.grader import HeadSpec, build_grader
from reader_app.ai.nets.backends.quiet import load_nncf, load_openvino
sys.addaudithook(watch)
load_openvino()
from reader_app.ai.fast import Backend
from reader_app.ai.nets.backends import build_body
import torch
grader = build_grader("resnet18", [HeadSpec("one", 2)]).eval()
build_body(Backend.OPENVINO, grader, size=32, batch=2, cache=None).features(torch.zeros(1, 1, 32, 32))
outward = [one for one in told if not (one[0] == "subprocess.Popen" and "uname" in one[1])]
assert not outward, outward
if sys.argv[1] == "nncf":
    load_nncf()
    import nncf.telemetry.wrapper
    assert type(nncf.telemetry.wrapper.telemetry).__name__ == "MagicMock"
    outward = [one for one in told if one[0].split(".")[0] != "subprocess"]
    assert not outward, outward
sent = [name for name, module in sys.modules.items() if module and name.startswith("openvino_telemetry")]
assert not sent, sent
assert not os.path.exists(os.path.join(os.environ["HOME"], "intel")), "a client id was written"
# The watch itself works:
try:
    socket.create_connection(("127.0.0.1", 9), timeout=0.2)
except OSError:
    pass
assert any(event == "socket.connect" for event, _ in told)
"""


def _run(code: str, *arguments: str, home: Path | None = None) -> None:
    environment = {**os.environ, **({"HOME": str(home)} if home else {})}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr


def test_that_openvino_is_not_installed_is_said_in_words() -> None:
    _run(WITHOUT_OPENVINO)


@needs_openvino
@pytest.mark.parametrize("part", ["openvino", "nncf"])
def test_converting_a_network_opens_no_connection_and_loads_no_telemetry(part: str, tmp_path: Path) -> None:
    if part == "nncf" and importlib.util.find_spec("nncf") is None:
        pytest.skip("the optional part “fast” is not installed")
    _run(WATCHED, part, home=tmp_path)


def test_nests_of_tensors_are_flattened_and_rebuilt() -> None:
    one, two, three = torch.zeros(1), torch.ones(2), torch.full((3,), 2.0)
    nest = {"a": [one, (two,)], "b": {"c": three}}
    tensors, shape = flat(nest)
    assert [len(tensor) for tensor in tensors] == [1, 2, 3]
    again = nested(tensors, shape)
    assert again == nest
    assert isinstance(again["a"][1], tuple)


@pytest.fixture(
    params=[LocalizerMethod.SSDLITE, LocalizerMethod.FASTER_RCNN_LIGHT, LocalizerMethod.RETINANET]
)
def method(request: pytest.FixtureRequest) -> LocalizerMethod:
    return LocalizerMethod(request.param)


@needs_openvino
@pytest.mark.filterwarnings("ignore:Changing trainable_backbone_layers")
def test_a_compiled_detector_names_the_same_boxes(method: LocalizerMethod, tmp_path: Path) -> None:
    torch.manual_seed(5)
    size = 128
    detector = build_detector(method, size, ("joint", "prosthesis")).eval()
    squares = images(2, size)
    before = detector(squares)
    compiled = CompiledDetector(
        detector.network,
        size=size,
        channels=detector.channels,
        weights="ab",
        folder=tmp_path,
        threads=1,
    )
    compiled.prepare(1, urgent=True)
    assert not list(tmp_path.iterdir())  # somebody waits, and nothing was compiled before
    compiled.prepare(COMPILE_FROM, urgent=False)
    assert compiled.note == ""
    assert list(tmp_path.iterdir())
    for one, other in zip(before, detector(squares), strict=True):
        torch.testing.assert_close(other["scores"], one["scores"], atol=PARITY, rtol=0)
        torch.testing.assert_close(other["boxes"], one["boxes"], atol=0.05, rtol=0)
        assert other["labels"].tolist() == one["labels"].tolist()
    (alone,) = detector(squares[:1])
    torch.testing.assert_close(alone["scores"], before[0]["scores"], atol=PARITY, rtol=0)

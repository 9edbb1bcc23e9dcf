"""From a film to its pre-grade, beside the same networks called eagerly, one by one, in the same run.

`reader-app bench ai` prints the table; `run()` returns it.  Each published system is built from its recipe
with random weights, which take as long as trained ones, and asked for the two joints of one film of 3000 x
2500 pixels.  The backend is the one that the program measures and chooses on this machine.

The peer is what a script would do with the same networks: torch as it is, one joint, one mirror image and one
member at a time, the contrast stretched with NumPy, no heatmaps.  Ours makes heatmaps of all heads besides;
where they are by occlusion, which takes most of the time, the peer makes them too, with captum.

Both are called in turns, and beside the time on the clock stands the processor time of all their threads,
which other programs on the machine disturb less; each row tells the machine's load.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import ceil
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the worker's: threads that spin hold a core
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it is loaded by its path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from reader_app.ai.bundle import Bundle, ExplainMethod, write_bundle
from reader_app.ai.film_image import PreparedFilm, prepare_film
from reader_app.ai.nets.backends.detector_parts import COMPILE_FROM
from reader_app.ai.nets.backends.ensemble import MEASURE_FROM
from reader_app.ai.nets.engine import Engine
from reader_app.ai.nets.grader import half_state
from reader_app.ai.nets.heads import head_specs
from reader_app.ai.pipeline import JointImage, Pipeline, prepare
from reader_app.ai.recipe import load_bundle_recipe
from reader_app.ai.training.untrained import untrained_bundle
from reader_app.settings import HOME_VARIABLE
from tests.ai.cam_peers import SYSTEMS, System, lively_grader
from tests.benchmarks.bench_parity import cost_rows
from tests.benchmarks.eager_peer import (
    JOINTS,
    SPACING_MM,
    Peer,
    Pixels,
    eager_localizer,
    eager_peer,
    plain_crop,
    prepared_film,
)
from tests.benchmarks.measuring import Row, alone, row_of, yes

BUNDLES = ("hip-oarsi", "knee-oarsi-kl", "hip-morphology", "ct-ap-rhoa", "knee-kl")
PUBLISHED_MS = {"hip-morphology": 832.0}
"""Per radiograph, ensemble and detector, as the paper has it (`systems.md`)."""
FILM = (2500, 3000)
PARITY = 1e-3
BATCHES = (1, 8, 64)
GRAD_CAM_LIBRARY = ("densenet161", "seresnet50", "seresnext50_32x4d", "convnext_tiny", "resnet18")


def run(
    *, quick: bool = False, device: str = "auto", systems: Sequence[str] = BUNDLES, repeats: int = 0
) -> list[Row]:
    """Measure all systems.

    Parameters
    ----------
    quick
        One network of each architecture in place of whole ensembles, fewer turns, no other Grad-CAM.
    device
        As `Pipeline` takes it.
    systems
        Names of recipes.
    repeats
        Turns; 0 takes as many as fit.
    """
    repeats = repeats or (3 if quick else 9)
    film = _film()
    rows = list(_preprocessing_rows(film, repeats))
    for name in systems:
        with tempfile.TemporaryDirectory() as folder, _home(Path(folder)):
            bundle = _bundle(name, Path(folder) / name, whole=not quick)
            rows += _system_rows(bundle, film, device=device, repeats=repeats)
        _say(rows)
    if not quick:
        for system in SYSTEMS:
            if system.architecture in GRAD_CAM_LIBRARY:
                rows += cost_rows(system, repeats=3)
    return [*rows, _load_row()]


def beside(
    name: str,
    ours: Callable[[], object],
    peer: str,
    theirs: Callable[[], object],
    *,
    repeats: int,
    least: float | None = None,
) -> Row:
    """Call both in turns after a first call of each; `least` is the ratio on the clock that is the goal."""
    clock: tuple[list[float], list[float]] = ([], [])
    processor: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + 1):
        for place, work in enumerate((ours, theirs)):
            before, before_cpu = time.perf_counter(), time.process_time()
            work()
            taken, taken_cpu = time.perf_counter() - before, time.process_time() - before_cpu
            if turn:
                clock[place].append(taken * 1000.0)
                processor[place].append(taken_cpu * 1000.0)
    own, other = row_of(name, clock[0]), row_of(peer, clock[1])
    ratio = other["value"] / own["value"]
    own_cpu, other_cpu = median(processor[0]), median(processor[1])
    return own | {
        "peer": peer,
        "peer_value": other["value"],
        "peer_p95": other["p95"],
        "ratio": ratio,
        "goal": "" if least is None else f">= {least:g} x",
        "met": "" if least is None else yes(ratio >= least),
        "cpu": own_cpu,
        "peer_cpu": other_cpu,
        "cpu_times": f"{other_cpu / max(own_cpu, 1e-9):.2f} x",
        "load": os.getloadavg()[0],
    }


def _say(rows: Sequence[Row]) -> None:
    print(f"{len(rows)} figures, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Keep what is measured and compiled out of the user's own folder."""
    before = os.environ.get(HOME_VARIABLE)
    os.environ[HOME_VARIABLE] = str(folder / "home")
    try:
        yield
    finally:
        if before is None:
            del os.environ[HOME_VARIABLE]
        else:
            os.environ[HOME_VARIABLE] = before


def _film() -> Pixels:
    """Return a film of smooth shapes and noise; what it shows does not change how long it takes."""
    rows, columns = FILM
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    smooth = 20_000.0 + 9_000.0 * np.sin(x / 230.0) * np.cos(y / 310.0)
    noise = np.random.default_rng(7).normal(0.0, 300.0, FILM)
    return np.asarray(smooth + noise, dtype=np.uint16)


def _bundle(name: str, folder: Path, *, whole: bool) -> Bundle:
    bundle = untrained_bundle(load_bundle_recipe(name), folder)
    heads, size = head_specs(bundle.spec), bundle.spec.preprocessing.size
    for number, member in enumerate(bundle.spec.members):
        # Fresh networks say nearly the same of every joint, which would make parity mean nothing.
        lively = lively_grader(System(member.architecture, heads, size), seed=number)
        save_file(half_state(lively.state_dict()), folder / member.file)
    if whole:
        return write_bundle(folder, bundle.spec)
    first = {member.architecture: member for member in reversed(bundle.spec.members)}
    kept = tuple(member for member in bundle.spec.members if member in first.values())
    for member in bundle.spec.members:
        if member not in kept:
            (folder / member.file).unlink()
    return write_bundle(folder, replace(bundle.spec, members=kept))


def _images(film: Pixels) -> list[JointImage]:
    return [JointImage(film, box, side, "", spacing_mm=SPACING_MM) for side, box in JOINTS]


def _preprocessing_rows(film: Pixels, repeats: int) -> Iterator[Row]:
    def plain() -> None:
        for _, box in JOINTS:
            plain_crop(film, box, size=224)

    with tempfile.TemporaryDirectory() as folder:
        bundle = _bundle("ct-ap-rhoa", Path(folder) / "b", whole=True)
        yield beside(
            "two crops of 224 pixels out of a film",
            lambda: [prepare(image, bundle) for image in _images(film)],
            "the film to floats, cut, resized, percentiles",
            plain,
            repeats=repeats,
        )
    yield alone("a film reduced for localizers", lambda: prepare_film(film, joint="hip"), repeats=repeats)


def _system_rows(bundle: Bundle, film: Pixels, *, device: str, repeats: int) -> list[Row]:
    pipeline = Pipeline(bundle, device=device)
    images = _images(film)
    _settle(pipeline, images, prepared_film(film, bundle))
    light = bundle.spec.light_localizer is not None
    peer = eager_peer(bundle, pipeline.device, light=light)
    rows = [_parity_row(pipeline, peer)]
    method = peer.localizer.spec.method.value

    def ours(found_by_light: bool = light) -> None:
        pipeline.locate([prepared_film(film, bundle)], light=found_by_light)
        pipeline.pregrade_many(images)
        _wait(pipeline.device)

    def theirs() -> None:
        peer.locate(film)
        peer.grade(film)
        _wait(pipeline.device)

    backend = pipeline.pregrade_many(images)[0].details["backend"]
    title = f"{bundle.id} ({len(bundle.spec.members)} networks, {backend})"
    peers = "eager fp32 one by one, without heatmaps"
    if bundle.spec.explainer.method is ExplainMethod.OCCLUSION:
        peers, repeats = "eager fp32 one by one, occlusion by captum", min(repeats, 3)
    whole = beside(
        f"{title}: film to pre-grade, localizer {method}",
        ours,
        peers,
        theirs,
        repeats=repeats,
        least=1.5,
    )
    rows.append(whole)
    if bundle.id in PUBLISHED_MS:
        rows.append(_published_row(title, whole, PUBLISHED_MS[bundle.id]))
    rows.append(
        beside(
            f"{title}: two crops graded and explained",
            lambda: _waited(pipeline, lambda: pipeline.pregrade_many(images)),
            peers,
            lambda: _waited(pipeline, lambda: peer.grade(film)),
            repeats=repeats,
        )
    )
    rows += _localizer_rows(bundle, pipeline, film, repeats)
    rows.append(_heatmap_row(title, pipeline, images, repeats))
    if pipeline.device != "cpu":
        rows += _throughput_rows(title, bundle, pipeline.device)
    return rows


def _waited(pipeline: Pipeline, work: Callable[[], object]) -> None:
    work()
    _wait(pipeline.device)


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def _settle(pipeline: Pipeline, images: Sequence[JointImage], film: PreparedFilm) -> None:
    """Let the pipeline measure its backends and compile what it chose, as the first minutes of a run do."""
    pipeline.pregrade_many([*images] * ceil(MEASURE_FROM / len(images)))
    for _ in pipeline.bundle.spec.members:
        pipeline.pregrade_many(images[:1])
    for light in (False, True):
        pipeline.locate([film], light=light)
    for detector in pipeline._detectors.values():
        detector.prepare(COMPILE_FROM, urgent=False)


def _parity_row(pipeline: Pipeline, peer: Peer) -> Row:
    """Return the largest difference of a probability from eager fp32, for the very same crops.

    Crops of noise, which the random networks were made lively with, so that no answer is certain; how far the
    answers for different crops lie apart stands beside, for a difference means something only below that.
    """
    size = pipeline.bundle.spec.preprocessing.size
    crops = list(np.random.default_rng(3).integers(0, 256, (4, size, size), dtype=np.uint8))
    ours = pipeline._engine.run(crops, explain=False).probabilities
    theirs = [peer.mean_of(crop.astype(np.float32) / np.float32(255.0)) for crop in crops]
    by_head = [torch.stack(each).cpu().numpy() for each in zip(*theirs, strict=True)]
    largest = max(float(np.abs(one - other).max()) for one, other in zip(ours, by_head, strict=True))
    apart = max(float(np.ptp(one, axis=0).max()) for one in by_head)
    title = f"{pipeline.bundle.id}: largest difference of a probability"
    return row_of(title, [largest]) | {
        "p95": None,
        "unit": "of 1",
        "peer": "eager fp32, from crop to crop",
        "peer_value": apart,
        "goal": f"<= {PARITY:g}",
        "met": yes(largest <= PARITY < apart),
    }


def _published_row(title: str, whole: Row, published: float) -> Row:
    return row_of(f"{title}: per radiograph", [whole["value"]]) | {
        "p95": whole["p95"],
        "peer": "as published",
        "peer_value": published,
        "ratio": published / whole["value"],
        "goal": f"< {published:g} ms",
        "met": yes(whole["value"] < published),
    }


def _localizer_rows(bundle: Bundle, pipeline: Pipeline, film: Pixels, repeats: int) -> Iterator[Row]:
    prepared = prepared_film(film, bundle)
    for light in (False, True):
        spec = bundle.spec.light_localizer if light else bundle.spec.localizer
        if spec is None or not spec.method.is_network:
            continue
        eager = eager_localizer(bundle, pipeline.device, light=light)
        yield beside(
            f"{bundle.id}: localizer {spec.method.value} at {spec.size}",
            lambda light=light: pipeline.locate([prepared], light=light),  # type: ignore[misc]
            "eager",
            lambda eager=eager: eager.locate([prepared]),  # type: ignore[misc]
            repeats=repeats,
        )


def _heatmap_row(title: str, pipeline: Pipeline, images: Sequence[JointImage], repeats: int) -> Row:
    """Return what the heatmaps of all heads cost more than the answer alone, in percent."""
    crops = [prepare(image, pipeline.bundle).crop for image in images]
    engine = pipeline._engine
    without: list[float] = []
    extra: list[float] = []
    for turn in range(repeats + 1):
        taken = []
        for explain in (False, True):
            before = time.perf_counter()
            engine.run(crops, explain=explain)
            _wait(pipeline.device)
            taken.append((time.perf_counter() - before) * 1000.0)
        if turn:
            without.append(taken[0])
            extra.append(taken[1] - taken[0])
    percent = 100.0 * float(np.median(extra)) / float(np.median(without))
    grad_cam = pipeline.bundle.spec.explainer.method is ExplainMethod.GRAD_CAM  # occlusion needs many passes
    return row_of(f"{title}: heatmaps of all {len(pipeline.bundle.spec.heads)} heads, extra", [percent]) | {
        "p95": None,
        "unit": "%",
        "peer": "the answer alone, ms",
        "peer_value": float(np.median(without)),
        "goal": "<= 10 %" if grad_cam else "",
        "met": yes(percent <= 10.0) if grad_cam else "",
    }


def _throughput_rows(title: str, bundle: Bundle, device: str) -> Iterator[Row]:
    """Return joints a second with heatmaps, on a graphics card."""
    engine = Engine(bundle, device=device)
    size = bundle.spec.preprocessing.size
    crop = np.random.default_rng(1).integers(0, 256, (size, size), dtype=np.uint8)
    for batch in BATCHES:
        crops = [crop] * batch

        def work(crops: list[npt.NDArray[np.uint8]] = crops) -> None:
            engine.run(crops)
            _wait(device)

        row = alone(f"{title}: batch of {batch}", work, repeats=20)
        yield row | {"value": 1000.0 * batch / row["value"], "p95": None, "unit": "joints/s"}


def _load_row() -> Row:
    """Return how busy the machine was: with a load beyond its cores all figures are too slow."""
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return row_of(f"load average at the end, on {cores} cores", [load]) | {"p95": None, "unit": ""}


if __name__ == "__main__":
    for row in run(
        quick="--quick" in sys.argv, systems=[name for name in sys.argv[1:] if name in BUNDLES] or BUNDLES
    ):
        print(row)

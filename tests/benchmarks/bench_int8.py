"""What coarser arithmetic gains in speed and loses in agreement, on real joints that nothing was fitted to.

`reader-app bench int8 --data ../shared/data/knee-kl` prints the table; `run()` returns it.  The networks are
those of the bundle that comes with the software; they are quantised with joints of the training split and
graded on the validation split, each time by the decision rule of the bundle.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the worker's: threads that spin hold a core
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # it is loaded by its path

import numpy as np
import numpy.typing as npt

from reader_app.agreement.kappa import cohen_kappa
from reader_app.agreement.ratings import Categories, PairTable
from reader_app.agreement.result import Estimate
from reader_app.agreement.weights import Weights
from reader_app.ai.bundle import Bundle, load_bundle
from reader_app.ai.fast import Backend, usable_threads
from reader_app.ai.nets.backends.compiled import Compiler
from reader_app.ai.nets.backends.eight_bits import quantise_bundle
from reader_app.ai.nets.engine import Engine
from reader_app.ai.prediction import predict_item
from reader_app.ai.training.examples import MISSING, CropCache, build_cache, read_examples
from reader_app.ai.training.recipe import load_recipe
from reader_app.errors import MissingPart
from reader_app.settings import resource_path
from tests.benchmarks.measuring import Row, row_of

RECIPE = "knee-kl"
CALIBRATION, VALIDATION = "train", "val"
CALIBRATION_JOINTS = 300
QUICK_JOINTS = 160
BATCH = 8
PEER = Backend.EAGER


@dataclass(frozen=True)
class Graded:
    """What a backend made of the validation joints."""

    backend: Backend
    codes: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]
    milliseconds: tuple[float, ...]


def run(*, data: Path | None = None, quick: bool = False) -> list[Row]:
    """Quantise with training joints, grade the validation joints with every backend, and compare."""
    if data is None:
        raise MissingPart(
            "The benchmark “int8” needs joints with their grades.",
            "Name their folder, e.g. --data ../shared/data/knee-kl.",
        )
    bundle = load_bundle(resource_path("models", RECIPE))
    recipe = load_recipe(RECIPE)
    fitted, held_out = (read_examples(data, split, recipe.heads) for split in (CALIBRATION, VALIDATION))
    step = max(1, len(fitted) // CALIBRATION_JOINTS)  # evenly through the table, so that all grades come
    preprocessing = bundle.spec.preprocessing
    calibration = build_cache(fitted[::step][:CALIBRATION_JOINTS], preprocessing)
    validation = build_cache(held_out[:QUICK_JOINTS] if quick else held_out, preprocessing)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        quantise_bundle(bundle, list(calibration.crops), folder=Path(folder), threads=usable_threads())
        seconds = time.perf_counter() - started
        graded = _grade(bundle, validation, Path(folder))
    peer = next(each for each in graded if each.backend is PEER)
    head = f"{len(calibration.crops)} training joints"
    quantising = row_of(f"quantising with {head}", [seconds * 1000.0])
    return [quantising, *(row for each in graded for row in _rows(bundle, validation, each, peer))]


def _backends(folder: Path) -> list[Backend]:
    named = [Backend.EAGER, Backend.CHANNELS_LAST, Backend.OPENVINO, Backend.OPENVINO_INT8]
    able = Compiler(folder, threads=1).can(Backend.OPENVINO_BF16)
    return [*named, Backend.OPENVINO_BF16] if able else named


def _grade(bundle: Bundle, joints: CropCache, folder: Path) -> list[Graded]:
    """Grade every batch with each backend in turn, so that a busy neighbour hits all of them."""
    engines = {name: Engine(bundle, device="cpu", backend=name, folder=folder) for name in _backends(folder)}
    head, empty = bundle.spec.heads[0], np.zeros((1, 1), dtype=np.float32)
    found: dict[Backend, list[npt.NDArray[np.float32]]] = {name: [] for name in engines}
    taken: dict[Backend, list[float]] = {name: [] for name in engines}
    for engine in engines.values():
        engine.run(list(joints.crops[:BATCH]), explain=False)  # warms up
    for first in range(0, len(joints.crops), BATCH):
        crops = list(joints.crops[first : first + BATCH])
        for name, engine in engines.items():
            before = time.perf_counter()
            answer = engine.run(crops, explain=False)
            taken[name].append((time.perf_counter() - before) * 1000.0 / len(crops))
            found[name].append(answer.probabilities[0])
    graded = []
    for name, parts in found.items():
        probabilities = np.concatenate(parts)
        codes = np.array([predict_item(head, one, empty).code for one in probabilities])
        graded.append(Graded(name, codes, probabilities, tuple(taken[name])))
    return graded


def _rows(bundle: Bundle, joints: CropCache, graded: Graded, peer: Graded) -> list[Row]:
    """Return speed, agreement with the reference and distance from eager, of one backend."""
    head = bundle.spec.heads[0]
    there = joints.grades[:, 0] != MISSING
    truth = joints.grades[there, 0]
    kappa, of_peer = (_kappa(truth, each.codes[there], head.codes) for each in (graded, peer))
    right, peer_right = (_accuracy(truth, each.codes[there], head.codes) for each in (graded, peer))
    speed = row_of(f"{graded.backend}: a joint in a batch of {BATCH}", list(graded.milliseconds))
    apart = float(np.abs(graded.probabilities - peer.probabilities).max())
    count = int(there.sum())
    return [
        speed
        | {
            "peer": PEER.value,
            "peer_value": median(peer.milliseconds),
            "ratio": median(peer.milliseconds) / median(graded.milliseconds),
        },
        _figure(f"{graded.backend}: quadratic kappa, {count} validation joints", kappa, of_peer),
        _figure(f"{graded.backend}: accuracy", right, peer_right),
        _figure(f"{graded.backend}: largest difference of a probability", apart, None),
    ]


def _figure(name: str, value: float, peer: float | None) -> Row:
    return row_of(name, [value]) | {
        "p95": None,
        "unit": "",
        "peer": "" if peer is None else PEER.value,
        "peer_value": peer,
    }


def _accuracy(truth: npt.NDArray[np.int64], codes: npt.NDArray[np.int64], scale: Sequence[int]) -> float:
    return float((np.array(scale)[truth] == codes).mean())


def _kappa(truth: npt.NDArray[np.int64], codes: npt.NDArray[np.int64], scale: Sequence[int]) -> float:
    counts = np.zeros((len(scale), len(scale)), dtype=np.int64)
    for true, given in zip(truth, codes, strict=True):
        counts[true, scale.index(int(given))] += 1
    found = cohen_kappa(PairTable(Categories(tuple(scale)), counts), Weights.QUADRATIC)
    if not isinstance(found, Estimate):
        raise MissingPart("Kappa is not defined for these joints.", "Give joints of several grades.")
    return found.value


if __name__ == "__main__":
    for row in run(data=Path(sys.argv[1])):
        print(row)

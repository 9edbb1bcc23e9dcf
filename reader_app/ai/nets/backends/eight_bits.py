"""Networks with eight-bit weights and activations, for processors that multiply those fastest.

Rounding so coarsely changes probabilities, and only real joints tell by how much: `reader-app bench int8`
measures the loss on joints that neither training nor calibration has seen.  It is never chosen by itself.

Source: post-training quantisation as NNCF does it: ranges of activations from calibration images, one scale
for each channel of weights, and a correction of each layer's mean.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from reader_app.ai.bundle import Bundle
from reader_app.ai.crop import ByteArray, network_input
from reader_app.ai.fast import Backend
from reader_app.ai.nets.backends.compiled import Compiler, convert_grader
from reader_app.ai.nets.backends.quiet import load_nncf
from reader_app.ai.nets.grader import load_grader
from reader_app.ai.nets.heads import head_specs
from reader_app.errors import PreGradeError

FEWEST = 32
"""Calibration crops; with fewer the ranges are those of a few joints."""


def quantise_bundle(
    bundle: Bundle,
    crops: Sequence[ByteArray],
    *,
    folder: Path,
    threads: int,
    progress: Callable[[float, str], None] = lambda _share, _sentence: None,
) -> None:
    """Keep every member of a bundle in eight bits, for the backend ``openvino-int8``.

    Parameters
    ----------
    bundle
        Verified.
    crops
        uint8, size x size each, as `reader_app.ai.crop.crop_joint` cuts them: of training joints, never
        of any that the result is tested on.
    folder
        Of compiled networks.
    threads
        That the networks will use.

    Raises
    ------
    MissingPart
        OpenVINO or NNCF is not installed.
    PreGradeError
        There are too few crops, or a network cannot be quantised.
    """
    if len(crops) < FEWEST:
        raise PreGradeError(
            f"{len(crops)} joints are too few to quantise with.", f"Give {FEWEST} or more, of all grades."
        )
    nncf = load_nncf()
    compiler = Compiler(folder, threads=threads)
    size, specs = bundle.spec.preprocessing.size, head_specs(bundle.spec)
    images = [network_input([crop]) for crop in crops]
    for number, member in enumerate(bundle.spec.members):
        progress(number / len(bundle.spec.members), f"Quantising network {number + 1}")
        grader = load_grader(bundle.folder / member.file, member.architecture, specs)
        model = convert_grader(grader, size=size, batch=1)
        try:
            # Its progress bars, and what it says of its own dependencies, are not for our users.
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                quantised = nncf.quantize(
                    model, nncf.Dataset(images), subset_size=len(images), preset=nncf.QuantizationPreset.MIXED
                )
        except (RuntimeError, nncf.ValidationError) as fault:
            raise PreGradeError(
                f"The network {member.file} cannot be quantised: {fault}.", "Use another backend."
            ) from fault
        compiled = compiler.compile(quantised, Backend.OPENVINO_INT8)
        file = compiler.file(Backend.OPENVINO_INT8, member.sha256, size=size)
        compiler.keep(file, compiled, f"calibrated on {len(images)} joints")
    progress(1.0, "Quantised")

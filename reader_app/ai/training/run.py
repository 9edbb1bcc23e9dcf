"""A whole training run: from labelled joints to a bundle."""

from __future__ import annotations

from pathlib import Path

from reader_app.ai.bundle import Bundle
from reader_app.ai.localizer_weights import bundle_places, weights_of
from reader_app.ai.training.examples import read_examples
from reader_app.ai.training.finish import make_bundle
from reader_app.ai.training.loop import Progress, Trainer, ValidationMetric
from reader_app.ai.training.recipe import Recipe

_TRAINED = 0.95  # share of the progress that the epochs take; the rest is calibration


def train(
    recipe: Recipe,
    data: Path,
    run_folder: Path,
    *,
    validation_metric: ValidationMetric,
    progress: Progress,
) -> Bundle:
    """Train a recipe and write its bundle; a run that was cut off goes on after its last full epoch.

    Parameters
    ----------
    recipe
        What to do; see `load_recipe`.
    data
        Folder with ``labels.csv``.  Its rows with split ``train`` teach, those with ``val`` choose; others
        are not opened.
    run_folder
        Gets config.json, history.csv, the weights, and the bundle in a folder of its name.
    validation_metric
        ``(truth, graded) -> float`` on class indices; higher is better.
    progress
        Called with the share done, 0 to 1, and a sentence.

    Raises
    ------
    BundleError
        The recipe does not fit its protocol, or the folder holds a run of another recipe.
    ManifestError
        The labels are wrong; told before the first epoch.
    MissingPart
        The ImageNet weights are not installed.
    """
    recipe.bundle.protocol_refs()  # a recipe that fits no protocol is told now, not after an hour
    recipe.bundle.check_trainable()
    weights_of(recipe.bundle, bundle_places())
    examples = read_examples(data, "train", recipe.heads)
    validation = read_examples(data, "val", recipe.heads)
    trainer = Trainer(
        recipe,
        train=examples,
        validation=validation,
        folder=run_folder,
        validation_metric=validation_metric,
        progress=lambda done, sentence: progress(done * _TRAINED, sentence),
    )
    trainer.run()
    return make_bundle(
        recipe,
        trainer.folder,
        train=examples,
        validation=validation,
        validation_metric=validation_metric,
        progress=lambda done, sentence: progress(_TRAINED + done * (1.0 - _TRAINED), sentence),
    )

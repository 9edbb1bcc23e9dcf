"""A whole training of a localizer: from phantoms and real knees to weights that a bundle can take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reader_app.ai.bundle_spec import Localizer
from reader_app.ai.nets.detectors import load_detector
from reader_app.ai.training.localizer_figures import LocalizerFigures, measure
from reader_app.ai.training.localizer_films import films_for
from reader_app.ai.training.localizer_loop import LocalizerEpoch, LocalizerRun, LocalizerTrainer
from reader_app.ai.training.localizer_recipe import LocalizerRecipe
from reader_app.ai.training.part_files import store_half, write_part
from reader_app.imaging.radiograph import file_sha256

WEIGHTS = "localizer.safetensors"
_FILMS, _TRAINED = 0.1, 0.97  # shares of the progress at which the films and the epochs are done


@dataclass(frozen=True)
class TrainedLocalizer:
    """A finished run.

    Attributes
    ----------
    folder
        Holds ``localizer.safetensors`` in half precision, ``localizer.toml`` as a bundle names it,
        ``figures.json`` and ``CARD.md``.
    figures
        Of the very file, on the validation films.
    """

    folder: Path
    localizer: Localizer
    figures: LocalizerFigures
    epoch: int


def train_localizer(
    recipe: LocalizerRecipe, data: Path, run_folder: Path, *, progress: Callable[[float, str], None]
) -> TrainedLocalizer:
    """Train a recipe; a run that was cut off goes on after its last full epoch.

    Parameters
    ----------
    recipe
        What to do.
    data
        Folder with ``labels.csv`` and square crops of single knees; its rows with split ``train`` teach,
        those with ``val`` choose, others are not opened.  Not looked at where the recipe takes no real
        joints.
    run_folder
        Gets the phantoms, the composed films, the state, and the results.
    progress
        Called with the share done and a sentence.

    Raises
    ------
    BundleError
        The folder holds a run of another recipe.
    ManifestError
        The labels are wrong.
    MissingPart
        The ImageNet weights are not installed.
    """
    run = LocalizerRun(run_folder, recipe)
    train, validation = films_for(
        recipe, data, run_folder, lambda done, sentence: progress(_FILMS * done, sentence)
    )
    trainer = LocalizerTrainer(
        recipe,
        train=train,
        validation=validation,
        folder=run,
        tell=lambda done, sentence: progress(_FILMS + (_TRAINED - _FILMS) * done, sentence),
    )
    best = trainer.run()
    weights = run_folder / WEIGHTS
    store_half(run.best_file, weights)
    # The figures are those of the file that is used, half precision and all.
    progress(_TRAINED, "Measuring the weights as they are stored")
    detector = load_detector(weights, recipe.method, size=recipe.size, classes=recipe.classes)
    found = measure(detector, validation, size=recipe.size, classes=recipe.classes, joint=recipe.joint)
    localizer = Localizer(
        method=recipe.method,
        file=WEIGHTS,
        sha256=file_sha256(weights),
        size=recipe.size,
        classes=recipe.classes,
        threshold=found.threshold,
    )
    write_part(
        run_folder,
        "localizer",
        localizer,
        found=found,
        card=card(recipe, localizer, found, trainer.history, best),
    )
    progress(1.0, str(found))
    return TrainedLocalizer(run_folder, localizer, found, best.epoch)


def card(
    recipe: LocalizerRecipe,
    localizer: Localizer,
    found: LocalizerFigures,
    history: list[LocalizerEpoch],
    best: LocalizerEpoch,
) -> str:
    """Return the part of a model card on the localizer, as Markdown."""
    real = "real knees blended into them, " if recipe.real_joints else ""
    rows = [
        ("mean IoU of the joints found", f"{found.iou:.3f}"),
        ("IoU, 5th percentile", f"{found.iou_low:.3f}"),
        ("joints missed (IoU < 0.5)", f"{found.missed} of {found.joints}"),
        ("boxes too many", str(found.too_many)),
        ("prostheses left out", f"{found.prostheses_left_out} of {found.prostheses}"),
        (
            "lead letters read, misread",
            f"{found.letters_read} and {found.letters_misread} of {found.letters}",
        ),
    ]
    lines = [
        "## Localizer",
        "",
        f"{localizer.method}, {localizer.size} x {localizer.size} px, finds {', '.join(localizer.classes)}; "
        f"half precision on disk ({localizer.file}).  It learned from {recipe.films:,} films composed of "
        f"{recipe.bodies} phantoms, {real}drawn implants and lead letters; weights: exponential average "
        f"after epoch {best.epoch + 1} of {len(history)}.",
        "",
        f"{recipe.data.author} {recipe.data.name}. {recipe.data.source}. Licence: {recipe.data.licence}. "
        f"Split {recipe.data.split}.",
        "",
        f"Figures on {found.films} composed films of other phantoms and other participants, which chose the "
        f"epoch and the confidence of {found.threshold:.2f} from which a box counts:",
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
        "| epoch | px | loss | IoU | missed | too many | prostheses left out | letters read |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {record.epoch + 1} | {record.size} | {record.loss:.3f} | {record.figures.iou:.3f} "
            f"| {record.figures.missed} | {record.figures.too_many} | {record.figures.prostheses_left_out} "
            f"| {record.figures.letters_read} |"
            for record in history
        ),
        "",
    ]
    return "\n".join(lines)

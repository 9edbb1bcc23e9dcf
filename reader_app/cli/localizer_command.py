"""The command that holds a localizer against joints that were pointed at."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.cli.screen import Screen, add_device
from reader_app.cli.study_results import counted

if TYPE_CHECKING:
    from reader_app.operations.localizer_figures import LocalizerFigures, Spread

Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    help = "hold a bundle's localizer against joints that were pointed at"
    parser = commands.add_parser(
        "evaluate-localizer",
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog="example:\n"
        "  reader-app evaluate-localizer knee-kl --images /data/films --reference joints.csv --out figures",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="id of an installed bundle, or its folder")
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help="where the films are")
    parser.add_argument(
        "--reference",
        metavar="CSV",
        type=Path,
        required=True,
        help="table with the columns image, side, left_x, left_y, right_x, right_y, joint_line_y; "
        "pixels of the ends of the tibial plateau and of the joint line",
    )
    parser.add_argument("--light", action="store_true", help="by the quicker localizer of the bundle")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder to write the figures into")
    parser.add_argument(
        "--pictures", action="store_true", help="with --out: also every film with both boxes drawn"
    )
    add_device(parser)
    parser.add_argument("--json", action="store_true", help="print for programs")
    parser.set_defaults(handler=_evaluate)


def _evaluate(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.evaluate_localizer import evaluate_localizer
    from reader_app.operations.localizer_figures import (
        localizer_figures,
        localizer_values,
        write_localizer_evaluation,
    )

    with screen.progress("Looking for joints") as tell:
        evaluation = evaluate_localizer(
            arguments.bundle,
            images=arguments.images,
            reference=arguments.reference,
            light=arguments.light,
            device=arguments.device,
            progress=tell,
        )
    files: tuple[Path, ...] = ()
    if arguments.out is not None:
        files = write_localizer_evaluation(
            evaluation, arguments.out.expanduser(), pictures=arguments.pictures
        )
    if arguments.json:
        screen.json(localizer_values(evaluation))
        return 0
    bundle = evaluation.bundle
    screen.line(
        f"{bundle.id} {bundle.version} (SHA-256 {bundle.sha256[:12]}), "
        f"localizer {evaluation.localizer.method}, on {evaluation.device}"
    )
    _show(localizer_figures(evaluation), screen)
    for path in files:
        screen.line(str(path))
    return 0


def _show(figures: LocalizerFigures, screen: Screen) -> None:
    screen.line(f"{counted(figures.joints, 'joint')} on {counted(figures.films, 'film')}")
    rows = [
        ("intersection over union", *_cells(figures.iou)),
        ("centre off, plateau widths", *_cells(figures.centre)),
        ("edge, of the reference's", *_cells(figures.edge)),
        ("tilt off, degrees", *_cells(figures.tilt)),
        ("tilt, with its sign", *_cells(figures.tilt_bias)),
        ("ends off, plateau widths", *_cells(figures.points)),
        ("seconds a film", *_cells(figures.seconds)),
    ]
    screen.table(("Figure", "Joints", "Median", "Mean", "SD", "Lowest", "Highest"), rows)
    screen.line()
    for what, names in (
        ("missed (no box, or less than half in common)", figures.missed),
        ("called the wrong side", figures.wrong_side),
        ("boxes where no joint is", figures.false_boxes),
        ("without a tilt", figures.untold_tilts),
    ):
        if names is None:
            screen.line(f"{what}: this bundle tells no tilts")
        else:
            screen.line(f"{what}: {len(names)}" + (f" ({', '.join(names)})" if names else ""))
    screen.line(f"least in common: {_named(figures.worst_iou)}")
    if figures.worst_tilt:
        screen.line(f"tilt most off: {_named(figures.worst_tilt)}")


def _cells(spread: Spread | None) -> tuple[str, ...]:
    if spread is None:
        return ("0", "", "", "", "", "")
    numbers = (spread.median, spread.mean, spread.deviation, spread.lowest, spread.highest)
    return (str(spread.joints), *(f"{number:.3f}" for number in numbers))


def _named(figures: tuple[tuple[str, float], ...]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in figures)

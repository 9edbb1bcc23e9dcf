"""The commands on models and on speed: train, evaluate, bench."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.cli.screen import Screen, Tell, add_device
from reader_app.cli.study_results import counted, figure
from reader_app.operations.progress import Progress

if TYPE_CHECKING:
    from reader_app.operations.bench import Row
    from reader_app.operations.evaluation import Evaluation, ItemFigures

Commands = argparse._SubParsersAction  # argparse has no public name for it
STEPS = 1000
UNREADABLE_SHOWN = 20


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    _add_train(commands)
    _add_evaluate(commands)
    bench = _parser(
        commands,
        "bench",
        "measure speed against named peers",
        "reader-app bench import",
    )
    bench.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help="of benchmarks; without it, all but cohort, heatmaps, ai and int8, which take long",
    )
    bench.add_argument(
        "--films", metavar="N", type=_count, help="how many films to take: import, cohort, heatmaps"
    )
    bench.add_argument("--data", metavar="FOLDER", type=Path, help="joints with labels.csv: int8")
    bench.add_argument("--device", metavar="NAME", help="auto, cpu, cuda or mps: ai")
    bench.add_argument(
        "--quick", action="store_true", default=None, help="fewer networks and turns: ai, int8"
    )
    bench.add_argument("--json", action="store_true", help="print for programs")
    bench.set_defaults(handler=_bench)


def _parser(
    commands: Commands[argparse.ArgumentParser], name: str, help: str, example: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_train(commands: Commands[argparse.ArgumentParser]) -> None:
    train = _parser(
        commands,
        "train",
        "train a bundle from graded joints, or a part of one; a run that was cut off goes on where it stood",
        "reader-app train knee-kl --data /data/knee-kl --out knee-kl-run",
    )
    train.add_argument("recipe", metavar="RECIPE", help="name of a recipe, such as knee-kl, or a TOML file")
    train.add_argument(
        "--data", metavar="DIR", type=Path, required=True, help="folder with labels.csv and its images"
    )
    train.add_argument("--out", metavar="DIR", type=Path, help="folder of this run (default: RECIPE-run)")
    train.add_argument("--epochs", metavar="N", type=int, help="instead of the recipe's number")
    train.add_argument("--seed", metavar="N", type=int, help="instead of the recipe's")
    train.set_defaults(handler=_train)


def _train(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.ai.recipe import RecipeKind, recipe_kind
    from reader_app.operations.train import train_bundle

    out = arguments.out or Path(f"{Path(arguments.recipe).stem}-run")
    if recipe_kind(arguments.recipe) is not RecipeKind.GRADER:
        return _train_part(arguments, out, screen)
    with screen.progress("Training") as tell:
        trained = train_bundle(
            arguments.recipe,
            data=arguments.data,
            out=out,
            epochs=arguments.epochs,
            seed=arguments.seed,
            tell=_in_steps(tell),
        )
    screen.line(
        f"Trained {trained.bundle_id} {trained.version} in {counted(trained.epochs, 'epoch')}: "
        f"{trained.folder}, SHA-256 {trained.sha256}."
    )
    return 0


def _train_part(arguments: argparse.Namespace, out: Path, screen: Screen) -> int:
    from reader_app.operations.train_part import train_part

    with screen.progress("Training") as tell:
        trained = train_part(
            arguments.recipe,
            data=arguments.data,
            out=out,
            epochs=arguments.epochs,
            seed=arguments.seed,
            tell=_in_steps(tell),
        )
    screen.line(
        f"Trained {trained.kind.value} in {counted(trained.epochs, 'epoch')}: {trained.file}, "
        f"SHA-256 {trained.sha256}."
    )
    screen.line(f"On what was kept for choosing: {trained.figures}")
    return 0


def _add_evaluate(commands: Commands[argparse.ArgumentParser]) -> None:
    evaluate = _parser(
        commands,
        "evaluate",
        "hold a bundle against reference grades",
        "reader-app evaluate knee-kl --images /data/knee-kl --labels /data/knee-kl/labels.csv --out figures",
    )
    evaluate.add_argument("bundle", metavar="BUNDLE", help="id of an installed bundle, or its folder")
    evaluate.add_argument(
        "--images",
        metavar="DIR",
        type=Path,
        required=True,
        help="where the table's images are",
    )
    evaluate.add_argument(
        "--labels",
        metavar="CSV",
        type=Path,
        required=True,
        help="table with the columns image and one for each feature; participant, side and split if it likes",
    )
    evaluate.add_argument("--split", help="which rows, where the table has splits (default: test)")
    evaluate.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder to write into")
    add_device(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print for programs")
    evaluate.set_defaults(handler=_evaluate)


def _evaluate(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.evaluate import evaluate
    from reader_app.operations.evaluation import evaluation_values, write_evaluation

    with screen.progress("Evaluating") as tell:
        evaluation = evaluate(
            arguments.bundle,
            images=arguments.images,
            labels=arguments.labels,
            split=arguments.split,
            device=arguments.device,
            progress=tell,
        )
    files = write_evaluation(evaluation, arguments.out.expanduser())
    if arguments.json:
        screen.json(evaluation_values(evaluation))
        return 0
    _show_evaluation(evaluation, screen)
    for path in files:
        screen.line(str(path))
    return 0


def _show_evaluation(evaluation: Evaluation, screen: Screen) -> None:
    facts = evaluation.facts
    screen.line(
        f"{facts['bundle']} {facts['version']} (SHA-256 {facts['bundle_sha256'][:12]}) "
        f"against {facts['labels']}"
    )
    for note in evaluation.notes:
        screen.line(f"note: {note}")
    for figures in evaluation.figures:
        screen.line()
        _show_item(figures, screen)
    if evaluation.unreadable:
        screen.line()
        screen.line(f"{counted(len(evaluation.unreadable), 'joint')} could not be graded:")
        for each in evaluation.unreadable[:UNREADABLE_SHOWN]:
            screen.line(f"  {each.name}: {each.reason}")
        if len(evaluation.unreadable) > UNREADABLE_SHOWN:
            screen.line(f"  and {len(evaluation.unreadable) - UNREADABLE_SHOWN} more, all in the JSON file")
    screen.line()


def _show_item(figures: ItemFigures, screen: Screen) -> None:
    rows = [
        ("quadratic kappa", figure(figures.kappa_quadratic)),
        ("linear kappa", figure(figures.kappa_linear)),
        ("accuracy", figure(figures.accuracy)),
        ("at most one grade off", figure(figures.within_one)),
        ("balanced accuracy", figure(figures.balanced_accuracy)),
    ]
    if figures.present_from is not None:
        cut = f"{figures.item.feature_id} >= {figures.present_from}"
        rows += [
            (f"AUC for {cut}", figure(figures.auc)),
            (f"sensitivity for {cut}", figure(figures.sensitivity)),
            (f"specificity for {cut}", figure(figures.specificity)),
        ]
    title = f"{figures.item.key}: {figures.joints} joints of {figures.participants} participants"
    screen.table(("Figure", "Value (95 % interval, clustered by participant)"), rows, title=title)
    screen.line()
    screen.table(
        ("Reference \\ bundle", *(str(code) for code in figures.codes), "Recall"),
        [
            (str(line.code), *(str(count) for count in counts), figure(line.recall))
            for line, counts in zip(figures.grades, figures.matrix, strict=True)
        ],
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is no number of films")
    return int(text)


def _bench(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.bench import benchmarks, run_benchmark

    found: dict[str, tuple[Row, ...]] = {}
    for name, path in benchmarks(*arguments.names).items():
        screen.aside(f"measuring {name} ...")
        found[name] = run_benchmark(
            path,
            films=arguments.films,
            data=arguments.data,
            device=arguments.device,
            quick=arguments.quick,
        )
        if not arguments.json:
            _show_benchmark(name, found[name], screen)
    if arguments.json:
        screen.json({name: [dict(row) for row in rows] for name, rows in found.items()})
    return 0


def _show_benchmark(name: str, rows: Sequence[Row], screen: Screen) -> None:
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    cells = [tuple(_cell(column, row.get(column)) for column in columns) for row in rows]
    screen.table(tuple(column.replace("_", " ") for column in columns), cells, title=name)
    screen.line()


def _cell(column: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.2f} x" if column == "ratio" else f"{value:.4g}"


def _in_steps(tell: Tell) -> Callable[[float, str], None]:
    """Return a teller of shares and sentences that tells steps."""

    def tell_share(share: float, sentence: str) -> None:
        tell(Progress(round(share * STEPS), STEPS, sentence))

    return tell_share

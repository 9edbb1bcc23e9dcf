"""The commands that work on a study."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from reader_app.cli import account_commands, people, study_results
from reader_app.cli.screen import Screen, add_device
from reader_app.interop.deidentify import DatePolicy
from reader_app.operations.study_config import ImagePolicy
from reader_app.protocols.model import Arm, Presentation

Commands = argparse._SubParsersAction  # argparse has no public name for it
Handler = Callable[[argparse.Namespace, Screen], int]

MOST_WORKERS = 64
"""Processes with networks; more than this is a slip of the hand."""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    _add_init(commands)
    account_commands.add_to(commands)
    _add_import(commands)
    _add_pregrade(commands)
    _add_status(commands)
    _add_report(commands)
    _add_verify(commands)
    _add_backup(commands)


def study_parser(
    commands: Commands[argparse.ArgumentParser], name: str, handler: Handler, *, help: str, epilog: str = ""
) -> argparse.ArgumentParser:
    """Add a command whose first argument is a study folder."""
    parser = commands.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=f"example:\n  {epilog}" if epilog else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("study", metavar="STUDY", type=Path, help="study folder")
    parser.set_defaults(handler=handler)
    return parser


def _add_init(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = study_parser(
        commands,
        "init",
        _init,
        help="make a new study in a new or empty folder",
        epilog='reader-app init knees --protocol knee-kl --title "Knees 2024" --coordinator "Ada Moreno"',
    )
    parser.add_argument("--protocol", metavar="ID|FILE", required=True, help="id of a protocol, or its file")
    parser.add_argument("--title", required=True, help="what the study is called")
    parser.add_argument(
        "--coordinator", metavar="NAME", required=True, help="first account; its password is asked for"
    )
    parser.add_argument(
        "--arm",
        choices=[arm.value for arm in Arm],
        help="what of the AI readers see; without it, as the design or the protocol says",
    )
    parser.add_argument(
        "--presentation",
        choices=[presentation.value for presentation in Presentation],
        help="how visits are shown; without it, as the design or the protocol says",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--preset", metavar="ID", help="how it is read, by a design of “reader-app designs”")
    how.add_argument("--design", metavar="FILE", type=Path, help="how it is read, by a design file (TOML)")
    parser.add_argument("--seed", type=int, help="of all random orders; without it, drawn and kept")
    parser.add_argument(
        "--copy-images",
        action="store_true",
        help="copy radiographs into the study, de-identified, instead of referring to them",
    )
    parser.add_argument(
        "--dates",
        choices=[policy.value for policy in DatePolicy],
        default=DatePolicy.SHIFTED.value,
        help="what the study keeps of the dates of films: moved by a secret number of days that is the same "
        "for all films of a participant (the default), nothing but the order of visits, or the dates",
    )
    parser.add_argument(
        "--without-characteristics", action="store_true", help="keep neither sex nor age nor weight"
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="keep the study on a PostgreSQL server, in an empty database: postgresql://user@host/database; "
        "the password belongs into ~/.pgpass or PGPASSWORD",
    )
    people.add_password_stdin(parser)


def _init(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.study import NewStudy, create_study

    password = people.given_password(
        arguments, f"Password for {arguments.coordinator} (8 characters or more): ", twice=True
    )
    choices = NewStudy(
        protocol=arguments.protocol,
        title=arguments.title,
        coordinator=arguments.coordinator,
        password=password,
        arm=Arm(arguments.arm) if arguments.arm else None,
        presentation=Presentation(arguments.presentation) if arguments.presentation else None,
        seed=arguments.seed,
        images=ImagePolicy.COPY if arguments.copy_images else ImagePolicy.REFERENCE,
        dates=DatePolicy(arguments.dates),
        characteristics=not arguments.without_characteristics,
        database_url=arguments.database,
        design_file=arguments.design.expanduser() if arguments.design else None,
        preset=arguments.preset,
    )
    with create_study(arguments.study, choices) as study:
        where = f", on the server {study.database.shown}" if study.config.database_url else ""
        screen.line(f"Made the study “{study.config.title}” in {study.folder}{where}.")
        screen.line(
            f"Protocol {study.protocol.id} {study.protocol.version}; {study.design.arm.value}; "
            f"{study.design.presentation.value}; seed {study.design.seed}; "
            f"dates are {study.config.dates.value}."
        )
    return 0


def _add_import(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = study_parser(
        commands,
        "import",
        _import,
        help="bring a folder of radiographs into a study",
        epilog="reader-app import knees /data/radiographs --manifest /data/radiographs.csv",
    )
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, help="with DICOM, PNG, JPEG, TIFF or WebP files"
    )
    parser.add_argument(
        "--manifest",
        metavar="CSV",
        type=Path,
        help="table with the column image, and if it likes participant, visit, side, view, leave_out, "
        "spacing, sex, age, weight and reference grades; only the images that it names are imported",
    )
    parser.add_argument(
        "--preview",
        metavar="CSV",
        type=Path,
        help="look at the headers only, write what they say into a table and import nothing; corrected, the "
        "table is a manifest",
    )
    parser.add_argument(
        "--key-file",
        metavar="CSV",
        type=Path,
        help="where to write which participant got which pseudonym; keep it outside the study",
    )
    parser.add_argument("--json", action="store_true", help="print for programs")
    people.add_who(parser)


def _import(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.import_films import import_films

    if arguments.preview is not None:
        return _preview(arguments, screen)
    with people.study_as(arguments) as (study, actor), screen.progress("Importing") as tell:
        report = import_films(
            study,
            actor,
            arguments.folder,
            manifest=arguments.manifest,
            key_file=arguments.key_file,
            progress=tell,
        )
    return study_results.show_import(report, screen, as_json=arguments.json)


def _preview(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.plan_import import plan_import, write_preview

    with people.study_as(arguments) as (study, actor):
        with screen.progress("Looking at headers") as tell:
            plan = plan_import(
                study,
                actor,
                arguments.folder,
                manifest=arguments.manifest,
                key_file=arguments.key_file,
                progress=tell,
            )
        films = write_preview(study, actor, arguments.preview)
    return study_results.show_plan(plan, films, arguments.preview, screen, as_json=arguments.json)


def _add_pregrade(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = study_parser(
        commands,
        "pregrade",
        _pregrade,
        help="let the networks grade what they have not graded yet",
        epilog="reader-app pregrade knees --device cpu",
    )
    parser.add_argument("--bundle", metavar="ID|FOLDER", help="which bundle; without it, the study's")
    add_device(parser)
    parser.add_argument(
        "--workers",
        metavar="N",
        type=_workers,
        default=1,
        help="processes that hold the networks; they share the cores (default: 1)",
    )
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="on this machine, or on a Ray cluster whose machines see the films under the same paths",
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="of the cluster's head; without it, RAY_ADDRESS, else a cluster on this machine alone",
    )
    localizer = parser.add_mutually_exclusive_group()
    localizer.add_argument(
        "--light",
        dest="light",
        action="store_true",
        default=None,
        help="find joints by the bundle's quicker localizer (default where there is no graphics card)",
    )
    localizer.add_argument(
        "--published",
        dest="light",
        action="store_false",
        help="find joints by the bundle's published localizer (default on a graphics card)",
    )
    parser.add_argument(
        "--deterministic", action="store_true", help="the same bits every time, where the device can"
    )
    parser.add_argument("--json", action="store_true", help="print for programs")
    people.add_who(parser)


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"“{text}” is no number from 1 to {MOST_WORKERS}")
    return int(text)


def _pregrade(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.pregrade import pregrade

    with people.study_as(arguments) as (study, actor), screen.progress("Pre-grading") as tell:
        report = pregrade(
            study,
            actor,
            bundle=arguments.bundle,
            device=arguments.device,
            workers=arguments.workers,
            light=arguments.light,
            deterministic=arguments.deterministic,
            engine=arguments.engine,
            address=arguments.address,
            progress=tell,
        )
    return study_results.show_pregrade(report, screen, as_json=arguments.json)


def _add_status(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = study_parser(
        commands, "status", _status, help="tell how far a study is", epilog="reader-app status knees --faults"
    )
    parser.add_argument(
        "--faults", action="store_true", help="list the files that could not be imported, and duplicates"
    )
    parser.add_argument("--json", action="store_true", help="print for programs")
    people.add_who(parser)


def _status(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.status import import_duplicates, import_faults, status, status_notices

    with people.study_as(arguments) as (study, actor):
        counts = status(study, actor)
        faults = import_faults(study, actor) if arguments.faults else None
        duplicates = import_duplicates(study, actor) if arguments.faults else None
        title = study.config.title
        notices = status_notices(study, actor)
    study_results.show_status(
        title, counts, faults, screen, duplicates=duplicates, notices=notices, as_json=arguments.json
    )
    return 0


def _add_report(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = study_parser(
        commands,
        "report",
        _report,
        help="write the agreement report as HTML, CSV and JSON",
        epilog="reader-app report knees --out knees-report",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder to write into")
    parser.add_argument("--names", action="store_true", help="name readers instead of numbering them")
    people.add_who(parser)


def _report(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.report import make_report

    with people.study_as(arguments) as (study, actor):
        files = make_report(study, actor, arguments.out, names=arguments.names)
    study_results.show_report(files, screen)
    return 0


def _add_verify(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = study_parser(
        commands,
        "verify",
        _verify,
        help="prove that journal, protocol, films and bundle are what they were",
        epilog="reader-app verify knees --as Ada\n\nWithout an account the films are left out: "
        "where they lie is for coordinators and auditors.\nThe exit code is 1 if anything is not as it was.",
    )
    parser.add_argument("--json", action="store_true", help="print for programs")
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="a journal exported earlier, to be found again entry by entry",
    )
    people.add_who(parser)


def _verify(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.errors import StudyDamaged
    from reader_app.operations.study import open_study
    from reader_app.operations.verify import refused, verify

    try:
        study = open_study(arguments.study)
    except StudyDamaged as fault:
        return study_results.show_verify(refused(fault), screen, as_json=arguments.json)
    with study:
        actor = people.log_in_as(study, arguments)[0] if people.is_named(arguments) else None
        with screen.progress("Verifying films") as tell:
            report = verify(study, actor, exported=arguments.journal, progress=tell)
    return study_results.show_verify(report, screen, as_json=arguments.json)


def _add_backup(commands: Commands[argparse.ArgumentParser]) -> None:
    study_parser(
        commands,
        "backup",
        _backup,
        help="copy database, protocol and key of a study into its folder backups, also while it is in use",
        epilog="reader-app backup knees",
    )


def _backup(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.backup import back_up
    from reader_app.operations.study import open_study

    with open_study(arguments.study) as study:
        report = back_up(study)
    screen.line(f"Backed up to {report.folder}: {', '.join(report.files)}.")
    for note in report.notes:
        screen.line(note)
    return 0

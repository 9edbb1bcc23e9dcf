"""`reader-app films`: the films of a study, and what a coordinator corrects on them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.cli import people
from reader_app.cli.screen import Screen
from reader_app.cli.study_results import counted
from reader_app.errors import ImageError, StudyError
from reader_app.imaging.geometry import Box

if TYPE_CHECKING:  # loads more than printing the help needs
    from reader_app.operations.correct_film import FilmEntry
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor

Commands = argparse._SubParsersAction  # argparse has no public name for it
POLARITIES = {"inverted": True, "upright": False, "file": None}
PAGE = 500


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "films",
        help="list the films of a study and correct them",
        description=(
            "List the films of a study, or correct one: millimetres by a marker of known size, polarity, "
            "burned-in text. A coordinator corrects, and the journal tells; an auditor may list."
        ),
        epilog=f"{_EXAMPLES}\n{people.HOW_TO_GIVE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("study", metavar="STUDY", type=Path, help="study folder")
    parser.add_argument("--to-check", action="store_true", help="only films that a human should look at")
    parser.add_argument("--json", action="store_true", help="print for programs")
    people.add_who(parser)
    parser.set_defaults(handler=_list)
    verbs = parser.add_subparsers(metavar="VERB", title="verbs; without one, the films are listed")
    _add_calibrate(verbs)
    _add_box_out(verbs)
    _add_polarity(verbs)
    _add_checked(verbs)


_EXAMPLES = """\
examples:
  reader-app films knees --to-check --as "Ada Moreno"
  reader-app films knees calibrate 7 --marker-mm 25 --from 120,400 --to 295,400
  reader-app films knees box-out 7 --box 0,0,640,80
  reader-app films knees polarity 7 inverted
  reader-app films knees checked --all

Points and boxes are in pixels of the film: x to the right, y down, from its upper left corner.
"""


def _add_calibrate(verbs: Commands[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("calibrate", help="give a film millimetres by a marker of known size")
    _add_film(verb)
    verb.add_argument("--marker-mm", metavar="MM", type=float, help="true size of the marker, e.g. 25")
    verb.add_argument("--from", dest="start", metavar="X,Y", type=_point, help="one edge of the marker")
    verb.add_argument("--to", dest="end", metavar="X,Y", type=_point, help="the opposite edge")
    verb.add_argument("--forget", action="store_true", help="give the film its own millimetres back")
    people.add_who(verb, verb=True)
    verb.set_defaults(handler=_calibrate)


def _add_box_out(verbs: Commands[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("box-out", help="black out parts of a film, such as burned-in names")
    _add_film(verb)
    which = verb.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--box",
        metavar="X,Y,W,H",
        type=_box,
        action="append",
        help="a part; give it again for another. They take the place of those before",
    )
    which.add_argument("--none", action="store_true", help="show all parts again")
    people.add_who(verb, verb=True)
    verb.set_defaults(handler=_box_out)


def _add_polarity(verbs: Commands[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("polarity", help="decide whether black and white of a film are turned round")
    _add_film(verb)
    verb.add_argument(
        "polarity",
        choices=list(POLARITIES),
        help="inverted: high values are shown dark; upright: bright; file: as the file says",
    )
    people.add_who(verb, verb=True)
    verb.set_defaults(handler=_polarity)


def _add_checked(verbs: Commands[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("checked", help="note that a human has looked at films for burned-in text")
    verb.add_argument("films", metavar="FILM", type=int, nargs="*", help="numbers, as the list has them")
    verb.add_argument(
        "--all",
        action="store_true",
        help="all films to be checked, save those whose own file says that text is burned in",
    )
    verb.add_argument("--undo", action="store_true", help="note that nobody has looked after all")
    people.add_who(verb, verb=True)
    verb.set_defaults(handler=_checked)


def _add_film(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("film", metavar="FILM", type=int, help="number of the film, as the list has it")


def _list(arguments: argparse.Namespace, screen: Screen) -> int:
    with people.study_as(arguments) as (study, actor):
        entries = list(_all_entries(study, actor, to_check_only=arguments.to_check))
    if arguments.json:
        screen.json([_values(entry) for entry in entries])
        return 0
    if not entries:
        screen.line("No film needs to be looked at." if arguments.to_check else "The study has no films.")
        return 0
    screen.table(
        ("Film", "Participant", "Visit", "View", "Side", "Millimetres", "Corrected", "To check"),
        [_row(entry) for entry in entries],
    )
    return 0


def _all_entries(study: Study, actor: Actor, *, to_check_only: bool) -> Iterator[FilmEntry]:
    from reader_app.operations.correct_film import film_list

    offset = 0
    while page := film_list(study, actor, offset=offset, limit=PAGE, to_check_only=to_check_only):
        yield from page
        offset += len(page)


def _row(entry: FilmEntry) -> tuple[str, ...]:
    corrected = [
        f"{entry.calibrated_marker_mm:g} mm marker" if entry.calibrated_marker_mm is not None else "",
        "" if entry.inverse_polarity is None else _polarity_word(entry.inverse_polarity),
        f"{counted(len(entry.box_outs), 'part')} boxed out" if entry.box_outs else "",
    ]
    size = f"{entry.spacing_mm[1]:.3f} {entry.spacing_words_kind}" if entry.spacing_mm else "none"
    return (
        str(entry.radiograph_id),
        entry.participant,
        entry.visit,
        entry.view,
        entry.laterality,
        size,
        ", ".join(word for word in corrected if word),
        ", ".join(entry.to_check),
    )


def _values(entry: FilmEntry) -> dict[str, object]:
    return {
        "film": entry.radiograph_id,
        "participant": entry.participant,
        "visit": entry.visit,
        "view": entry.view,
        "body_part": entry.body_part,
        "laterality": entry.laterality,
        "rows": entry.rows,
        "columns": entry.columns,
        "spacing_kind": entry.spacing_words_kind,
        "spacing_row_mm": entry.spacing_mm[0] if entry.spacing_mm else None,
        "spacing_column_mm": entry.spacing_mm[1] if entry.spacing_mm else None,
        "spacing_reason": entry.spacing_reason,
        "calibrated_marker_mm": entry.calibrated_marker_mm,
        "polarity": _polarity_word(entry.inverse_polarity),
        "box_outs": [[box.x, box.y, box.width, box.height] for box in entry.box_outs],
        "burned_in": entry.burned_in,
        "checked": entry.text_checked,
        "to_check": [doubt.value for doubt in entry.to_check],
        "phantom": entry.phantom,
        "copied": entry.copied,
    }


def _polarity_word(inverse: bool | None) -> str:
    return next(word for word, value in POLARITIES.items() if value is inverse)


def _calibrate(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.correct_film import calibrate, film_entry, forget_calibration

    drawn = (arguments.marker_mm, arguments.start, arguments.end)
    if arguments.forget == any(each is not None for each in drawn) or (
        not arguments.forget and None in drawn
    ):
        raise ImageError(
            "A calibration needs the marker's size and both ends of a line across it.",
            "Give --marker-mm, --from and --to, or --forget alone.",
        )
    with people.study_as(arguments) as (study, actor):
        if arguments.forget:
            notes = forget_calibration(study, actor, arguments.film)
            reason = film_entry(study, actor, arguments.film).spacing_reason
            screen.line(f"Film {arguments.film} has its own millimetres again. {reason}".strip())
        else:
            found = calibrate(
                study,
                actor,
                arguments.film,
                marker_mm=arguments.marker_mm,
                start=arguments.start,
                end=arguments.end,
            )
            notes = found.notes
            screen.line(
                f"Film {arguments.film} has {found.spacing.column_mm:.4f} mm from column to column and "
                f"{found.spacing.row_mm:.4f} mm from row to row. {found.spacing.reason}"
            )
    return _told(notes, screen)


def _box_out(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.correct_film import box_out

    boxes: list[Box] = arguments.box or []
    with people.study_as(arguments) as (study, actor):
        notes = box_out(study, actor, arguments.film, boxes)
    done = f"{counted(len(boxes), 'part')} boxed out" if boxes else "all parts in sight"
    screen.line(f"Film {arguments.film} has {done}.")
    return _told(notes, screen)


def _polarity(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.correct_film import override_polarity

    with people.study_as(arguments) as (study, actor):
        notes = override_polarity(study, actor, arguments.film, POLARITIES[arguments.polarity])
    how = "as its file says" if arguments.polarity == "file" else arguments.polarity
    screen.line(f"Film {arguments.film} is shown {how}.")
    return _told(notes, screen)


def _checked(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.correct_film import films_checked, text_checked

    if bool(arguments.films) == arguments.all or (arguments.all and arguments.undo):
        raise StudyError("It is not said which films were looked at.", "Give their numbers, or --all.")
    with people.study_as(arguments) as (study, actor):
        if arguments.undo:
            for film in arguments.films:
                text_checked(study, actor, film, False)
            screen.line(f"{counted(len(arguments.films), 'film')} to be looked at again.")
        else:
            fresh = films_checked(study, actor, None if arguments.all else arguments.films)
            screen.line(f"{counted(fresh, 'film')} noted as looked at.")
    return 0


def _told(notes: Sequence[str], screen: Screen) -> int:
    for note in notes:
        screen.line(f"note: {note}")
    return 0


def _point(text: str) -> tuple[float, float]:
    x, y = _numbers(text, 2, "X,Y")
    return (x, y)


def _box(text: str) -> Box:
    x, y, width, height = _numbers(text, 4, "X,Y,W,H")
    try:
        return Box(x, y, width, height)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"“{text}” is no box: width and height count from zero") from fault


def _numbers(text: str, count: int, form: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"“{text}” is not of the form {form}") from fault
    if len(numbers) != count:
        raise argparse.ArgumentTypeError(f"“{text}” is not of the form {form}")
    return numbers

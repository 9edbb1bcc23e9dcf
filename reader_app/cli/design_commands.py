"""`reader-app design` and `reader-app designs`: how a study is read."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reader_app.cli import people
from reader_app.cli.screen import Screen

if TYPE_CHECKING:
    from reader_app.operations.design import DesignPreview
    from reader_app.operations.study import Study
    from reader_app.reading.design import ReadingDesign
    from reader_app.store.records import Actor

Commands = argparse._SubParsersAction  # argparse has no public name for it

_EPILOG = """\
examples:
  reader-app design knees                                    what is in force, in sentences
  reader-app design knees --show > knees.toml                the same as a file
  reader-app design knees --preset mrmc-crossover --preview  what a preset would make of the study
  reader-app design knees --from knees.toml --reason "the pilot showed drift"

Once somebody has opened a case, only what bears on what comes later may change, and needs a reason.
"""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    listing = commands.add_parser(
        "designs",
        help="list the reading designs that come with the software",
        description="Presets: reading designs that a study can begin with.",
        allow_abbrev=False,
    )
    listing.add_argument("--json", action="store_true", help="print for programs")
    listing.set_defaults(handler=_list)
    parser = commands.add_parser(
        "design",
        help="show, preview or change how a study is read",
        description="Who reads what, with what of the AI, how often, by which rules.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("study", metavar="STUDY", type=Path, help="study folder")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--show", action="store_true", help="print the design in force as a design file")
    which.add_argument("--preset", metavar="ID", help="a design that comes with the software")
    which.add_argument("--from", dest="file", metavar="FILE", type=Path, help="a design file (TOML)")
    parser.add_argument(
        "--preview", action="store_true", help="show each reader's worklist, and change nothing"
    )
    parser.add_argument("--seed", type=int, help="of all random orders; without it, the study's own stays")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why it changes; kept with the design")
    parser.add_argument("--json", action="store_true", help="print for programs")
    people.add_who(parser)
    parser.set_defaults(handler=_design)


def _list(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.reading.presets import presets

    found = presets()
    if arguments.json:
        screen.json([{"id": each.id, "title": each.title, "about": each.about} for each in found])
    else:
        screen.table(("id", "title"), [(each.id, each.title) for each in found])
        for each in found:
            screen.line()
            screen.line(f"{each.id}: {each.about}")
    return 0


def _design(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.design import preview, set_design

    with people.study_as(arguments) as (study, actor):
        chosen, notes = _chosen(study, arguments)
        if arguments.preview:
            found = preview(study, actor, chosen)
            return _show_preview(study, chosen, found, notes, screen, as_json=arguments.json)
        changed = chosen != study.design
        if changed:
            study = set_design(study, actor, chosen, reason=arguments.reason)
        return _show_design(study, actor, notes, screen, arguments, changed=changed)


def _chosen(study: Study, arguments: argparse.Namespace) -> tuple[ReadingDesign, tuple[str, ...]]:
    """Return the design that the arguments ask for, and what of it does not apply to the study."""
    from dataclasses import replace

    from reader_app.reading.design_file import load_design
    from reader_app.reading.presets import adapt

    # The study's own seed stays unless another is asked for: a preset has none of its own.
    own = study.design.seed
    seed = own if arguments.seed is None else arguments.seed
    if arguments.preset:
        adapted = adapt(arguments.preset, study.protocol, seed=seed)
        return adapted.design, adapted.notes
    if arguments.file:
        path = arguments.file.expanduser()
        return load_design(path, protocol=study.protocol, seed=arguments.seed, unsaid=own), ()
    return replace(study.design, seed=seed), ()


def _show_design(
    study: Study,
    actor: Actor,
    notes: tuple[str, ...],
    screen: Screen,
    arguments: argparse.Namespace,
    *,
    changed: bool,
) -> int:
    from reader_app.operations.design import changeable
    from reader_app.reading.design_file import design_table, design_text
    from reader_app.reading.design_words import in_words
    from reader_app.store.records import Role

    design = study.design
    if arguments.json:
        screen.json({"sha256": design.sha256, "design": design_table(design), "notes": list(notes)})
        return 0
    if arguments.show:
        screen.line(design_text(design).rstrip("\n"))
        return 0
    screen.line(f"{'Now in force' if changed else 'In force'}: design {design.sha256[:12]}{_origin(design)}")
    for topic in in_words(design, study.protocol):
        screen.line()
        screen.line(topic.title)
        for sentence in topic.sentences:
            screen.line(f"  {sentence}")
    _tell_notes(notes, screen)
    if actor.role in (Role.COORDINATOR, Role.AUDITOR):
        screen.line()
        free = changeable(study, actor)
        screen.line(
            "Nobody has opened a case yet: everything may still change."
            if free
            else "Reading has begun: only what bears on what comes later may change, with a reason."
        )
    return 0


def _show_preview(
    study: Study,
    design: ReadingDesign,
    found: DesignPreview,
    notes: tuple[str, ...],
    screen: Screen,
    *,
    as_json: bool,
) -> int:
    told = (*notes, *found.notes)
    if as_json:
        screen.json({"readers": [asdict(each) for each in found.readers], "notes": list(told)})
        return 0
    in_force = " (in force)" if design == study.design else " (not in force)"
    screen.line(f"Worklists under the design {design.sha256[:12]}{_origin(design)}{in_force}")
    screen.line()
    columns = ("reader", "cases", "places", "with AI", "re-reads", "calibration", "controls", "blocks")
    screen.table(columns, [_totals(each) for each in found.readers])
    for each in found.readers:
        screen.line()
        rest = each.readings - len(each.first)
        more = f", and {rest:,} more" if rest else ""
        rows = [
            (str(row.place), row.participant, row.purpose, row.arm, str(row.block or ""))
            for row in each.first
        ]
        screen.table(
            ("place", "participant", "for", "AI", "block"),
            rows,
            title=f"{each.name}: the first {len(each.first)} places{more}",
        )
    _tell_notes(told, screen)
    return 0


def _totals(each: Any) -> tuple[str, ...]:
    numbers = (
        each.cases,
        each.readings,
        each.aided,
        each.rereads,
        each.calibration,
        each.controls,
        each.blocks,
    )
    return (each.name, *(f"{number:,}" for number in numbers))


def _tell_notes(notes: tuple[str, ...], screen: Screen) -> None:
    if notes:
        screen.line()
    for note in notes:
        screen.line(f"Note: {note}")


def _origin(design: ReadingDesign) -> str:
    return f", from the preset {design.preset}" if design.preset else ""

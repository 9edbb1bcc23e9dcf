"""`reader-app bundles`: what is installed, what it covers, and taking bundles in and out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reader_app.cli import people
from reader_app.cli.bundle_words import (
    LIST_COLUMNS,
    listed_row,
    listed_values,
    recipe_lines,
    recipe_values,
    shown,
)
from reader_app.cli.screen import Screen
from reader_app.errors import BundleError

if TYPE_CHECKING:
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor

Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bundles",
        help="list, show, install, verify and remove the models that pre-grade",
        description="Bundles are the models that pre-grade; each says which features it covers.",
        epilog=(
            "examples:\n  reader-app bundles list\n  reader-app bundles install knee-kl.zip\n"
            "  reader-app bundles remove knee-kl@1.0.0 --yes\n\n"
            "A bundle is named by its id, or by id@version where several versions are installed; the id\n"
            "alone stands for the highest version: of the study, else of the user, else of the software.\n\n"
            f"{people.HOW_TO_GIVE}"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    listing = _verb(verbs, "list", "list all bundles, and the recipes that have none yet", _list)
    listing.add_argument("--json", action="store_true", help="print for programs")
    show = _verb(verbs, "show", "show everything that a bundle says of itself", _show)
    show.add_argument("bundle", metavar="BUNDLE", help="id, id@version, or a bundle's folder")
    show.add_argument("--json", action="store_true", help="print for programs")
    install = _verb(verbs, "install", "install a bundle from a folder or a zip file", _install, who=True)
    install.add_argument("source", metavar="FOLDER|ZIP", type=Path, help="the bundle")
    verify = _verb(verbs, "verify", "prove that bundles are what their makers stated", _verify)
    verify.add_argument("bundle", metavar="BUNDLE", nargs="?", help="one bundle; without it, all of them")
    verify.add_argument("--json", action="store_true", help="print for programs")
    remove = _verb(verbs, "remove", "take an installed bundle away", _remove, who=True)
    remove.add_argument("bundle", metavar="BUNDLE", help="id, or id@version")
    remove.add_argument("--yes", action="store_true", help="do not ask first")


def _verb(
    verbs: Commands[argparse.ArgumentParser], name: str, help: str, handler: object, *, who: bool = False
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.", allow_abbrev=False)
    verb.add_argument("--study", metavar="STUDY", type=Path, help="also the bundles of this study")
    if who:
        people.add_who(verb)
    verb.set_defaults(handler=handler)
    return verb


@contextmanager
def _study(arguments: argparse.Namespace) -> Iterator[Study | None]:
    """Open the study that is named, to look at only: nobody need log in for its bundles."""
    if arguments.study is None:
        yield None
        return
    from reader_app.operations.study import open_study

    with open_study(arguments.study) as study:
        yield study


@contextmanager
def _study_and_actor(arguments: argparse.Namespace) -> Iterator[tuple[Study, Actor] | None]:
    if arguments.study is None:
        yield None
        return
    with people.study_as(arguments) as both:
        yield both


def _list(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.bundle_list import list_bundles, waiting_recipes

    with _study(arguments) as study:
        bundles, recipes = list_bundles(study), waiting_recipes(study)
    if arguments.json:
        screen.json(
            {
                "bundles": [listed_values(listed) for listed in bundles],
                "recipes_without_bundle": [recipe_values(waiting) for waiting in recipes],
            }
        )
        return 0
    screen.table(LIST_COLUMNS, [listed_row(listed) for listed in bundles], title="Bundles")
    for listed in bundles:
        if listed.fault:
            screen.line(f"{listed.placed.id}: {listed.fault}")
        for coverage in listed.coverage:
            if coverage.fault:
                screen.line(f"{listed.placed.id}: {coverage.fault}")
    if recipes:
        screen.line()
        screen.line("Recipes without a bundle yet; reading works without")
        for waiting in recipes:
            for line in recipe_lines(waiting):
                screen.line(line)
    return 0


def _show(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.bundle_list import find_listed

    with _study(arguments) as study:
        listed = find_listed(arguments.bundle, study)
    if arguments.json:
        screen.json(listed_values(listed, in_full=True))
    else:
        for line in shown(listed):
            screen.line(line)
    return 0


def _install(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.bundle_install import install_bundle, install_for_study
    from reader_app.operations.bundles import knowledge_warning, users_bundles

    with _study_and_actor(arguments) as who:
        if who is None:
            done = install_bundle(arguments.source, users_bundles())
        else:
            done = install_for_study(*who, arguments.source)
    bundle = done.bundle
    what = "Installed" if done.new else "Already installed:"
    screen.line(f"{what} {bundle.id} {bundle.version} in {bundle.folder}, SHA-256 {bundle.sha256}.")
    if warning := knowledge_warning(bundle):
        screen.line(f"note: {warning}")
    return 0


def _verify(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.bundle_verify import bundles_to_verify, verify_bundle

    with _study(arguments) as study:
        checks = [verify_bundle(placed, study) for placed in bundles_to_verify(arguments.bundle, study)]
    if arguments.json:
        screen.json(
            [
                {
                    "bundle": check.name,
                    "ok": check.ok,
                    "checked": check.checked,
                    "faults": check.faults,
                    "notes": check.notes,
                }
                for check in checks
            ]
        )
    else:
        for check in checks:
            screen.line(f"{check.name}: {'as its maker stated' if check.ok else 'NOT as its maker stated'}")
            for sentence in (*(f"{each}." for each in check.checked), *check.notes, *check.faults):
                screen.line(f"  {sentence}")
    return 0 if all(check.ok for check in checks) else 1


def _remove(arguments: argparse.Namespace, screen: Screen) -> int:
    from reader_app.operations.bundle_remove import (
        bundle_to_remove,
        removal_warnings,
        remove_bundle,
        remove_for_study,
    )

    with _study_and_actor(arguments) as who:
        study, actor = who or (None, None)
        listed = bundle_to_remove(arguments.bundle, study)
        name = f"{listed.placed.id} {listed.placed.version}".strip()
        for warning in removal_warnings(listed, study, actor):
            screen.aside(f"warning: {warning}")
        if not arguments.yes and not _agreed(name):
            screen.line(f"{name} stays.")
            return 0
        if who is None:
            remove_bundle(listed)
        else:
            remove_for_study(*who, listed)
    screen.line(f"Removed {name} from {listed.placed.folder}.")
    return 0


def _agreed(name: str) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        raise BundleError(
            f"Nobody is there to be asked whether {name} shall be removed.", "Give --yes if it shall."
        )
    return input(f"Remove {name}? [y/N] ").strip().lower() in ("y", "yes")

"""Run the benchmarks of the checkout: each measures our way and a named peer's in the same run."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType

from reader_app.errors import MissingPart

PATTERN = "bench_*.py"
ON_REQUEST = frozenset({"cohort"})
"""Those that take many minutes and gigabytes, and so run only where they are named."""

Row = Mapping[str, object]
"""One measurement, by the names of its columns; ``ratio`` above 1 is better than the peer."""


def benchmarks(*names: str) -> dict[str, Path]:
    """Return the benchmark files by name (``import`` for ``bench_import.py``), or those that are named.

    Without names those in `ON_REQUEST` are left out.

    Raises
    ------
    MissingPart
        If this installation has none, or none of that name.
    """
    folder = Path(__file__).resolve().parents[2] / "tests" / "benchmarks"
    known = {path.stem.removeprefix("bench_"): path for path in sorted(folder.glob(PATTERN))}
    if not known:
        raise MissingPart(
            "This installation has no benchmarks.", "Run this in a copy of the source, which has them."
        )
    wanted = [name.removeprefix("bench_") for name in names]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise MissingPart(f"There is no benchmark “{unknown[0]}”.", f"There are: {', '.join(known)}.")
    return {name: known[name] for name in wanted or known if wanted or name not in ON_REQUEST}


def run_benchmark(path: Path, *, films: int | None = None) -> tuple[Row, ...]:
    """Run one benchmark: the function ``run()`` of its file, which returns rows.

    Parameters
    ----------
    films
        How many films it is to be run on, in place of its own number; only some can be told.

    Raises
    ------
    MissingPart
        If it cannot be told how many films to take.
    """
    run: Callable[..., Iterable[Row]] = _loaded(path).run
    if films is None:
        return tuple(run())
    if "films" not in inspect.signature(run).parameters:
        name = path.stem.removeprefix("bench_")
        raise MissingPart(f"The benchmark “{name}” does not take a number of films.", "Leave it out.")
    return tuple(run(films=films))


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise MissingPart(f"{path} is no Python file.", "Get a complete copy of the source.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

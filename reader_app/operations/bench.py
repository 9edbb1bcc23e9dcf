"""Run the benchmarks of the checkout: each measures our way and a named peer's in the same run."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType

from reader_app.errors import MissingPart

PATTERN = "bench_*.py"
ON_REQUEST = frozenset({"cohort", "heatmaps", "ai", "int8"})
"""Those that take many minutes, gigabytes or data of one's own, and so run only where they are named."""

OPTIONS = {
    "films": "a number of films",
    "data": "a folder of joints",
    "device": "a device",
    "quick": "a shorter way",
}
"""What a benchmark may be told, by the parameter of its ``run()``, in words."""

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


def run_benchmark(path: Path, **options: object) -> tuple[Row, ...]:
    """Run one benchmark: the function ``run()`` of its file, which returns rows.

    Parameters
    ----------
    options
        By the names of `OPTIONS`, in place of the benchmark's own; None leaves it to the benchmark.  Only
        some can be told.

    Raises
    ------
    MissingPart
        If it cannot be told one of them.
    """
    run: Callable[..., Iterable[Row]] = _loaded(path).run
    told = {name: value for name, value in options.items() if value is not None}
    known = inspect.signature(run).parameters
    for name in told:
        if name not in known:
            bench = path.stem.removeprefix("bench_")
            raise MissingPart(f"The benchmark “{bench}” does not take {OPTIONS[name]}.", "Leave it out.")
    return tuple(run(**told))


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise MissingPart(f"{path} is no Python file.", "Get a complete copy of the source.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up while they are made
    spec.loader.exec_module(module)
    return module

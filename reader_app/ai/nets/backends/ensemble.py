"""The bodies of all members of a bundle, and which backend computes them.

Where nobody asks for one, the backends are measured early in the first run over many joints on a machine, and
the fastest is remembered.  Compiling takes seconds a network, so that a pre-grade that somebody waits for is
computed in torch until then, and a large ensemble is compiled member by member, one with each batch.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from reader_app.ai.bundle import Bundle
from reader_app.ai.fast import (
    Backend,
    Choice,
    begin,
    compiled_backend_installed,
    recall,
    remember,
    situation,
)
from reader_app.ai.nets.backends import Body, build_body
from reader_app.ai.nets.grader import Grader
from reader_app.errors import MissingPart

MEASURE_FROM = 24
"""Joints that nobody waits for: a run over a study has soon so many, and a single question never."""

ROUNDS = 3
SECONDS = 6.0
"""A measurement ends after so many rounds, or with the first round that ends after so many seconds."""

MEASURED_IMAGES = 4
"""Of a batch, at most: two joints and their mirror images.  Batches of a run on a CPU are about so large, and
on a slow or busy machine a measurement must end well within the time that a worker is given for a batch."""

Clock = Callable[[], float]


class EnsembleBodies:
    """One body a member.

    Parameters
    ----------
    bundle
        Whose members they are.
    graders
        The members, in the bundle's order.
    device
        Of torch.
    backend
        ``auto`` or what is asked for.
    threads
        That each body may use on the CPU.
    repeatable
        Whether the same joint must give the same bits: ``auto`` is eager then.
    folder
        Of compiled networks and remembered choices.

    Attributes
    ----------
    notes
        What went otherwise than asked for, in words.

    Raises
    ------
    MissingPart
        The network of an eight-bit backend has not been quantised, or the CPU lacks what was asked for.
    """

    def __init__(
        self,
        bundle: Bundle,
        graders: Sequence[Grader],
        *,
        device: str,
        backend: Backend,
        threads: int,
        repeatable: bool,
        folder: Path | None,
    ) -> None:
        self.notes: list[str] = []
        self._bundle, self._graders = bundle, tuple(graders)
        self._threads, self._folder = threads, folder
        self._where = situation(bundle.sha256, threads)
        self._size = bundle.spec.preprocessing.size
        self._views = 2 if bundle.spec.mirror_test else 1
        self._to_measure, self._joints = False, 0
        self.wanted = self._first_choice(backend, device, repeatable)
        now = Backend.CHANNELS_LAST if backend is Backend.AUTO and self.wanted.is_compiled else self.wanted
        self.bodies: list[Body] = [self._build(number, now) for number in range(len(self._graders))]
        if now is not self.wanted:
            self._take_compiled_ones()

    def _first_choice(self, backend: Backend, device: str, repeatable: bool) -> Backend:
        on_cpu = torch.device(device).type == "cpu"
        if backend.is_compiled and not on_cpu:
            self.notes.append(f"{backend} computes on the CPU alone, so {device} took channels-last")
            return Backend.CHANNELS_LAST
        if backend.is_compiled and not compiled_backend_installed():
            self.notes.append(f"{backend} needs the optional part “fast”, so channels-last was taken")
            return Backend.CHANNELS_LAST
        if backend is not Backend.AUTO:
            return backend
        if repeatable:
            return Backend.EAGER
        if not on_cpu:
            return Backend.EAGER if device.startswith("mps") else Backend.CHANNELS_LAST
        known = recall(self._where, self._folder)
        if known is not None and (not known.backend.is_compiled or compiled_backend_installed()):
            return known.backend
        self._to_measure = True
        return Backend.CHANNELS_LAST

    def _build(self, number: int, backend: Backend) -> Body:
        return build_body(
            backend,
            self._graders[number],
            size=self._size,
            batch=self._views,
            cache=self._folder,
            weights=self._bundle.spec.members[number].sha256,
            threads=self._threads,
        )

    @property
    def described(self) -> str:
        """Which backends compute now, for the provenance."""
        names = [body.name for body in self.bodies]
        kinds = list(dict.fromkeys(names))
        if len(kinds) == 1:
            return kinds[0]
        return ", ".join(f"{name} for {names.count(name)} of {len(names)}" for name in kinds)

    def prepare(self, images: Tensor) -> None:
        """Before a batch that nobody waits for: measure if that is due, compile one more member if need be.

        Parameters
        ----------
        images
            All views of the batch's joints.
        """
        self._joints += len(images) // self._views
        if self._joints < MEASURE_FROM:
            return
        if self._to_measure:
            self._to_measure = False
            self.wanted = self._measure(images[:MEASURED_IMAGES])
            if not self.wanted.is_compiled:
                self.bodies = [self._build(number, self.wanted) for number in range(len(self._graders))]
        if self.wanted.is_compiled:
            self._compile_one_more()

    def _take_compiled_ones(self) -> None:
        """Take the members that lie compiled on disk."""
        from reader_app.ai.nets.backends.compiled import Compiler

        try:
            compiler = Compiler(self._folder, threads=self._threads)
            for number, member in enumerate(self._bundle.spec.members):
                if compiler.is_kept(self.wanted, member.sha256, size=self._size):
                    self.bodies[number] = self._build(number, self.wanted)
        except (MissingPart, RuntimeError, MemoryError) as fault:  # nobody asked for it by name
            self._stay_in_torch(fault)

    def _compile_one_more(self) -> None:
        for number, body in enumerate(self.bodies):
            if body.name != self.wanted.value:
                known = recall(self._where, self._folder)
                begin(self._where, self._folder)
                try:
                    self.bodies[number] = self._build(number, self.wanted)
                except (MissingPart, RuntimeError, MemoryError) as fault:
                    self._stay_in_torch(fault)
                if known is not None:
                    remember(self._where, known, self._folder)
                return

    def _stay_in_torch(self, fault: Exception) -> None:
        reason = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
        self.notes.append(f"the networks could not be compiled ({reason}), so they run in torch")
        self.wanted = Backend.CHANNELS_LAST

    def _measure(self, images: Tensor) -> Backend:
        """Time every backend that gives the same answers, remember and return the fastest."""
        candidates = [Backend.EAGER, Backend.CHANNELS_LAST]
        if compiled_backend_installed():
            candidates.append(Backend.OPENVINO)
        milliseconds = dict.fromkeys(candidates, 0.0)
        begin(self._where, self._folder)
        try:
            for number, count in self._kinds().items():
                for backend, taken in self._time_member(number, candidates, images).items():
                    milliseconds[backend] += count * taken
        except (MissingPart, RuntimeError, MemoryError) as fault:
            self._stay_in_torch(fault)
            return Backend.CHANNELS_LAST
        fastest = min(milliseconds, key=lambda backend: milliseconds[backend])
        remember(self._where, Choice(fastest, milliseconds), self._folder)
        return fastest

    def _kinds(self) -> dict[int, int]:
        """Return the first member of each architecture, and how many there are of it."""
        first: dict[str, int] = {}
        counts: dict[int, int] = {}
        for number, member in enumerate(self._bundle.spec.members):
            place = first.setdefault(member.architecture, number)
            counts[place] = counts.get(place, 0) + 1
        return counts

    def _time_member(
        self, number: int, candidates: Sequence[Backend], images: Tensor
    ) -> dict[Backend, float]:
        bodies: dict[Backend, Body] = {}
        for backend in candidates:
            if backend.is_compiled:
                bodies[backend] = self._build(number, backend)
            else:  # the two of torch want the same weights in different layouts
                own = copy.deepcopy(self._graders[number])
                bodies[backend] = build_body(backend, own, size=self._size, batch=len(images), cache=None)
        return time_bodies(bodies, images)


def time_bodies(
    bodies: dict[Backend, Body], images: Tensor, *, clock: Clock = time.perf_counter
) -> dict[Backend, float]:
    """Return the median milliseconds of each body for a batch, measured in turns after a first round.

    The turns make a busy neighbour on the machine hit all of them; the first round warms up.
    """
    taken: dict[Backend, list[float]] = {name: [] for name in bodies}
    started = clock()
    for number in range(ROUNDS + 1):
        for name, body in bodies.items():
            before = clock()
            body.features(images)
            if number:
                taken[name].append((clock() - before) * 1000.0)
        if number and clock() - started > SECONDS:
            break
    return {name: median(values) for name, values in taken.items()}

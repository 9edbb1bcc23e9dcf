"""Grades as numbers: codes of an ordered scale, possibly missing, possibly several per participant.

The categories always come from the protocol's scale. A grade that nobody gave still counts as a
category: leaving it out changes the weights between its neighbours and so every weighted coefficient.
"""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reader_app.errors import GradeError

MISSING = -1
"""Position of a rating that was not given."""

Positions = NDArray[np.intp]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Categories:
    """The ordered grades of a scale, from the least to the most severe.

    Parameters
    ----------
    codes
        Integer codes in their order on the scale, each once.
    """

    codes: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.codes or len(set(self.codes)) != len(self.codes):
            raise ValueError(f"a scale needs at least one grade, and each once: {self.codes}")

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def _positions(self) -> dict[int, int]:
        return {code: position for position, code in enumerate(self.codes)}

    def position(self, code: int) -> int:
        """Position of `code` on the scale; raises `GradeError` for a code that the scale has not."""
        try:
            return self._positions[code]
        except KeyError:
            raise self._foreign(code) from None

    def positions(self, values: Iterable[object]) -> Positions:
        """Turn codes into positions 0 .. k-1, and None or NaN into `MISSING`.

        Raises
        ------
        GradeError
            If a value is neither missing nor a code of the scale. Words are refused as well: their
            order is not the alphabet's, so the caller must map them by the scale.
        """
        if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
            return self._from_integers(values)
        return np.fromiter((self._one(value) for value in values), dtype=np.intp)

    def _from_integers(self, values: NDArray[np.integer]) -> Positions:
        codes = np.asarray(self.codes)
        order = np.argsort(codes)
        slot = np.minimum(np.searchsorted(codes[order], values), len(codes) - 1)
        found: NDArray[np.intp] = order[slot]
        wrong = codes[found] != values
        if wrong.any():
            raise self._foreign(int(values[wrong][0]))
        return found

    def _one(self, value: object) -> int:
        if value is None or value is np.ma.masked:
            return MISSING
        if not isinstance(value, numbers.Real):
            raise self._foreign(value)
        number = float(value)
        if number != number:
            return MISSING
        if not number.is_integer():
            raise self._foreign(value)
        return self.position(int(number))

    def _foreign(self, value: object) -> GradeError:
        known = ", ".join(str(code) for code in self.codes)
        return GradeError(
            f"The grade {value!r} is not on the scale, which has {known}.",
            "Correct the grade, or choose the protocol that the grades were given with.",
        )


def cluster_numbers(labels: Sequence[Hashable] | NDArray[np.generic]) -> Positions:
    """Number the participants 0 .. K-1, each number used; which gets which does not matter."""
    if isinstance(labels, np.ndarray):
        inverse: NDArray[np.intp] = np.unique(labels, return_inverse=True)[1]
        return inverse
    numbers_of: dict[Hashable, int] = {}
    return np.fromiter((numbers_of.setdefault(label, len(numbers_of)) for label in labels), dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Ratings:
    """Grades of n joints by m raters.

    Parameters
    ----------
    categories
        The scale.
    positions
        Shape (n, m): position of each grade on the scale, or `MISSING`.
    clusters
        Shape (n,): number of the participant that each joint belongs to.
    """

    categories: Categories
    positions: Positions
    clusters: Positions

    def __post_init__(self) -> None:
        if self.positions.ndim != 2 or self.clusters.shape != self.positions.shape[:1]:
            raise ValueError(f"shapes do not fit: {self.positions.shape} and {self.clusters.shape}")

    @classmethod
    def from_columns(
        cls,
        categories: Categories,
        columns: Sequence[Iterable[object]],
        *,
        clusters: Sequence[Hashable] | None = None,
    ) -> Ratings:
        """Make ratings from one column of codes per rater; without `clusters` every joint is its own.

        Raises
        ------
        GradeError
            If a value is not on the scale.
        ValueError
            If the columns differ in length.
        """
        parts = [categories.positions(column) for column in columns]
        lengths = {len(part) for part in parts}
        if len(lengths) > 1:
            raise ValueError(f"the raters' columns differ in length: {sorted(lengths)}")
        n = lengths.pop() if lengths else 0
        positions = np.stack(parts, axis=1) if parts else np.empty((n, 0), dtype=np.intp)
        numbered = np.arange(n, dtype=np.intp) if clusters is None else cluster_numbers(clusters)
        return cls(categories, positions, numbered)

    def pair(self, first: int, second: int) -> RatingPairs:
        """Joints that both raters graded."""
        both = (self.positions[:, first] != MISSING) & (self.positions[:, second] != MISSING)
        return RatingPairs(
            self.categories,
            self.positions[both, first],
            self.positions[both, second],
            cluster_numbers(self.clusters[both]),
        )


@dataclass(frozen=True, eq=False)
class RatingPairs:
    """Two complete columns of grades of the same n joints.

    Parameters
    ----------
    categories
        The scale.
    first, second
        Shape (n,): positions on the scale, none missing.
    clusters
        Shape (n,): participants numbered 0 .. K-1, each number used.
    """

    categories: Categories
    first: Positions
    second: Positions
    clusters: Positions

    def __post_init__(self) -> None:
        if not self.first.shape == self.second.shape == self.clusters.shape:
            raise ValueError("grades and participants differ in length")

    @property
    def n(self) -> int:
        """Number of joints."""
        return len(self.first)

    @cached_property
    def n_clusters(self) -> int:
        """Number of participants."""
        return int(self.clusters.max()) + 1 if self.n else 0

    @cached_property
    def table(self) -> PairTable:
        """Counts over the full scale."""
        k = len(self.categories)
        counts = np.bincount(self.first * k + self.second, minlength=k * k)
        return PairTable(self.categories, counts.reshape(k, k))

    @cached_property
    def cluster_tables(self) -> ClusterTables:
        """One table per participant, equal ones gathered."""
        cells = len(self.categories) ** 2
        flat = self.clusters * cells + self.first * len(self.categories) + self.second
        tables = np.bincount(flat, minlength=self.n_clusters * cells).reshape(self.n_clusters, cells)
        return ClusterTables.gather(tables)


@dataclass(frozen=True, eq=False)
class PairTable:
    """Cross table of two raters over the full scale.

    Parameters
    ----------
    categories
        The scale.
    counts
        Shape (k, k): row = first rater (or the reference), column = second.
    """

    categories: Categories
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        k = len(self.categories)
        if self.counts.shape != (k, k):
            raise ValueError(f"a scale of {k} grades needs a {k} x {k} table, not {self.counts.shape}")

    @property
    def n(self) -> int:
        """Number of joints."""
        return int(self.counts.sum())

    def apart(self, steps: int) -> int:
        """Count joints whose two grades are at least `steps` steps of the scale apart."""
        rank = np.arange(len(self.categories))
        return int(self.counts[np.abs(rank[:, None] - rank[None, :]) >= steps].sum())


@dataclass(frozen=True, eq=False)
class ClusterTables:
    """Tables of participants, each distinct one kept once.

    Most participants have one or two joints, so a cohort of thousands has few distinct tables; the
    jackknife evaluates those only, and the bootstrap draws how often each one comes up.

    Parameters
    ----------
    tables
        Shape (d, k * k): the distinct tables, flattened.
    frequency
        Shape (d,): how many participants have each.
    """

    tables: NDArray[np.int64]
    frequency: NDArray[np.int64]

    @classmethod
    def gather(cls, tables: NDArray[np.int64]) -> ClusterTables:
        """Gather equal rows of an array of shape (participants, cells)."""
        if not len(tables):
            return cls(tables, np.zeros(0, dtype=np.int64))
        # Sorting one number per participant is some fifty times faster than sorting whole rows. Two
        # different tables could get the same number, so that is checked, and then the rows are sorted.
        factors = np.random.default_rng(0).integers(-(2**62), 2**62, size=tables.shape[1])
        _, where, which, frequency = np.unique(
            tables @ factors, return_index=True, return_inverse=True, return_counts=True
        )
        distinct = tables[where]
        if not np.array_equal(distinct[which], tables):
            distinct, frequency = np.unique(tables, axis=0, return_counts=True)
        return cls(distinct, frequency.astype(np.int64))

    @property
    def n_clusters(self) -> int:
        """Number of participants."""
        return int(self.frequency.sum())

"""Where on a film the patient is: without shutters, unexposed borders and direct exposure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Values = npt.NDArray[np.float32]
_Mask = npt.NDArray[np.bool_]

_PEELS = 4  # a drawn shutter, an unexposed border inside it, air inside that, and one to spare
_NEAR = 0.05  # of the range that is left: how near to its end, or to each other, such grays are
_ONE_GRAY = 0.016  # of the same range: half of the pixels of a shutter, a border or air lie this near
_MOST_OF_RIM = 0.5  # what is of one flat gray over so much of the rim is no picture, whatever its gray
_FLAT = 0.02  # of the same range: how much neighbours may differ there
_NOISE_FLAT = 4.0  # deviations of the noise that they may differ by in any case
_MOST_NOISE = 0.02  # of the range; more is structure
_SMALLEST_PEEL = 0.01  # of the film; less is a bone or a fold of skin that the border cuts
_SMALLEST_FIELD = 0.08  # of the film; where less would be left, something else was found


def exposed_field(values: _Values, valid: _Mask) -> _Mask:
    """Find the part of a film that shows the patient.

    Shutters that a console has drawn, borders that the collimator kept from the beam and air beside the
    patient have in common that they are flat, of one gray at an end of the film's range, and reach its
    border, or what was found of that kind before. They are peeled off from outside, whatever their outline
    or angle and whichever end of the range is bright; and so is a surround of any other flat gray. What
    merely is of one gray inside the patient stays.

    Parameters
    ----------
    values
        Modality values of the film or of a smaller copy of it, some hundred rows and columns.
    valid
        False for padding and outside a collimator that the file states; same shape.

    Returns
    -------
    ndarray
        bool, same shape; nothing is peeled off that would leave next to nothing.
    """
    inside = valid.copy()
    for _ in range(_PEELS):
        peeled = _peel(values, inside)
        left = inside & ~_grown(peeled, 2)  # the edge between both is neither
        if not peeled.any() or np.count_nonzero(left) < _SMALLEST_FIELD * values.size:
            break
        inside = left
    return inside


def _peel(values: _Values, inside: _Mask) -> _Mask:
    """Flat parts at one end of the range, or of the gray of most of the rim, that begin at the rim."""
    peeled = np.zeros_like(inside)
    kept = values[inside]
    if kept.size == 0:
        return peeled
    low, high = float(kept.min()), float(kept.max())
    if high <= low:
        return peeled
    span = high - low
    flat = inside & (_spread(values, inside) <= max(_FLAT * span, _NOISE_FLAT * _noise(values, inside)))
    rim = _rim(inside)
    surround = float(np.median(values[rim]))
    for level in (low, high, surround):
        away = np.abs(values - np.float32(level))
        part = _connected(flat & (away <= _NEAR * span), rim)
        if level == surround and np.count_nonzero(part & rim) < _MOST_OF_RIM * np.count_nonzero(rim):
            continue
        if np.count_nonzero(part) < _SMALLEST_PEEL * values.size:
            continue
        # Where grays spread out evenly it is the patient who gets thinner.
        if _half_width(values[part]) <= _ONE_GRAY * span:
            peeled |= part
    return peeled


def _half_width(values: _Values) -> float:
    """Width of the narrowest range that holds half of the values."""
    ordered = np.sort(values)
    half = ordered.size // 2
    return float((ordered[half:] - ordered[: ordered.size - half]).min())


def _noise(values: _Values, inside: _Mask) -> float:
    """Standard deviation of the noise: of differences between neighbours, of which most are nothing else."""
    steps = np.abs(values[:, 1:] - values[:, :-1])[inside[:, 1:] & inside[:, :-1]]
    if steps.size == 0:
        return 0.0
    kept = values[inside]
    # A median difference of 0.954 deviations is that of two normal values.
    noise = float(np.median(steps)) / 0.954
    return min(noise, _MOST_NOISE * float(kept.max() - kept.min()))


def _spread(values: _Values, inside: _Mask) -> _Values:
    """Difference between the largest and the smallest value of each 3 x 3 neighbourhood, within the field."""
    large = np.where(inside, values, np.float32(-np.inf))
    small = np.where(inside, values, np.float32(np.inf))
    for axis in (0, 1):
        large, small = _of_three(large, axis, np.maximum), _of_three(small, axis, np.minimum)
    return np.where(inside, large - small, np.float32(0.0))


def _of_three(values: _Values, axis: int, chosen: np.ufunc) -> _Values:
    """The largest or smallest of each value and its two neighbours along an axis."""
    here = np.moveaxis(values, axis, 0)
    found = here.copy()
    chosen(found[1:], here[:-1], out=found[1:])
    chosen(found[:-1], here[1:], out=found[:-1])
    return np.moveaxis(found, 0, axis)


def _grown(mask: _Mask, pixels: int) -> _Mask:
    """A mask with so many more pixels all round."""
    grown = mask.copy()
    for axis in (0, 1):
        for _ in range(pixels):
            here = np.moveaxis(grown, axis, 0)
            wider = here.copy()
            wider[1:] |= here[:-1]
            wider[:-1] |= here[1:]
            grown = np.moveaxis(wider, 0, axis)
    return grown


def _rim(inside: _Mask) -> _Mask:
    """Pixels of the field at the film's border or beside what lies outside the field."""
    rim = np.zeros_like(inside)
    rim[[0, -1], :] = True
    rim[:, [0, -1]] = True
    rim[1:] |= ~inside[:-1]
    rim[:-1] |= ~inside[1:]
    rim[:, 1:] |= ~inside[:, :-1]
    rim[:, :-1] |= ~inside[:, 1:]
    return rim & inside


def _connected(open_: _Mask, seeds: _Mask) -> _Mask:
    """Open pixels that are connected by their edges to an open seed."""
    reached = seeds & open_
    count = -1
    while (now := int(np.count_nonzero(reached))) != count:
        count = now
        reached = _along_rows(open_, reached)
        reached = _along_rows(open_.T, reached.T).T
    return reached


def _along_rows(open_: _Mask, reached: _Mask) -> _Mask:
    """Whole runs of open pixels within a row of which any is reached."""
    rows, columns = open_.shape
    ends = np.ones((rows, columns + 1), dtype=np.bool_)  # one closed pixel after each row keeps rows apart
    ends[:, :columns] = ~open_
    run = np.cumsum(ends.ravel()).reshape(rows, columns + 1)[:, :columns]
    hit = np.zeros(int(run.max(initial=0)) + 2, dtype=np.bool_)
    hit[run[reached]] = True
    return np.asarray(hit[run] & open_)

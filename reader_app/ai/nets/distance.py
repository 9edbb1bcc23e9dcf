"""How unlike the training images a joint is: a Gaussian of low rank over the pooled features.

Features live in 1,000 dimensions and more, of which a few dozen carry what varies between joints.  The
covariance is modelled as those leading directions plus equal noise in all others (probabilistic PCA,
Tipping & Bishop 1999), whose inverse is exact and small; the distance is Mahalanobis' under it, divided so
that training joints lie near 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from reader_app.errors import BundleError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FeatureGaussian:
    """Statistics of the pooled features of the training joints.

    Parameters
    ----------
    mean
        C.
    directions
        C x k, orthonormal.
    variances
        k, along the directions.
    noise
        The variance in every other direction.
    """

    mean: FloatArray
    directions: FloatArray
    variances: FloatArray
    noise: float

    def distance(self, features: FloatArray) -> FloatArray:
        """Return N distances of N x C features; about 1 for joints like those of the training."""
        centred = features.astype(np.float64) - self.mean
        along = centred @ self.directions
        beside = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        squared = (along**2 / self.variances).sum(axis=1) + beside / self.noise
        return np.asarray(np.sqrt(squared / len(self.mean)), dtype=np.float32)

    def save(self, file: Path) -> None:
        """Write the statistics as safetensors."""
        save_file(
            {
                "mean": self.mean,
                "directions": np.ascontiguousarray(self.directions),
                "variances": self.variances,
                "noise": np.array([self.noise], dtype=np.float32),
            },
            file,
        )


def fit_gaussian(features: FloatArray, rank: int) -> FeatureGaussian:
    """Fit the Gaussian to N x C features; the rank is kept below half of N, so that some noise is left."""
    values = features.astype(np.float64)
    mean = values.mean(axis=0)
    covariance = np.cov(values - mean, rowvar=False)
    eigenvalues, eigenvectors = np.linalg.eigh(covariance)
    order = np.argsort(eigenvalues)[::-1]
    eigenvalues, eigenvectors = np.maximum(eigenvalues[order], 0.0), eigenvectors[:, order]
    rank = max(1, min(rank, len(order) - 1, len(features) // 2))
    noise = max(float(eigenvalues[rank:].mean()), 1e-8)
    return FeatureGaussian(
        mean=mean.astype(np.float32),
        directions=eigenvectors[:, :rank].astype(np.float32),
        variances=np.maximum(eigenvalues[:rank], noise).astype(np.float32),
        noise=noise,
    )


def load_gaussian(file: Path) -> FeatureGaussian:
    """Read the statistics back.

    Raises
    ------
    BundleError
        The file cannot be read or does not hold them.
    """
    try:
        tensors = load_file(file)
        return FeatureGaussian(
            mean=tensors["mean"],
            directions=tensors["directions"],
            variances=tensors["variances"],
            noise=float(tensors["noise"][0]),
        )
    except (SafetensorError, OSError, KeyError) as error:
        raise BundleError(
            f"The statistics {file.name} of the bundle cannot be read: {error}.", "Install the bundle again."
        ) from error

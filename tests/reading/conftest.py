"""A protocol with sites and exclusions of both scopes, and a paired case of two joints each."""

from __future__ import annotations

import pytest

from reader_app.imaging.geometry import Box
from reader_app.protocols.loader import find_protocol
from reader_app.protocols.model import Protocol
from reader_app.reading.case import Case, CaseFilm, Joint, JointSide


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return find_protocol("hip-oarsi")


@pytest.fixture(scope="session")
def case() -> Case:
    """Two films, each with a right and a left joint; the first has boxes."""
    return Case(
        1,
        (
            CaseFilm(
                11,
                "Baseline",
                (
                    Joint(1, 11, JointSide.RIGHT, Box(10, 10, 100, 100)),
                    Joint(2, 11, JointSide.LEFT, Box(300, 10, 100, 100)),
                ),
                "a" * 64,
            ),
            CaseFilm(
                12,
                "Month 48",
                (Joint(3, 12, JointSide.RIGHT), Joint(4, 12, JointSide.LEFT)),
                "b" * 64,
            ),
        ),
    )

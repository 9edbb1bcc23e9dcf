"""What the tables of a study are made of: naming, and the columns that recur.

Times are UTC, ISO 8601 text with microseconds. JSON is text in canonical form, so that both engines
store the same bytes. Grades are codes of the protocol's scales, items their keys (``feature:site``).
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Integer, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def text(name: str, *, nullable: bool = False) -> Column[str]:
    """Return a column of text."""
    return Column(name, Text, nullable=nullable)


def identity() -> Column[int]:
    """Return the column by which a row is known."""
    return Column("id", Integer, primary_key=True)


def to(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    """Return a column that refers to another table."""
    return Column(name, Integer, ForeignKey(f"{target}.id"), nullable=nullable)


def box(*, nullable: bool) -> list[Column[float]]:
    """Return the four columns of a box, in film pixels."""
    return [Column(f"box_{part}", Float, nullable=nullable) for part in ("x", "y", "width", "height")]

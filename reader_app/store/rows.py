"""The type of a database row whose columns are known by name only."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import Row, Select

# As text, because the versions of SQLAlchemy differ in what they take at run time.
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"
AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"

"""From a TOML table to a frozen dataclass, strictly: no unknown key, no missing key, no wrong type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from reader_app.errors import BundleError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def from_table(kind: type[T], table: object, where: str) -> T:
    """Build a dataclass from a table, and the dataclasses within it.

    Fields with a default may be left out.

    Parameters
    ----------
    where
        What the table is called in an error.

    Raises
    ------
    BundleError
        A key is missing or unknown, or a value has a wrong type; the sentence names the key.
    """
    if not isinstance(table, Mapping):
        raise _error(f"{where} must be a table")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise _error(f"{where} has the unknown key “{unknown[0]}”")
    missing = [
        name
        for name, field in known.items()
        if name not in table and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise _error(f"{where} lacks the key “{missing[0]}”")
    return kind(
        **{name: _value(hints[name], table[name], f"{where}.{name}") for name in known if name in table}
    )


def to_table(value: DataclassInstance) -> dict[str, Any]:
    """Return a dataclass as plain values that TOML can hold; what is None is left out."""
    return {name: _plain(item) for name, item in asdict(value).items() if item is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value


def _value(hint: Any, value: object, where: str) -> Any:
    """Check one value against its type hint."""
    if get_origin(hint) is UnionType:  # "kind or None", and TOML has no null
        hint = next(kind for kind in get_args(hint) if kind is not NoneType)
    if get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)):
            raise _error(f"{where} must be a list")
        inner = get_args(hint)[0]
        return tuple(_value(inner, item, f"{where}[{index}]") for index, item in enumerate(value))
    if get_origin(hint) is Mapping:
        if not isinstance(value, Mapping):
            raise _error(f"{where} must be a table")
        inner = get_args(hint)[1]
        return {str(name): _value(inner, item, f"{where}.{name}") for name, item in value.items()}
    if is_dataclass(hint):
        return from_table(hint, value, where)  # type: ignore[arg-type]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if value not in list(hint):
            raise _error(f"{where} must be one of: {', '.join(hint)}")
        return hint(str(value))
    return _scalar(hint, value, where)


def _scalar(hint: type, value: object, where: str) -> object:
    kinds = (int, float) if hint is float else (hint,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and hint is not bool):
        names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
        raise _error(f"{where} must be {names.get(hint, hint.__name__)}")
    return float(value) if hint is float else value  # type: ignore[arg-type]


def _error(fault: str) -> BundleError:
    return BundleError(f"{fault}.", "Correct the file or install the bundle again.")

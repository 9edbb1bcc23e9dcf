"""The report as JSON, and back again: every figure at full precision, nothing that is not a number."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any, TypeVar

from reader_app.agreement.result import Estimate, Interval, Undefined
from reader_app.errors import StudyError
from reader_app.report.model import SCHEMA_VERSION, Report

_TAGS: Mapping[type, str] = {Estimate: "estimate", Undefined: "undefined", Interval: "interval"}
"""Classes that can stand in each other's place carry which one they are."""

T = TypeVar("T")


def to_json(report: Report) -> str:
    """Write a report as JSON; the same report gives the same text."""
    return json.dumps(_plain(report), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def from_json(text: str) -> Report:
    """Read a report that `to_json` wrote.

    Raises
    ------
    StudyError
        If the text is not a report of a schema that this version reads.
    """
    try:
        content = json.loads(text)
        found = str(content["schema_version"])
        if found.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
            raise StudyError(
                f"The report has the schema {found}; this version reads {SCHEMA_VERSION}.",
                "Open it with the version of the software that it names, or make the report again.",
            )
        return _read(Report, content)
    except (ValueError, KeyError, TypeError) as fault:
        raise StudyError(
            f"This is not a report of this software: {fault}.", "Make the report again from the study."
        ) from fault


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        tag = _TAGS.get(type(value))
        return content if tag is None else {"kind": tag, **content}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _read(kind: type[T], value: Any) -> T:
    hints = typing.get_type_hints(kind)
    known = [field.name for field in fields(kind) if field.name in value]  # type: ignore[arg-type]
    return kind(**{name: _convert(hints[name], value[name]) for name in known})


def _convert(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(typing.get_args(hint), value)
    if origin is tuple:
        inner = typing.get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_convert(inner[0], item) for item in value)
        return tuple(_convert(one, item) for one, item in zip(inner, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {key: _convert(typing.get_args(hint)[1], item) for key, item in value.items()}
    if isinstance(hint, type) and is_dataclass(hint):
        return _read(hint, value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    if hint is float and isinstance(value, int):
        return value
    if not isinstance(value, hint):
        raise TypeError(f"expected {hint.__name__}, found {value!r}")
    return value


def _convert_union(choices: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in choices:
        return None
    if isinstance(value, Mapping):
        for choice in choices:
            if _TAGS.get(choice, "") == value.get("kind") or (choice not in _TAGS and is_dataclass(choice)):
                return _read(choice, value)
    plain = [choice for choice in choices if choice is not type(None) and not is_dataclass(choice)]
    if len(plain) != 1:
        raise TypeError(f"cannot tell what {value!r} is")
    return _convert(plain[0], value)

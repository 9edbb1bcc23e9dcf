"""Whether a film is one that a protocol grades, by what its header says: told, never decided alone."""

from __future__ import annotations

import re

from reader_app.protocols.model import JointKind, Protocol

# Words of Body Part Examined and of anatomic regions (PS3.16 CID 4031) on films of each joint; exposures of a
# whole leg or limb show both.
_PARTS = {
    JointKind.KNEE: re.compile(r"KNEE|PATELLA|TIBIOFEMORAL|LOWER ?LIMB|LOWER ?EXTREMITY|EXTREMITY|LEG"),
    JointKind.HIP: re.compile(r"HIP|PELVI|FEMORAL HEAD|FEMUR|LOWER ?LIMB|LOWER ?EXTREMITY|EXTREMITY|LEG"),
}
_SPELLED_OUT = {"anteroposterior": "AP", "posteroanterior": "PA", "ap": "AP", "pa": "PA"}
_FRONTAL = frozenset({"AP", "PA"})
_SIDEWAYS = re.compile(
    r"^(LL|RL|LAT\w*|ML|LM|LLO|RLO|RAO|LAO|RPO|LPO|OBL\w*|AX\w*|SKYLINE|SUNRISE|MERCHANT|LAURIN|TUNNEL)$"
)


def view_words(stated: str) -> str:
    """Return a view as radiologists write it, where its words are those of a code for AP or PA."""
    plain = re.sub(r"[^a-z]", "", stated.lower()).removesuffix("projection").removesuffix("view")
    return _SPELLED_OUT.get(plain, stated)


def not_graded(protocol: Protocol, *, body_part: str, view: str) -> str:
    """Say what speaks against a film; empty where nothing does, or nothing is stated.

    Returns
    -------
    str
        One sentence, such as “A chest film: this protocol grades knees.”
    """
    part = body_part.upper().strip()
    if part and not _PARTS[protocol.joint].search(part):
        return f"A {part.lower()} film: this protocol grades {protocol.joint.value}s."
    stated = view.upper().strip()
    if _SIDEWAYS.match(stated) and _wants_frontal(protocol):
        named = " and ".join(sorted(_wanted(protocol)))
        return f"The view is {view}: this protocol grades {named}."
    return ""


def _wanted(protocol: Protocol) -> set[str]:
    return {word.upper() for name in protocol.views for word in name.split("-")} & _FRONTAL


def _wants_frontal(protocol: Protocol) -> bool:
    return bool(_wanted(protocol))

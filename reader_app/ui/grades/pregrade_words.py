"""What the AI says of one item of one joint, in words: grade, probabilities, doubt, and where it is from."""

from __future__ import annotations

from reader_app.ai.doubt import SHORTER, UNLIKE_TRAINING, doubt_words, entropy_bits, share_text
from reader_app.protocols.model import Scale
from reader_app.reading.pregrade import PreGrade


def doubts(pregrade: PreGrade) -> tuple[str, ...]:
    """Return in words why the pre-grade should be doubted, the weightiest first."""
    return doubt_words(
        pregrade.probabilities,
        code=pregrade.code,
        unlike_training=pregrade.unlike_training,
        spread=pregrade.spread,
    )


def doubt(pregrade: PreGrade) -> str:
    """Return the same as one line; empty if nothing speaks against the pre-grade."""
    return ", ".join(doubts(pregrade))


def head_of(pregrade: PreGrade) -> str:
    """Return grade and probability, e.g. "AI: 2  (64 %)"."""
    return f"AI: {pregrade.code}  ({share_text(pregrade.confidence)})"


def likeliest(pregrade: PreGrade) -> int | None:
    """Return the grade that is likelier than the one given; None where that is the likeliest itself.

    A bundle may decide by the expected grade, which lies between two likely ones.
    """
    code, probability = max(pregrade.probabilities.items(), key=lambda pair: pair[1])
    return code if probability > pregrade.confidence else None


def wordings(pregrade: PreGrade) -> tuple[str, ...]:
    """Return what stands below the grade, the longest wording first; all say the same in less room.

    In the least room only the weightiest doubt is left; the tool tip has them all.
    """
    words, likelier = doubts(pregrade), likeliest(pregrade)
    if likelier is None:
        return _shortened(words)
    share = f"{likelier} ({share_text(pregrade.probabilities[likelier])})"
    if pregrade.unlike_training:
        # In little room the likelier grade is told above its bar alone.
        unlike = SHORTER[UNLIKE_TRAINING]
        return (f"{doubt(pregrade)}, most likely {share}", f"{unlike[-1]}, rather {likelier}", *unlike)
    long = ", ".join((*words, f"most likely {share}"))
    return (long, f"most likely {share}", f"likeliest {share}", f"rather {share}")


def _shortened(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words:
        return ("",)
    whole = ", ".join(words)
    brief = ", ".join(SHORTER.get(word, (word,))[-1] for word in words)
    first = words[0]
    return tuple(dict.fromkeys((whole, brief, first, *SHORTER.get(first, ()))))


def source_words(pregrade: PreGrade) -> str:
    """Return which bundle said it."""
    source = pregrade.provenance
    return f"{source.bundle_id} {source.bundle_version}"


def tool_tip_of(pregrade: PreGrade, scale: Scale) -> str:
    """Return all probabilities and where the pre-grade comes from."""
    lines = [
        f"{level.code} {level.label}: {share_text(pregrade.probabilities.get(level.code, 0.0), digits=1)}"
        for level in scale.levels
    ]
    source = pregrade.provenance
    entropy = entropy_bits(pregrade.probabilities.values())
    lines.append(f"expected grade {pregrade.expected:.2f}, entropy {entropy:.2f} bits")
    if pregrade.spread > 0:
        lines.append(f"its answers differ by {pregrade.spread:.2f} grades (standard deviation)")
    if words := doubt(pregrade):
        lines.append(words)
    if pregrade.remark:
        lines.append(pregrade.remark)
    lines.append(f"bundle {source_words(pregrade)} ({source.bundle_sha256[:12]})")
    lines.append(f"made {source.made_at}")
    return "\n".join(lines)

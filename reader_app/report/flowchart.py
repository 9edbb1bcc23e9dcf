"""The flow of a study as a drawing that papers can print: black on white, boxes and arrows, nothing fetched.

The order is that of flow diagrams of reader studies: what was imported runs down, what leaves stands aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from reader_app.report import numbers
from reader_app.report.flow import Count, FlowNumbers, FlowPart, Parts, total

WIDTH = 1000
WHOLE = (
    "A radiograph stands where the least finished of its joints stands; it is excluded where all of its "
    "joints are."
)
_MARGIN = 20
_MAIN = (20, 430)
"""Left edge and width of the boxes in the column that runs down."""
_SIDE = (520, 460)
_PAD = 12
_LINE = 18
_GAP = 30
_CHARACTER = 6.9
"""Width of a letter of the drawing's font, on average and a little more: lines are broken by it."""
_HEAD = 7.6


_INDENT = 28
"""Room for the lines beside boxes that hang below another one."""

_Said = tuple[str, Sequence[str]]
"""What stands in a box: heading and lines."""


@dataclass(frozen=True)
class _Box:
    """A box with a heading and lines, placed."""

    x: float
    y: float
    width: float
    head: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        return 2 * _PAD + _LINE * (len(self.head) + len(self.lines)) - 4

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


def flowchart(flow: FlowNumbers, *, title: str) -> Markup:
    """Draw the flow of a study as SVG.

    Parameters
    ----------
    title
        What the drawing says it is, for those who cannot see it.
    """
    drawing = _Drawing()
    drawing.step("Files looked at", [f"n = {numbers.count(flow.files)}"])
    if flow.refused:
        drawing.aside("Files that could not be imported", [f"n = {numbers.count(flow.refused)}"])
    drawing.step("Imported", [_participants(flow.participants), _words(flow.imported)])
    if flow.aside:
        drawing.aside("Not read for the results", _lines(flow.aside))
    drawing.step("Given to readers", [_words(flow.given)])
    if flow.unread:
        drawing.aside("Not yet locked by all their readers", _lines(flow.unread))
    drawing.step("Read and locked by all their readers", [_words(flow.complete), *_lines(flow.read)])
    left_out = _left_out(flow)
    if left_out:
        drawing.aside("Left out", left_out)
    graded = [_words(flow.graded)]
    if flow.rejected != Count():
        graded.append(f"of these, an exclusion rejected by a second reader: {_words(flow.rejected)}")
    drawing.step("Graded", graded)
    _draw_agreement(drawing, flow)
    drawing.step("Final grade of every feature", [_words(flow.final)], strong=True)
    return drawing.svg(title)


def _draw_agreement(drawing: _Drawing, flow: FlowNumbers) -> None:
    """Draw who agreed side by side, and below the last what became of disagreement."""
    straight: list[_Said] = []
    if flow.single != Count():
        straight.append(("Read by one reader", [_words(flow.single)]))
    straight.append(("Readers agreed on every feature", [_words(flow.agreed)]))
    settled: list[_Said] = []
    if flow.by_rule:
        settled.append(("Settled by the rule", _with_total(flow.by_rule)))
    if flow.adjudicated:
        settled.append(("Adjudicated", _with_total(flow.adjudicated)))
    open_ = flow.waiting
    if flow.left_open != Count():
        open_ = (*open_, FlowPart("Left side by side", flow.left_open))
    drawing.fork(
        straight,
        ("Readers disagreed on a feature", [_words(flow.disagreed)]),
        settled=settled,
        left=[("Without a final grade", _with_total(open_))] if open_ else [],
    )


def _left_out(flow: FlowNumbers) -> list[str]:
    lines: list[str] = []
    if flow.excluded:
        lines.append(f"Excluded: {_words(total(flow.excluded))}")
        lines += [f"– {line}" for line in _lines(flow.excluded)]
    if flow.checking != Count():
        lines.append(f"Exclusion waits for a second reader: {_words(flow.checking)}")
    if flow.ungraded != Count():
        lines.append(f"Not graded: {_words(flow.ungraded)}")
    return lines


def _with_total(parts: Parts) -> list[str]:
    return [_words(total(parts)), *_lines(parts)] if len(parts) > 1 else _lines(parts)


def _lines(parts: Iterable[FlowPart]) -> list[str]:
    return [f"{part.label}: {_words(part.count)}" for part in parts]


def _words(count: Count) -> str:
    films, joints = numbers.count(count.radiographs), numbers.count(count.joints)
    # A number stays with its word.
    return (
        f"{films}\xa0radiograph{'s' * (count.radiographs != 1)}, {joints}\xa0joint{'s' * (count.joints != 1)}"
    )


def _participants(number: int) -> str:
    return f"{numbers.count(number)} participant{'s' * (number != 1)}"


class _Drawing:
    """Boxes from top to bottom, with the arrows between them."""

    def __init__(self) -> None:
        self._y = float(_MARGIN)
        self._parts: list[Markup] = []
        self._from: list[_Box] = []
        # Lines that lead on beside boxes: where they begin, across and down.
        self._rails: list[tuple[float, float]] = []
        self._last: _Box | None = None

    def step(self, head: str, lines: Sequence[str], *, strong: bool = False) -> None:
        """Draw the next box of the column; arrows lead to it from the box or the boxes before."""
        width = WIDTH - 2 * _MARGIN if len(self._from) > 1 or self._rails else _MAIN[1]
        box = _boxed(_MAIN[0], self._y, width, head, lines)
        for before in self._from:
            self._line(before.middle, before.bottom, before.middle, box.y, arrow=True)
        for across, down in self._rails:
            self._line(across, down, across, box.y, arrow=True)
        self._put(box, strong=strong)
        self._from, self._rails, self._last = [box], [], box
        self._y = box.bottom + _GAP

    def aside(self, head: str, lines: Sequence[str]) -> None:
        """Draw what leaves after the last box: to the right, half-way to the next one."""
        last = self._last
        if last is None:
            raise ValueError("nothing leaves before there is anything")
        box = _boxed(_SIDE[0], last.bottom + _GAP / 2, _SIDE[1], head, lines)
        level = box.y + box.height / 2
        self._line(last.middle, level, box.x, level, arrow=True)
        self._put(box)
        self._y = box.bottom + _GAP / 2

    def fork(
        self, straight: Sequence[_Said], last: _Said, *, settled: Sequence[_Said], left: Sequence[_Said]
    ) -> None:
        """Draw branches side by side, and what comes of the last one below it.

        Parameters
        ----------
        straight
            Branches that lead on as they are.
        settled, left
            Parts of the last branch: those that lead on, and those that end.
        """
        number = len(straight) + 1
        width = (WIDTH - 2 * _MARGIN - _MARGIN * (number - 1)) / number
        source, rail = self._from[-1], self._y
        boxes = [
            _boxed(_MARGIN + place * (width + _MARGIN), rail + _GAP / 2, width, *said)
            for place, said in enumerate((*straight, last))
        ]
        self._line(source.middle, source.bottom, source.middle, rail)
        self._line(min(source.middle, boxes[0].middle), rail, boxes[-1].middle, rail)
        for box in boxes:
            self._line(box.middle, rail, box.middle, box.y, arrow=True)
            self._put(box)
        self._from = boxes[:-1]
        self._y = max(box.bottom for box in boxes) + _GAP / 2
        self._below(boxes[-1], settled, left)
        self._y += _GAP / 2

    def _below(self, parent: _Box, settled: Sequence[_Said], left: Sequence[_Said]) -> None:
        """Draw the parts of a box below it, led to from its left; what leads on does so on its right."""
        entry, exit_ = parent.x + _INDENT / 2, parent.x + parent.width - _INDENT / 2
        level, leaving = parent.bottom, None
        for place, said in enumerate((*settled, *left)):
            box = _boxed(parent.x + _INDENT, self._y, parent.width - 2 * _INDENT, *said)
            middle = box.y + box.height / 2
            self._line(entry, level, entry, middle)
            self._line(entry, middle, box.x, middle, arrow=True)
            self._put(box)
            level = middle
            if place < len(settled):
                self._line(box.x + box.width, middle, exit_, middle)
                leaving = middle if leaving is None else leaving
            self._y = box.bottom + _GAP / 2
        if leaving is not None:
            self._rails.append((exit_, leaving))

    def svg(self, title: str) -> Markup:
        """Return the drawing."""
        foot = self._y - _GAP + _MARGIN + _LINE / 2
        height = round(foot + _MARGIN)
        head = Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" '
            'role="img" aria-label="{2}" font-family="Helvetica, Arial, sans-serif" '
            'font-size="13" fill="#000000">'
            '<rect width="{0}" height="{1}" fill="#ffffff"/>'
        ).format(WIDTH, height, title)
        note = Markup('<text x="{}" y="{}" font-size="11">{}</text>').format(_MARGIN, _n(foot), WHOLE)
        return Markup("\n").join([head, *self._parts, note, Markup("</svg>")])

    def _put(self, box: _Box, *, strong: bool = False) -> None:
        self._parts.append(
            Markup(
                '<rect x="{}" y="{}" width="{}" height="{}" fill="#ffffff" stroke="#000000" '
                'stroke-width="{}"/>'
            ).format(_n(box.x), _n(box.y), _n(box.width), _n(box.height), 2 if strong else 1)
        )
        y = box.y + _PAD + 11
        for number, text in enumerate((*box.head, *box.lines)):
            weight = "bold" if number < len(box.head) else "normal"
            self._parts.append(
                Markup('<text x="{}" y="{}" font-weight="{}">{}</text>').format(
                    _n(box.x + _PAD), _n(y), weight, escape(text)
                )
            )
            y += _LINE

    def _line(self, x1: float, y1: float, x2: float, y2: float, *, arrow: bool = False) -> None:
        self._parts.append(
            Markup('<path d="M{} {}L{} {}" stroke="#000000" fill="none"/>').format(
                _n(x1), _n(y1), _n(x2), _n(y2)
            )
        )
        if arrow:
            way = "l-4.5 -9h9z" if x1 == x2 else "l-9 -4.5v9z"
            self._parts.append(Markup('<path d="M{} {}{}"/>').format(_n(x2), _n(y2), way))


def _boxed(x: float, y: float, width: float, head: str, lines: Sequence[str]) -> _Box:
    room = width - 2 * _PAD
    broken = [part for line in lines for part in _broken(line, room / _CHARACTER)]
    return _Box(x, y, width, tuple(_broken(head, room / _HEAD)), tuple(broken))


def _broken(text: str, letters: float) -> list[str]:
    """Break a text between words, and a word that is longer than a line within."""
    found: list[str] = []
    for word in text.split(" "):
        rest = word
        while len(rest) > letters:
            found.append(rest[: int(letters)])
            rest = rest[int(letters) :]
        if found and len(found[-1]) + 1 + len(rest) <= letters:
            found[-1] = f"{found[-1]} {rest}"
        elif rest:
            found.append(rest)
    return found


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")

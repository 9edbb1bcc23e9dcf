"""Other programs' image layers on the same film and the same screen, as peers of our film view.

Each is made ready once and then asked for one frame with other grays, up to the pixels on the screen. Where a
peer cannot be had, it says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

Frame = Callable[[float, float], object]
"""Draws one frame with grays from low to high."""


@dataclass(frozen=True)
class Layer:
    """One peer.

    Attributes
    ----------
    frame
        None where the peer cannot be had.
    show
        Shows the film anew, as after a change of case; None where that cannot be told from a frame.
    reason
        Why not.
    """

    name: str
    frame: Frame | None = None
    show: Callable[[], object] | None = None
    reason: str = ""


class PaintCounter(QObject):
    """Counts how often a widget is painted."""

    count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Qt: see every event and keep none."""
        self.count += event.type() is QEvent.Type.Paint
        return False


@contextmanager
def pyqtgraph_view(pixels: np.ndarray[Any, Any], size: tuple[int, int]) -> Iterator[Layer]:
    """A plain `pyqtgraph.ImageView`."""
    import pyqtgraph

    view = pyqtgraph.ImageView()
    view.resize(size[1], size[0])
    view.show()
    view.setImage(pixels.T, autoLevels=False, levels=(4000, 44000))
    QApplication.processEvents()
    screen = view.ui.graphicsView.viewport()

    def show() -> None:
        view.setImage(pixels.T, autoLevels=False, levels=(4000, 44000))
        screen.repaint()

    def frame(low: float, high: float) -> None:
        view.setLevels(low, high)
        screen.repaint()

    painted = PaintCounter()
    screen.installEventFilter(painted)
    frame(5000, 40000)
    screen.removeEventFilter(painted)
    if not painted.count:
        raise RuntimeError("the frame of the peer was not painted")
    yield Layer("pyqtgraph ImageView", frame, show)
    view.close()
    view.deleteLater()


@contextmanager
def matplotlib_image(pixels: np.ndarray[Any, Any], size: tuple[int, int]) -> Iterator[Layer]:
    """`imshow` on a canvas of Agg, with matplotlib's own resampling."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size[1] / 100, size[0] / 100), dpi=100)
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    image = axes.imshow(pixels, cmap="gray", vmin=4000, vmax=44000)

    def show() -> None:
        image.set_data(pixels)
        canvas.draw()

    def frame(low: float, high: float) -> None:
        image.set_clim(low, high)
        canvas.draw()

    yield Layer("matplotlib imshow, Agg", frame, show)


@contextmanager
def napari_layer(pixels: np.ndarray[Any, Any], size: tuple[int, int]) -> Iterator[Layer]:
    """napari's image layer, on whatever OpenGL the machine has, read back so that the frame is done."""
    name = "napari image layer"
    try:
        import napari
    except ImportError:
        yield Layer(name, reason="not installed")
        return
    viewer: Any = None
    try:
        viewer = napari.Viewer(show=True)
        viewer.window.resize(size[1], size[0])
        layer = viewer.add_image(pixels, contrast_limits=(4000, 44000))
        native = viewer.window._qt_viewer.canvas.native
    except Exception as error:  # noqa: BLE001 - without OpenGL it fails in as many ways as there are drivers
        if viewer is not None:
            viewer.close()
        yield Layer(name, reason=f"does not start here: {type(error).__name__}, {error}")
        return

    def frame(low: float, high: float) -> None:
        layer.contrast_limits = (low, high)
        native.grabFramebuffer()

    yield Layer(name, frame)
    viewer.close()


PEERS = (pyqtgraph_view, matplotlib_image, napari_layer)

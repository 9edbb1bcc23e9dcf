"""Qt: windows, panels, films. Nothing below this room imports it."""

from reader_app.ui.binding_guard import keep_none_alive

keep_none_alive()

"""Which bundles there are for this study: choose one, look at it, verify it, install another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from reader_app.errors import ReaderError
from reader_app.ui.background import Job, Operation
from reader_app.ui.labels import FaultLine, hint
from reader_app.ui.theme import SPACING, Colour, colour_text

if TYPE_CHECKING:
    from reader_app.operations.bundle_install import Installed
    from reader_app.operations.bundle_list import ListedBundle
    from reader_app.operations.bundle_verify import BundleCheck
    from reader_app.operations.study import Study
    from reader_app.store.records import Actor

_ORIGINS = {"study": "of this study", "user": "on this computer", "shipped": "with the software"}
_MEGABYTE = 1 << 20


class BundleChoice(QWidget):
    """A list of the bundles that fit the protocol, and what can be done with the chosen one.

    Attributes
    ----------
    chosen
        Another bundle is chosen, or the list was read.
    said
        What was done and what can follow, in words.
    """

    chosen = Signal()
    said = Signal(str, str)

    def __init__(self, study: Study, actor: Actor, *, writes: bool) -> None:
        super().__init__()
        self._study, self._actor, self._writes = study, actor, writes
        self._listed: tuple[ListedBundle, ...] = ()
        self.list = QComboBox()
        self.list.setAccessibleName("Bundle")
        self.list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.about = hint("Looking for bundles …")
        self.checked = hint()
        self.fault = FaultLine()
        self.verify = QPushButton("&Verify")
        self.folder = QPushButton("Install from a &folder …")
        self.zip = QPushButton("Install from a &zip file …")
        self._lay_out()
        self.list.currentIndexChanged.connect(lambda _row: self._show())
        self.verify.clicked.connect(self.verify_chosen)
        self.folder.clicked.connect(self._ask_folder)
        self.zip.clicked.connect(self._ask_zip)

    @property
    def current(self) -> ListedBundle | None:
        """The bundle that is chosen; None while there is none."""
        row = self.list.currentIndex()
        return self._listed[row] if 0 <= row < len(self._listed) else None

    def refresh(self) -> None:
        """Look again which bundles there are; each one is hashed, in the background."""

        def work(_job: Job) -> tuple[ListedBundle, ...]:
            from reader_app.operations.bundle_list import list_bundles

            return list_bundles(self._study)

        Operation(work).success(self._take).failure(self.fault.say).run(self)

    def verify_chosen(self) -> None:
        """Hash and open every file of the chosen bundle."""
        listed = self.current
        if listed is None:
            return
        self.verify.setEnabled(False)
        self.checked.setText("Verifying …")
        placed = listed.placed

        def work(_job: Job) -> BundleCheck:
            from reader_app.operations.bundle_verify import verify_bundle

            return verify_bundle(placed, self._study)

        Operation(work).success(self._show_check).failure(self.fault.say).done(
            lambda: self.verify.setEnabled(True)
        ).run(self)

    def install(self, source: Path) -> None:
        """Install a bundle for this study, from its folder or a zip file."""
        self.fault.clear()
        self.checked.setText(f"Installing {source.name} …")

        def work(_job: Job) -> Installed:
            from reader_app.operations.bundle_install import install_for_study

            return install_for_study(self._study, self._actor, source)

        Operation(work).success(self._installed).failure(self._not_installed).run(self)

    def _take(self, found: tuple[ListedBundle, ...]) -> None:
        before = self.current
        self._listed = tuple(each for each in found if _concerns(each, self._study.protocol.id))
        self.list.blockSignals(True)
        self.list.clear()
        for each in self._listed:
            self.list.addItem(title_of(each))
        self.list.setCurrentIndex(self._preferred(before))
        self.list.blockSignals(False)
        self._show()

    def _preferred(self, before: ListedBundle | None) -> int:
        """Return the row to be chosen: the one of before, else the one whose grades readers see."""
        folders = [each.placed.folder for each in self._listed]
        if before is not None and before.placed.folder in folders:
            return folders.index(before.placed.folder)
        usual = self._study.config.bundle
        rows = [n for n, each in enumerate(self._listed) if each.placed.id == usual and each.used]
        return rows[0] if rows else (0 if self._listed else -1)

    def _show(self) -> None:
        listed = self.current
        self.fault.clear()
        self.checked.clear()
        self.list.setVisible(bool(self._listed))
        self.verify.setVisible(listed is not None)
        if listed is None:
            self.about.setText(self._none_words())
        else:
            self.about.setText(about_words(listed, self._study.protocol.id, self._study.config.bundle or ""))
            if listed.fault:
                self.fault.say(listed.fault)
        self.chosen.emit()

    def _none_words(self) -> str:
        from reader_app.operations.bundles import studys_bundles, users_bundles

        return (
            f"No bundle for the protocol “{self._study.protocol.id}” is installed. Reading works without "
            "pre-grades. To add a bundle, install it here from its folder or a zip file; or put its folder "
            f"(it holds bundle.toml) into {studys_bundles(self._study.folder)} for this study, or into "
            f"{users_bundles()} for every study on this computer, and press F5."
        )

    def _show_check(self, found: BundleCheck) -> None:
        if found.ok:
            self.checked.setText(f"Verified: {'; '.join(found.checked)}. {' '.join(found.notes)}".strip())
        else:
            self.checked.clear()
            self.fault.say(" ".join(found.faults))

    def _installed(self, installed: Installed) -> None:
        bundle = installed.bundle
        how = "is installed for this study" if installed.new else "was installed already"
        self.said.emit(f"{bundle.id} {bundle.version} {how}.", "It can pre-grade now.")
        self.refresh()

    def _not_installed(self, fault: ReaderError) -> None:
        self.checked.clear()
        self.fault.say(fault)

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, "Folder of the bundle, with bundle.toml in it")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._ask(dialog)

    def _ask_zip(self) -> None:
        dialog = QFileDialog(self, "Zip file with a bundle", "", "Zip files (*.zip)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._ask(dialog)

    def _ask(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.install(Path(path)))
        dialog.open()

    def _lay_out(self) -> None:
        label = QLabel("&Bundle")
        label.setBuddy(self.list)
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(label)
        row.addWidget(self.list)
        row.addWidget(self.verify)
        row.addStretch(1)
        for button in (self.folder, self.zip):
            button.setVisible(self._writes)
            row.addWidget(button)
        colour_text(self.checked, Colour.GOOD)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING // 2)
        column.addLayout(row)
        column.addWidget(self.about)
        column.addWidget(self.checked)
        column.addWidget(self.fault)


def _concerns(listed: ListedBundle, protocol_id: str) -> bool:
    """Whether a bundle is for this protocol, or cannot be read at all: that must not go unseen."""
    if listed.bundle is None:
        return True
    return any(each.protocol_id == protocol_id for each in listed.coverage)


def title_of(listed: ListedBundle) -> str:
    """Return how a bundle is listed."""
    name = f"{listed.placed.id} {listed.placed.version}".strip()
    broken = "" if listed.bundle is not None else ", cannot be used"
    return f"{name}, {_ORIGINS[listed.origin.value]}{broken}"


def about_words(listed: ListedBundle, protocol_id: str, usual: str) -> str:
    """Return what is to be known of a bundle before it is used.

    Parameters
    ----------
    usual
        The id of the bundle whose pre-grades readers see.
    """
    if listed.bundle is None:
        return ""
    spec = listed.bundle.spec
    said = [f"{spec.title.rstrip('.')}.  {len(spec.members)} network{'s' * (len(spec.members) != 1)}, "]
    said[0] += f"{listed.size_bytes / _MEGABYTE:,.0f} MB, licence {spec.licence}, "
    said[0] += f"SHA-256 {listed.bundle.sha256[:12]} …"
    for each in listed.coverage:
        if each.protocol_id != protocol_id:
            continue
        if each.fault:
            said.append(each.fault)
        elif each.not_graded:
            said.append(f"It does not grade {', '.join(item.key for item in each.not_graded)}.")
    if usual and (listed.placed.id != usual or not listed.used):
        said.append(f"Readers see what “{usual}” says; this one can be compared with it.")
    return "  ".join(said)

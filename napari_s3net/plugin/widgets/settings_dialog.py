"""What was asked for and how it went, for one result, in a window of its own."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_s3net.plugin.layers.metadata import Metadata
from napari_s3net.plugin.widgets.settings_text import settings_rows


class SettingsDialog(QDialog):
    """The settings of a result; can be taken over into the dock."""

    taken = Signal()

    def __init__(self, about: Metadata, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Settings of {about['source']}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        content = QWidget()
        form = QFormLayout(content)
        for name, value in settings_rows(about):
            label = QLabel(value)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            form.addRow(QLabel(name), label)
        scroll = QScrollArea()
        scroll.setWidget(content)
        scroll.setWidgetResizable(True)
        buttons = QDialogButtonBox()
        buttons.addButton("Use these settings", QDialogButtonBox.ButtonRole.AcceptRole).clicked.connect(self.taken)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll)
        layout.addWidget(buttons)
        self.resize(360, 520)

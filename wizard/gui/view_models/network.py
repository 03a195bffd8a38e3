"""Whether this computer has moved to another network, told from its own interfaces: nobody outside is asked."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from wizard.system.interfaces import Ways

LOOK_MS = 1500


class NetworkModel(QObject):
    """Watches by which networks packets would leave. Signal: `changed`. `look` tells that, and sends nothing."""

    changed = Signal()

    def __init__(self, look: Callable[[], Ways], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._before: Ways | None = None
        self.now = Ways()

    @property
    def watching(self) -> bool:
        """Whether a change is waited for."""
        return self._before is not None

    @property
    def moved(self) -> bool:
        """Whether packets leave by another network than when the watch began."""
        return self._before is not None and self.now.connected and self.now != self._before

    def watch(self) -> None:
        """Take the network of now as the one that is to be left."""
        self._before = self.now = self._look()
        self._timer.start()
        self.changed.emit()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()
        self._before = None
        self.changed.emit()

    def look(self) -> None:
        """See which network it is by now."""
        now = self._look()
        if now != self.now:
            self.now = now
            self.changed.emit()

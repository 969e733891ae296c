"""Pictures of the screen. After a change that is meant to be seen, run this file with --snapshot-update."""

from collections.abc import Callable

import pytest

from tests import scripted
from tests.scripted import ScriptedSession
from tui_trainer.ui.app import TrainerApp

SIZES = {"small": (80, 24), "medium": (120, 40), "large": (200, 60)}

SCENES: dict[str, tuple[list[scripted.Event], list[str]]] = {
    "loading": (scripted.loading(), []),
    "running": (scripted.running(), []),
    "paused": (scripted.paused(), []),
    "finished": (scripted.finished(), []),
    "help": (scripted.running(), ["?"]),
}


class StillApp(TrainerApp):
    """Shows a session that has nothing more to come, and leaves no thread behind."""

    def on_unmount(self) -> None:
        assert isinstance(self.session, ScriptedSession)
        self.session.ended.set()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", SCENES)
def test_scene(scene: str, size: str, snap_compare: Callable[..., bool]) -> None:
    events, keys = SCENES[scene]
    assert snap_compare(StillApp(ScriptedSession(events), "fables"), press=keys, terminal_size=SIZES[size])

"""The actions behind the keys that play a recording."""

from tui_trainer.sessions.playback import Playback
from tui_trainer.ui.chart_actions import ChartActions

NO_RECORDING = "Only a recording is played: replay opens one."


class PlaybackActions(ChartActions):
    """The part of the app that plays a recording."""

    def pull(self) -> None:
        """Take a new snapshot, and draw it."""
        raise NotImplementedError

    def _playback(self) -> Playback | None:
        """What plays the recording; None, and the user is told, where there is none."""
        if self.session.playback is None:
            self.say(NO_RECORDING)
        return self.session.playback

    def action_toggle_pause(self) -> None:
        if (playback := self.session.playback) is None:
            super().action_toggle_pause()
        else:
            playback.toggle()
            self.pull()

    def action_change_speed(self, doublings: int) -> None:
        if playback := self._playback():
            playback.change_speed(doublings)
            self.say(f"Played at {playback.speed:g} times the speed of the run.", timeout=2)
            self.pull()

    def action_jump(self) -> None:
        """To the cursor, and without one to the end."""
        if playback := self._playback():
            playback.jump(playback.last if self.options.cursor is None else self.options.cursor)
            self.pull()

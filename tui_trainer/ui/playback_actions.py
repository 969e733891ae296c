"""The actions behind the keys that play a recording."""

from tui_trainer.sessions.playback import Playback
from tui_trainer.ui.chart_actions import ChartActions

NO_RECORDING = "Only a recording is played: replay opens one."
NOTHING_TO_PLAY = "There is no step to play."
STILL_READING = "Still reading the journal: this works as soon as it is read."


class PlaybackActions(ChartActions):
    """The part of the app that plays a recording."""

    def pull(self) -> None:
        """Take a new snapshot, and draw it."""
        raise NotImplementedError

    def _playback(self) -> Playback | None:
        """What plays the recording; None, and the user is told, where there is none."""
        playback = self.session.playback
        if playback is None and not self.session.is_recording:
            self.say(NO_RECORDING)
        elif playback is None:
            self.say(STILL_READING if self.snapshot.state == "loading" else NOTHING_TO_PLAY)
        return playback

    def action_toggle_pause(self) -> None:
        if not self.session.is_recording:
            super().action_toggle_pause()
        elif playback := self._playback():
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
            self.hide_cursor()
            self.pull()

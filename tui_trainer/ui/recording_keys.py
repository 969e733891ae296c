"""The part of the table of keys that plays a recording; space, which pauses a run, pauses a recording too."""

from typing import Final

from tui_trainer.ui.keys import RECORDING, Key

RECORDING_KEYS: Final[tuple[Key, ...]] = (
    Key(
        id="play",
        keys=(),
        action="toggle_pause",
        shown="space",
        help="Pause a recording, or play on; at its end, play it again.",
        group=RECORDING,
        label="play, pause",
        short="play",
        importance=9,
        command="Play the recording or pause it",
    ),
    Key(
        id="slower",
        keys=("less_than_sign",),
        action="change_speed(-1)",
        shown="<",
        help="Play a recording at half the speed.",
        group=RECORDING,
        label="speed",
        short="speed",
        importance=6,
        command="Play slower",
    ),
    Key(
        id="faster",
        keys=("greater_than_sign",),
        action="change_speed(1)",
        shown=">",
        help="Play a recording at twice the speed.",
        group=RECORDING,
        label="speed",
        short="speed",
        importance=6,
        command="Play faster",
    ),
    Key(
        id="jump",
        keys=("j",),
        action="jump",
        shown="j",
        help="Play a recording from the cursor (`c`) on; without one, go to its end.",
        group=RECORDING,
        label="jump",
        short="jump",
        importance=6,
        command="Play from the cursor on, or go to the end",
    ),
)

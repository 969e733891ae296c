"""Commands to a run. A trainer applies each at a step boundary and journals it."""

from dataclasses import dataclass
from typing import ClassVar, Final

from tui_trainer.config import Config
from tui_trainer.run.events import BEST, LAST

KEYBOARD, ATTACHED, COMMAND_LINE = "keyboard", "attached", "command line"
"""Sources of commands: the trainer's own screen, a viewer, and a connection that does not attach."""

PEOPLE: Final = (KEYBOARD, ATTACHED, COMMAND_LINE)
"""Sources that can be asked again."""


@dataclass(frozen=True)
class Command:
    """A command and its `source`; one with a value raises ValueError, with a sentence, for an invalid value."""

    name: ClassVar[str]
    source: str = KEYBOARD

    @property
    def argument(self) -> float | str | bool | None:
        """The command's value, for the journal."""
        return getattr(self, "value", None)


@dataclass(frozen=True)
class Pause(Command):
    name = "pause"


@dataclass(frozen=True)
class Resume(Command):
    name = "resume"


@dataclass(frozen=True)
class StepOnce(Command):
    """Take one step of a paused run, and stay paused."""

    name = "step_once"


@dataclass(frozen=True)
class SaveCheckpoint(Command):
    name = "save_checkpoint"


@dataclass(frozen=True)
class SetTemperature(Command):
    name = "set_temperature"
    value: float = 1.0

    def __post_init__(self) -> None:
        Config().update(temperature=self.value)


@dataclass(frozen=True)
class SetPrompt(Command):
    name = "set_prompt"
    value: str = ""

    def __post_init__(self) -> None:
        Config().update(prompt=self.value)


@dataclass(frozen=True)
class Generate(Command):
    name = "generate"


@dataclass(frozen=True)
class UseModel(Command):
    """Write samples of a finished run with the model of its last step (`last`) or the best by validation (`best`)."""

    name = "use_model"
    value: str = BEST

    def __post_init__(self) -> None:
        if self.value not in (LAST, BEST):
            raise ValueError(f"{self.name} takes {LAST} or {BEST}.")


@dataclass(frozen=True)
class Attach(Command):
    """Journals that a viewer has attached; has no other effect."""

    name = "attach"


@dataclass(frozen=True)
class Detach(Command):
    """Journals that a viewer has detached; has no other effect."""

    name = "detach"


@dataclass(frozen=True)
class Stop(Command):
    """End the run; `value` says whether to save a checkpoint first."""

    name = "stop"
    value: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.value, bool):
            raise ValueError(f"{self.name} takes true, to save a checkpoint first, or false.")


COMMANDS: Final[dict[str, type[Command]]] = {kind.name: kind for kind in Command.__subclasses__()}
"""Every kind of command by its name."""

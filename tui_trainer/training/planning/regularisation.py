"""How much to hold a model back from learning its text by heart: the more often it is to read it, the more."""

from typing import Final

from tui_trainer.config import Config

LEVELS: Final = (
    (5.0, {"dropout": 0.0, "token_masking": 0.0, "bpe_dropout": 0.0}),
    (20.0, {"dropout": 0.1, "token_masking": 0.0, "bpe_dropout": 0.1}),
    (float("inf"), {"dropout": 0.2, "token_masking": 0.1, "bpe_dropout": 0.1}),
)
"""Up to so many planned passes over the text, these settings."""

PATIENT_FROM: Final = 10.0
"""Passes from which a run may end early."""

PATIENCE: Final = 6


def regularise(config: Config, epochs: float) -> dict[str, tuple[float, str]]:
    """The settings left open, decided by planned passes over the training text, each with its reason."""
    settings = next(settings for most, settings in LEVELS if epochs <= most)
    if config.data.tokenizer != "bpe":
        settings = settings | {"bpe_dropout": 0.0}
    settings = settings | {"patience": PATIENCE if epochs > PATIENT_FROM else 0}
    asked = {
        name: getattr(section, name)
        for section in (config.data, config.model, config.run)
        for name in settings
        if hasattr(section, name)
    }
    reason = f"the text is read about {epochs:.1f} times"
    reasons = {
        name: reason for name, value in settings.items() if value != LEVELS[0][1].get(name, 0) or name == "dropout"
    }
    return {
        name: (value, reasons.get(name, "")) if asked[name] is None else (asked[name], "")
        for name, value in settings.items()
    }

"""Why a run ends early. Loads no torch, so that a session can tell these apart before it has."""


class PreparationStopped(Exception):
    """The user left while the run was being prepared."""


class RunFailedError(RuntimeError):
    """Training cannot go on; the message is a sentence for the user: why, and what to try."""

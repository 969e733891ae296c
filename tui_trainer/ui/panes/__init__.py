"""The panes, in the order of their numbers."""

from tui_trainer.ui.panes.learning_rate import LearningRatePane
from tui_trainer.ui.panes.loss import LossPane
from tui_trainer.ui.panes.norms import NormsPane
from tui_trainer.ui.panes.pane import Pane
from tui_trainer.ui.panes.perplexity import PerplexityPane
from tui_trainer.ui.panes.samples import SamplesPane
from tui_trainer.ui.panes.vitals import VitalsPane

PANES: tuple[type[Pane], ...] = (
    LossPane,
    PerplexityPane,
    LearningRatePane,
    NormsPane,
    SamplesPane,
    VitalsPane,
)

__all__ = ["PANES", "Pane"]

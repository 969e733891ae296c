"""The panes, in the order of their numbers: charts come first."""

from tui_trainer.ui.panes.chart_pane import ChartPane
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

for number, pane in enumerate(PANES, 1):
    pane.NUMBER = number

CHARTS = sum(issubclass(pane, ChartPane) for pane in PANES)
"""How many of the panes, the first ones, are charts, of which a small screen shows one."""

__all__ = ["CHARTS", "PANES", "ChartPane", "Pane"]

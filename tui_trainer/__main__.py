"""`python -m tui_trainer` is `tui-trainer`."""

from tui_trainer.cli import main

main()

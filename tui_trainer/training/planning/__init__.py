"""Every choice that the user left open, made: sizes, length, compilation, and the timings behind them."""

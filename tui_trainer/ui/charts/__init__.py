"""Charts: a widget, its layout, its axes, and plotext behind one module."""

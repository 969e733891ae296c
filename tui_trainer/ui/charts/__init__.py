"""Charts: the widget, its layout, axes and series, and the rasteriser, the only module that uses plotext."""

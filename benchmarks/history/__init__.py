"""Long runs: what it costs to keep, to show and to open one."""

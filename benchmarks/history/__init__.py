"""Long runs: the costs of storing, showing and opening one."""

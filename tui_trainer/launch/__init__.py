"""How a process starts and leaves: the terminal, signals, streams, and the process that the shell waits for."""

"""How a process starts and ends: the terminal, signals, streams, and the proxy process that the shell waits for."""

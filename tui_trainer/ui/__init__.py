"""The screen: a Textual app that draws a session's snapshots and sends it commands."""

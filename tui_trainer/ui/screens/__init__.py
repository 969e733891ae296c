"""Screens: the main screen, the dialogs and the help."""

"""Kills runs again and again, and compares each with one that was not killed."""

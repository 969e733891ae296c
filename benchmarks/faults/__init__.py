"""Faults played on real runs: signals, kills, full disks, damage, strangers' files, too little memory, odd viewers."""

"""The scripts, one for each figure."""

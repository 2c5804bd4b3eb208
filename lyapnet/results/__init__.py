"""What all results share: how they are shown, saved and drawn."""

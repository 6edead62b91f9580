"""What a step can do, one file each. A new one is a file, listed here."""

"""How fast it is: a file per figure, each with its yardstick taken in the same run."""

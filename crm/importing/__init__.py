"""Records from a CSV file: kept, read, tried out, imported and rolled back, all in rows that a worker carries on."""

"""The API of the records: a door per address, one domain call each."""

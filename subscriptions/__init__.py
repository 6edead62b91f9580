"""What people outside agreed to receive: consent per address, its history, and the page where they change it."""

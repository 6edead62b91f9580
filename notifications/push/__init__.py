"""Web push (N-026 … N-030): our keys, the browsers that take it, when it goes instead of a pop-up, and sending it."""

"""Conversations with people outside, whichever way they wrote."""

"""Telling our own users that something happened: what can be said, who wants it where, getting there, the receipt.

Never decides who should hear: whoever emits the event does.
"""

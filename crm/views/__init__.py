"""The pages of the records. A door asks who it is, fetches what they may see, makes one call, and words the answer."""

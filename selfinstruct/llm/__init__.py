"""The one door to a language model, and the models behind it."""

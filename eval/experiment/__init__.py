"""Whole experiments: the chain of commands, and the tables of what came out."""

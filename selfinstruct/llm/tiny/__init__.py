"""The embedded model `llm=tiny`: a little world of word tasks, and a small model trained on text about it."""

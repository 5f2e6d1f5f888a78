"""The rating page: its items, who rates which, the log on disk, a rater's desk, and the server."""

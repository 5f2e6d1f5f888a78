"""The errors a person sees: each is one message saying what is wrong, where, and what to do."""


class UserError(Exception):
    """Wrong use or bad input; the command ends with exit code 2 and no traceback."""


class StoppedEarly(Exception):
    """Stopped on purpose before the end (budget, stall, interrupt); exit code 3, the same words resume it."""


class RecordingUsedUp(StoppedEarly):
    """Recorded answers are replayed, and there are no more of them."""

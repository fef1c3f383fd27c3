"""The one exception that is the reader's business: the data or the request cannot be used, and why."""


class Refused(Exception):
    """Its text is shown as it is, without a stack trace; the program ends with exit code 1."""

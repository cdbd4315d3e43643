"""The one exception a user should ever see: what is wrong, where, and the remedy."""


class UserError(Exception):
    """Something the user can mend; the message names it, what was expected, and the remedy."""

"""The one exception a user should ever see: what is wrong, where, and the remedy."""


class UserError(Exception):
    """Something the user can mend; its message names the thing, what was expected and the remedy."""

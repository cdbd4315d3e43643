"""The one exception a user should ever see: what is wrong, where, and the remedy."""


class UserError(Exception):
    """Something the user can mend; the message names it, what was expected, and the remedy."""


def unknown_variant(talk: str, experiment: str, variant: str) -> UserError:
    """What a talk raises when asked to train what it does not know."""
    return UserError(
        f"talk '{talk}', experiment '{experiment}': variant '{variant}' is not known. Correct its "
        "name in talk.yaml"
    )

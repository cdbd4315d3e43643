"""The ground: tasks that are admitted, and the smallest networks that are known for them."""

"""The talks of SNUFA 2020, replicated, and one battery of measurements for all of them."""

"""placeholder"""
def figures(results):
    return {}

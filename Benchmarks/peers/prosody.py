class Prosody:
    def __init__(self, scope, programs):
        raise OSError("not yet")

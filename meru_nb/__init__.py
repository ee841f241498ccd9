__version__ = "0.1.0"

from . import old_names  # finds what has moved

"""The demo clinic: 3 physios and 60 invented patients over 12 weeks, written as real use would have.

demo.load(seed=1, today=today)
"""

from programs.demo.simulation import Loaded, load
from programs.demo.staff import ZONE, existing, logins, logins_file

__all__ = ["ZONE", "Loaded", "existing", "load", "logins", "logins_file"]

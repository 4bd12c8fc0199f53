"""What accounts can be. Apart from the model: the command line must know it without loading the database."""

from typing import Literal

AccountRole = Literal["teacher", "researcher", "school_admin", "region_admin", "admin"]

"""The façade that the command line and a user's code both talk to."""

from __future__ import annotations

from catalog.facade.asking import Asking
from catalog.facade.checking import Checking
from catalog.facade.comparing import Comparing
from catalog.facade.keeping import Keeping
from catalog.facade.measuring import Measuring
from catalog.facade.moving import Moving
from catalog.facade.opening import Opening
from catalog.facade.plotting import Plotting
from catalog.facade.publishing import Publishing
from catalog.facade.rebuilding import Rebuilding
from catalog.facade.registering import Registering
from catalog.facade.reporting import Reporting
from catalog.facade.sweeping import Sweeping
from catalog.facade.upgrading import Upgrading


class Catalog(
    Registering,
    Asking,
    Measuring,
    Plotting,
    Reporting,
    Keeping,
    Comparing,
    Moving,
    Upgrading,
    Sweeping,
    Checking,
    Rebuilding,
    Publishing,
    Opening,
):
    """
    The catalog of strategy traces: one file, `catalog.duckdb`, that knows every trace.

    It holds a path, not a connection: each call opens the file for its own piece of work,
    so that many processes can share it. Its methods are in catalog/facade, one theme a file.
    """

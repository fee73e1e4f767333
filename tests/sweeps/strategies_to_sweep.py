"""Strategies that the tests of sweeps run, also in processes of their own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np


def positions(config, bars):
    """Long while the close is above that of some bars before; some parameters go wrong."""
    close = bars["close"].to_numpy()
    lookback = config["parameters"].get("lookback", 1)
    if lookback == 13:
        raise ValueError("unlucky")
    if lookback == 14:
        return close[1:] > 0
    if lookback == 15:
        return np.full(len(close), np.nan)
    if lookback == 16:
        return None
    if lookback == 17:
        raise SystemExit("enough")
    if lookback == 18:
        os.abort()
    config["parameters"].clear()  # what it does with its own is nobody else's business
    made = np.zeros(len(close))
    made[lookback:] = np.where(close[lookback:] > close[:-lookback], 1.0, -1.0)
    return made


def states(config, bars):
    """Say whether the close is above a level."""
    level = config["parameters"]["level"]
    return ["high" if close > level else "low" for close in bars["close"].to_pylist()]


def whole_and_counted(config, bars):
    """Take a while, and leave a line that says what was computed."""
    with Path(os.environ["COUNTED"]).open("a") as file:
        file.write(f"{config['parameters']['lookback']}\n")
    time.sleep(0.05)
    return np.full(len(bars), config["parameters"]["lookback"])

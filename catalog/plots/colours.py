"""Colours that are told apart on light and dark paper, also by people who see few of them."""

from __future__ import annotations

from typing import Final

# After Okabe and Ito, without the yellow and the black, which one of the two papers swallows, and
# with a brown for the second blue, which is one with the first beside it.
STRATEGIES: Final = ("#0a7cc1", "#d55e00", "#009e73", "#b05fa8", "#e09c00", "#a6763d")
DASHES: Final = ([1, 0], [8, 3])
BENCHMARK: Final = "#868e9b"
BENCHMARK_DASHES: Final = ([1, 0], [8, 3], [2, 2], [12, 3, 2, 3])
PRICE: Final = "#6b7483"
LONG, SHORT = "#0a7cc1", "#d55e00"
# From losing to winning: orange to blue, with the paper's grey between.
AROUND_ZERO: Final = ("#b04a00", "#e79a5b", "#e8e6e3", "#6fb1d9", "#075a91")
ONE_SIDED: Final = "viridis"
GRID: Final = "#868e9b"

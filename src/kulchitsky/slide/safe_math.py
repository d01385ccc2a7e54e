"""Which liberties the compiler may take with floating-point arithmetic in the kernels of the counter."""

from __future__ import annotations

from typing import Final

SAFE_MATH: Final = {"nnan", "ninf", "nsz"}
"""For ``fastmath`` of numba: no NaN, no infinity, the sign of zero doesn't matter; nothing that depends on inlining.

Reassociation and fused multiply-add would make the last bit depend on whether a kernel that is called was compiled
in this process (and inlined) or came from numba's cache (and was not): a count that is resumed, or shared with other
processes, would then differ from one done in one go.
"""

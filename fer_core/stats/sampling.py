"""A part of many faces that has the same share of each expression: for measurements that take long for all of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def stratified(labels: npt.ArrayLike, n: int, *, seed: int = 0) -> npt.NDArray[np.intp]:
    """Positions of about ``n`` of the faces with ``labels`` (whole numbers, (m,)), ascending, drawn class by class.

    Each class gets its share of ``n``, the largest remainders one more, and a class that occurs at least one face (so
    more than ``n`` where there are more classes than that). All m where ``n`` is m or more. With the same seed a larger
    ``n`` keeps nearly all faces of a smaller one. Raises ``ValueError`` for ``n`` below 1.
    """
    values = np.asarray(labels)
    if n < 1 or values.ndim != 1:
        raise ValueError(f"n must be at least 1 and labels a list, not {n} and {values.shape}")
    if n >= len(values):
        return np.arange(len(values))
    classes, counts = np.unique(values, return_counts=True)
    exact = counts * n / len(values)
    shares = np.floor(exact).astype(np.int64)
    # Stable, so that of equal remainders the lower class gets more, on every machine.
    order = np.argsort(-(exact - shares), kind="stable")
    shares[order[: n - int(shares.sum())]] += 1
    shares = np.maximum(shares, 1)
    while shares.sum() > n and shares.max() > 1:
        shares[shares.argmax()] -= 1
    drawn = [
        np.random.default_rng([seed, int(of_class)]).permutation(np.flatnonzero(values == of_class))[:share]
        for of_class, share in zip(classes, shares, strict=True)
    ]
    return np.sort(np.concatenate(drawn))

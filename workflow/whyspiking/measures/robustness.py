"""Curves of the normalised score against the strength of a perturbation (R1, R2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

HALF = 0.5
KEPT = 0.95


def robustness_area(strengths: ArrayLike, normalised: ArrayLike) -> float:
    """R1: mean normalised score over the levels other than 0; 1 nothing lost, 0 all.

    Args:
        strengths: Levels of the perturbation, (level,).
        normalised: Normalised score at each, (level,); nan where undefined makes R1 undefined.
    """
    strengths, normalised = np.asarray(strengths, float), np.asarray(normalised, float)
    perturbed = strengths != 0
    return float(normalised[perturbed].mean()) if perturbed.any() else np.nan


def half_dose(strengths: ArrayLike, normalised: ArrayLike, *, origin: float = 0.0) -> float:
    """R2 and T3: level at which the normalised score falls to 0.5, linear between levels.

    Args:
        strengths: Levels in any order, (level,); they grow away from `origin` as the perturbation
            does (clipping shrinks from 1).
        normalised: Normalised score at each, (level,).
        origin: Level of the unperturbed network, where the normalised score is 1.

    Returns:
        The level of the first crossing; inf if no level reaches 0.5, nan if the score is undefined.
    """
    strengths, normalised = np.asarray(strengths, float), np.asarray(normalised, float)
    if strengths.size == 0 or not np.isfinite(normalised).all():
        return np.nan
    order = np.argsort(np.abs(strengths - origin), kind="stable")
    away = order[strengths[order] != origin]
    levels, scores = np.append(origin, strengths[away]), np.append(1.0, normalised[away])
    if not (scores <= HALF).any():
        return np.inf
    k = int(np.argmax(scores <= HALF))
    (level, next_level), (score, next_score) = levels[k - 1 : k + 1], scores[k - 1 : k + 1]
    return float(level + (next_level - level) * (score - HALF) / (score - next_score))


def bits95(bits: ArrayLike, normalised: ArrayLike) -> float:
    """R2: fewest weight bits that keep 95 % of the normalised score, as do all longer words.

    Args:
        bits: Word lengths measured, (level,).
        normalised: Normalised score at each, (level,).

    Returns:
        The word length; inf if even the longest one falls short, nan if the score is undefined.
    """
    bits, normalised = np.asarray(bits, float), np.asarray(normalised, float)
    if bits.size == 0 or not np.isfinite(normalised).all():
        return np.nan
    too_few = bits[normalised < KEPT].max(initial=-np.inf)
    return float(bits[bits > too_few].min(initial=np.inf))

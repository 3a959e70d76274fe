"""What other estimators make of the same rows: EcoLogits, and a log-linear regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ecologits.impacts.llm import (
    BATCH_SIZE,
    GPU_ENERGY_ALPHA,
    GPU_ENERGY_BETA,
    GPU_ENERGY_GAMMA,
    GPU_MEMORY,
    MODEL_QUANTIZATION_BITS,
    gpu_energy,
    gpu_required_count,
    model_required_memory,
)

if TYPE_CHECKING:
    from tools.fit.rows import Rows

    from kilowhat.methods.call_features import Vector

J_PER_KWH = 3.6e6


def ecologits(rows: Rows) -> Vector:
    """EcoLogits' GPU energy per output token as shipped: batch 64, 16 bit, its GPU count [J].

    Told only the parameters (total and active), as it is in use.
    """
    table = rows.table
    return np.array(
        [
            _ecologits(total, active)
            for total, active in zip(table["total_params_b"], table["active_params_b"], strict=True)
        ]
    )


def _ecologits(total: float, active: float) -> float:
    one = gpu_energy(
        model_active_parameter_count=active,
        output_token_count=1.0,
        batch_size=BATCH_SIZE,
        gpu_energy_alpha=GPU_ENERGY_ALPHA,
        gpu_energy_beta=GPU_ENERGY_BETA,
        gpu_energy_gamma=GPU_ENERGY_GAMMA,
    )
    memory = model_required_memory(
        model_total_parameter_count=total, model_quantization_bits=MODEL_QUANTIZATION_BITS
    )
    count = gpu_required_count(model_required_memory=memory, gpu_memory=GPU_MEMORY)
    return float(one) * count * J_PER_KWH


def regression(rows: Rows) -> Vector:
    """Log errors of a full log-linear regression on raw features, architecture left out.

    Features: logarithms of total and active parameters, batch and its square, count, output
    length, their products with batch, and indicators of accelerator, precision and task.
    """
    matrix, target = _design(rows), np.log(rows.energy_j)
    errors = np.zeros(len(rows))
    for group in np.unique(rows.groups):
        inside = rows.groups == group
        penalty = 1e-3 * np.eye(matrix.shape[1])
        kept, seen = matrix[~inside], target[~inside]
        weights = np.linalg.solve(kept.T @ kept + penalty, kept.T @ seen)
        errors[inside] = matrix[inside] @ weights - target[inside]
    return errors


def _design(rows: Rows) -> Vector:
    table = rows.table
    total, active, batch, count, output = (
        np.log(table[name].to_numpy(float))
        for name in (
            "total_params_b",
            "active_params_b",
            "avg_batch_size",
            "num_gpus",
            "avg_output_len",
        )
    )
    indicators = [
        (table[name] == value).to_numpy(float)
        for name in ("gpu_model", "weight_precision", "task")
        for value in sorted(table[name].unique())[1:]
    ]
    return np.column_stack(
        [
            np.ones(len(table)),
            total,
            active,
            batch,
            batch**2,
            count,
            output,
            batch * active,
            batch * total,
            batch * output,
            *indicators,
        ]
    )

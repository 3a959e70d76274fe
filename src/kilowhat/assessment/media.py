"""Prepare uses that generate images or video."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, get_type_hints

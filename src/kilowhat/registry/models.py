"""Find a model by any of its names, and say how the name was understood.

Names are tried from the letter to the spirit: as written, without the marketplace in front,
without a number format or a serving tag, without a date, without words for tuning.  A name that
could then mean models of different sizes is refused, never guessed.
"""

from __future__ import annotations

import csv
import difflib
import re
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from kilowhat.domain.model import Model, ModelClass, ModelMatch, ParameterCount
from kilowhat.errors import DataError, UnknownModel

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent.parent / "data"
BILLION = 1e9
KINDS = ("text", "image", "video", "audio", "embedding", "vision")
_TEXT_COLUMNS = ("id", "source", "locator", "note")

_REGIONS = r"(?:us-gov|us|eu|apac|au|jp|ca|sa|me|af|global|regional)"
_VENDORS = (
    "anthropic|meta|mistral|amazon|cohere|deepseek|ai21|openai|qwen|moonshotai|moonshot|minimax"
    "|nvidia|google|zai|writer|stability"
)
_MARKET = re.compile(rf"^(?:{_REGIONS}\.)?(?:{_VENDORS})\.(?=[a-z])")
_REVISION = re.compile(r"(?:-v\d+:\d+|-v1|:\d|-maas)$")
_HOUSE = re.compile(r"^(?:meta-(?=llama)|nvidia-(?=nemotron)|c4ai-|zai-(?=glm)|hf-)")
_FORMATS = (
    (re.compile(r"[-_.:](?:mlx-)?(?:awq|gptq)(?:-int4|-4bit)?$"), "int4"),
    (
        re.compile(r"[-_.:](?:iq4_[a-z]+|q4(?:_[01k])?(?:_[sml])?|w4a16|(?:bnb-)?4bit|int4)$"),
        "int4",
    ),
    (re.compile(r"[-_.:](?:gptq-)?(?:q8(?:_[01k])?|w8a8|8bit|int8)$"), "int8"),
    (re.compile(r"[-_.:](?:q[2356](?:_[01k])?(?:_[sml])?|iq[123]_[a-z]+|ud)$"), ""),
    (re.compile(r"[-_.:]fp8(?:-dynamic|-static(?:-per-?tensor)?|-block)?$"), "fp8"),
    (re.compile(r"[-_.:](nvfp4|mxfp4)$"), ""),
    (re.compile(r"[-_.:](bf16|fp16|f16)$"), ""),
    (re.compile(r"[-_.:](?:i1-)?(?:gguf|mlx|onnx|exl[23]|qat|quantized)$"), ""),
)
_TAG = re.compile(
    r"(?:[:@](?:free|thinking|beta|nitro|extended|online|floor|exacto|latest|cloud|default)"
    r"|-(?:latest|preview|cloud|exp|experimental|beta|thinking|non-thinking|reasoning|non-reasoning"
    r"|instant|versatile))$"
)
_DATE = re.compile(r"[-@](?:20\d{2}-?\d{2}-?\d{2}|\d{2}-20\d{2}|\d{2}-\d{2}|\d{4}|00\d)$")
_TUNING = re.compile(r"-(?:instruct|it|chat|base|hf|pt|bf16|diffusers|assistant)$")


def _table(name: str, directory: Path) -> list[dict[str, str]]:
    """The rows of a table, read without the numeric library: completion must stay quick."""
    with (directory / name).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader, [])
        found = []
        for cells in reader:
            if len(cells) != len(header):
                reason = f"{len(cells)} cells where {len(header)} are needed"
                raise DataError(file=name, line=reader.line_num, reason=reason)
            found.append(dict(zip(header, cells, strict=True)))
    return found


def _count(row: dict[str, str], name: str) -> ParameterCount | None:
    central = row[name]
    if not central:
        return None
    low, high = row[f"{name}_low"] or central, row[f"{name}_high"] or central
    count = ParameterCount(*(float(value) * BILLION for value in (low, central, high)))
    if not 0 < count.low <= count.central <= count.high:
        raise DataError(file="models.csv", line=0, reason=f"{row['id']}: {name} is out of order")
    return count


def _model(row: dict[str, str]) -> Model:
    return Model(
        id=row["id"],
        name=row["name"],
        provider=row["provider"],
        kind=row["kind"],
        is_open=row["open"] == "1",
        total=_count(row, "total"),
        active=_count(row, "active"),
        architecture=row["architecture"],
        experts=int(row["experts"]) if row["experts"] else None,
        takes_images=row["images_in"] == "1",
        takes_audio=row["audio_in"] == "1",
        takes_video=row["video_in"] == "1",
        is_reasoning=row["reasoning"] == "1",
        precision=row["precision"],
        released=date.fromisoformat(row["released"]) if row["released"] else None,
        aliases=tuple(filter(None, row["aliases"].split("|"))),
        basis=row["basis"],
        source=row["source"],
        locator=row["locator"],
        note=row["note"],
    )


def _key(name: str) -> str:
    """A name without the freedoms of writing: 3.1, 3-1 and 3p1; llama-3 and llama3."""
    plain = re.sub(r"v?(?<=\d)p(?=\d)", ".", re.sub(r"(?<![a-z])v(?=\dp\d)", "", name))
    plain = re.sub(r"[\s_:.]+", "-", plain)
    return re.sub(r"(?<=[a-z])-(?=\d)|(?<=\d)-(?=[a-z])", "", plain)


def _bare(name: str) -> str:
    """The last part of a name, without house prefixes and words for tuning."""
    last = _HOUSE.sub("", name.rsplit("/", 1)[-1])
    while (shorter := _TUNING.sub("", last)) != last and shorter:
        last = shorter
    return last


class Catalogue:
    """Every model of a data directory, with an index of names; models are built when asked for."""

    def __init__(self, directory: Path = DATA) -> None:
        self.rows = {row["id"]: row for row in _table("models.csv", directory)}
        self._aliases: dict[str, str] = {}
        for identity, row in self.rows.items():
            for alias in filter(None, row["aliases"].lower().split("|")):
                self._aliases[alias] = identity
        self._built: dict[str, Model] = {}
        self._loose: dict[str, list[str]] = {}

    def __iter__(self) -> Iterator[Model]:
        return map(self.model, self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def model(self, identity: str) -> Model:
        """The model of an id."""
        if identity not in self._built:
            self._built[identity] = _model(self.rows[identity])
        return self._built[identity]

    def match(self, name: str) -> ModelMatch:
        """The model that a name means, and how the name was understood.

        Raises:
            UnknownModel: no model has such a name, or models of different sizes might be meant;
                names the nearest ones.
        """
        found = self.find(name)
        if found is None:
            raise UnknownModel(name=name, nearest=self.nearest(name.strip().lower()))
        return found

    def find(self, name: str) -> ModelMatch | None:
        """The same, or nothing: the nearest names are slow to find."""
        precision = ""
        for candidate, how, stated in _readings(name.strip().lower()):
            precision = stated or precision
            found = self._look_up(candidate, is_loose=how != "")
            if found:
                return ModelMatch(name, self.model(found[0]), how or found[1], precision)
        return None

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """The ids whose names look most like a name, best first."""
        meant = self._loose_ids(_key(_bare(name)))
        names = {alias.rsplit("/", 1)[-1]: identity for alias, identity in self._aliases.items()}
        names |= {identity: identity for identity in self.rows}
        last = name.rsplit("/", 1)[-1]
        close = difflib.get_close_matches(last, names, n=4 * count, cutoff=0.6)
        return list(dict.fromkeys([*meant, *(names[match] for match in close)]))[:count]

    def _look_up(self, name: str, *, is_loose: bool) -> tuple[str, str] | None:
        """The id that a name stands for, as "exact", "alias" or "normalised"."""
        if name in self.rows:
            return name, "exact"
        if name in self._aliases:
            return self._aliases[name], "alias"
        bare = name.rsplit("/", 1)[-1]
        for whole, how in ((bare, "alias"), (_key(bare), "normalised")):
            identity = self._unique(self._loose_ids(whole, is_exact=how == "alias"))
            if identity:
                return identity, how
        identity = self._unique(self._loose_ids(_key(_bare(name)))) if is_loose else ""
        return (identity, "normalised") if identity else None

    def _unique(self, identities: list[str]) -> str:
        """The one model meant, or "" when models that differ in size might be."""
        different = {tuple(self.rows[i][c] for c in _SIZE) for i in identities}
        return identities[0] if len(different) == 1 else ""

    def _loose_ids(self, key: str, *, is_exact: bool = False) -> list[str]:
        """The ids that share a name without its marketplace, its punctuation or its tuning."""
        if not self._loose:
            for identity, row in self.rows.items():
                for name in (identity, *row["aliases"].lower().split("|")):
                    for form in _forms(name):
                        known = self._loose.setdefault(form, [])
                        if identity not in known:
                            known.append(identity)
        return self._loose.get(("=" if is_exact else "~") + key, [])


_SIZE = ("kind", "architecture", "total", "active", "precision")


def _forms(name: str) -> Iterator[str]:
    """The keys under which a name of the table is filed: by its last part, loosely, and bare."""
    last = name.rsplit("/", 1)[-1]
    if last:
        yield "=" + last
        yield from dict.fromkeys(("~" + _key(last), "~" + _key(_bare(last))))


def _readings(asked: str) -> Iterator[tuple[str, str, str]]:
    """What a name may be short or long for: (name, how it was understood, number format)."""
    yield asked, "", ""
    last = _MARKET.sub("", asked.rsplit("/", 1)[-1])
    last = _REVISION.sub("", last)
    yield last, "normalised", ""
    precision = ""
    while True:
        last, stated = _without_format(last)
        if stated is None:
            break
        precision = stated or precision
        yield last, "normalised", precision
    how = "normalised"
    for _ in range(3):
        shorter = _TAG.sub("", last)
        if shorter == last:
            shorter = _DATE.sub("", last)
            how = "dated alias" if shorter != last else how
        if shorter == last:
            return
        last = shorter
        yield last, how, precision


def _without_format(name: str) -> tuple[str, str | None]:
    """A name less its number format, and that format; ``None`` when it ends with none."""
    for pattern, precision in _FORMATS:
        found = pattern.search(name)
        if found and found.start():
            return name[: found.start()], precision or (found.groups() or ("",))[0]
    return name, None


@lru_cache(maxsize=4)
def load(directory: Path = DATA) -> Catalogue:
    """The models of a data directory.

    Raises:
        DataError: the table's header or a row is malformed.
    """
    return Catalogue(directory)


def match(name: str, directory: Path = DATA) -> ModelMatch:
    """The model that a name means, how it was understood, and the number format it states.

    Raises:
        UnknownModel: no model has such a name, or models of different sizes might be meant.

    >>> match("openai/gpt-4o-2024-08-06").how
    'dated alias'
    """
    return load(directory).match(name)


def find(name: str, directory: Path = DATA) -> Model:
    """The model that a name means.

    Raises:
        UnknownModel: no model has such a name, or models of different sizes might be meant.

    >>> find("meta-llama/Llama-3.1-70B-Instruct").architecture
    'llama-3-70b'
    """
    return match(name, directory).model


@lru_cache(maxsize=4)
def classes(directory: Path = DATA) -> dict[str, ModelClass]:
    """The size classes that ``--like`` knows, by id.

    >>> list(classes())
    ['any', 'frontier', 'large', 'medium', 'small']
    """
    found = {}
    for row in _table("model_classes.csv", directory):
        total, active = _count(row, "total"), _count(row, "active")
        if total is None or active is None:
            raise DataError(file="model_classes.csv", line=0, reason=f"{row['id']} has no size")
        found[row["id"]] = ModelClass(
            row["id"], row["label_en"], row["label_fr"], total, active,
            row["source"], row["locator"], row["note"],
        )  # fmt: skip
    return found


@lru_cache(maxsize=4)
def layouts(directory: Path = DATA) -> dict[str, dict[str, float]]:
    """The numeric columns of every published layout, by architecture id; blanks are left out.

    >>> layouts()["llama-3-70b"]["layers"]
    80.0
    """
    words = {*_TEXT_COLUMNS, "published_total", "published_active"}
    return {
        row["id"]: {name: float(cell) for name, cell in row.items() if cell and name not in words}
        for row in _table("architectures.csv", directory)
    }

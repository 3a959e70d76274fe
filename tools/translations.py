"""The French catalogue: gather the messages, merge them, compile them, check them.

    python tools/translations.py extract   the template, on standard output
    python tools/translations.py update    add new messages to messages.po, drop the old ones, and
                                           list what is left to translate
    python tools/translations.py fill FILE put translations in: a JSON object {"English": "French"}
    python tools/translations.py compile   write messages.mo (update and fill do it too)
    python tools/translations.py check     everything translated, placeholders kept, .mo up to date

The domain is ``messages``, and click's own messages are in it, so that click's look-ups are served
by the same file.  Needs babel (a development dependency).
"""

from __future__ import annotations

import ast
import gettext
import io
import json
import re
import string
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "kilowhat"
FRENCH = SOURCE / "language" / "locales" / "fr" / "LC_MESSAGES"
PO, MO = FRENCH / "messages.po", FRENCH / "messages.mo"
KEYWORDS = {"translate": None, "mark": None}
CLICK_KEYWORDS = {"_": None, "ngettext": (1, 2)}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)  # a date that changes makes every merge a conflict

# Messages of click to whoever writes a command wrongly, or for Windows' console: never surfaced.
TO_DEVELOPERS = (
    "Arguments take exactly one",
    "Boolean option {decl!r}",
    "Could not determine name",
    "DeprecationWarning",
    "Invalid start character",
    "Name '{name}' defined twice",
    "No options defined but",
    "Unknown color",
    "Unknown standard stream",
    "Value must be an iterable",
    "Windows error",
    "Choice({choices})",
)
# Messages of the oldest supported click that newer ones word otherwise.
EARLIER_CLICK: tuple[str | tuple[str, str], ...] = (
    ("Did you mean {possibility}?", "(Possible options: {possibilities})"),
    "(Deprecated) {text}",
    "Error: {e.message}",
    "Error: The value you entered was invalid.",
    "No such option: {name}",
    "{value!r} is not a valid boolean.",
    "Try '{command} {option}' for help.",
)


def new_catalogue() -> Catalog:
    return Catalog(
        locale="fr",
        domain="messages",
        project="kilowhat",
        version="",
        copyright_holder="the kilowhat authors",
        msgid_bugs_address="",
        last_translator="the kilowhat authors",
        language_team="French",
        creation_date=LONG_AGO,
        revision_date=LONG_AGO,
        charset="utf-8",
        fuzzy=False,
        header_comment="# French translations of kilowhat, and of the messages of click it shows.",
    )


def extract() -> Catalog:
    """Every message of kilowhat, then every message of click that a user can meet."""
    catalogue = new_catalogue()
    for file, _, message, _, _ in extract_from_dir(SOURCE, keywords=KEYWORDS):
        if not message:
            continue
        catalogue.add(message, locations=[(f"src/kilowhat/{file}", None)])
    folder = Path(click.__file__).parent
    for file, _, message, _, _ in extract_from_dir(folder, keywords=CLICK_KEYWORDS):
        first = message if isinstance(message, str) else message[0]
        if not first.startswith(TO_DEVELOPERS) and not file.startswith("_winconsole"):
            catalogue.add(message, locations=[(f"click/{file}", None)])
    for message in EARLIER_CLICK:
        catalogue.add(message, locations=[("click/8.1", None)])
    return catalogue


def read() -> Catalog:
    if not PO.exists():
        return new_catalogue()
    with PO.open("rb") as file:
        return read_po(file, locale="fr", domain="messages")


def key_of(message: Message) -> str:
    return str(message.id[0] if message.pluralizable else message.id)


def translations() -> dict[str, object]:
    return {key_of(m): m.string for m in read() if m.id and m.string}


def write(known: dict[str, object]) -> None:
    """Write the messages of the sources, each with the translation that is known of it."""
    catalogue = extract()
    for message in catalogue:
        string = known.get(key_of(message)) if message.id else None
        if string and isinstance(string, str) != message.pluralizable:
            message.string = string if isinstance(string, str) else tuple(string)
    PO.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=100, sort_by_file=True, include_lineno=False)
    useless = rb'"(Generated-By|Report-Msgid-Bugs-To|Project-Id-Version|POT-Cr|PO-Rev).*\n'
    PO.write_bytes(re.sub(useless, b"", buffer.getvalue()))


def untranslated(catalogue: Catalog) -> list[Message]:
    return [m for m in catalogue if m.id and not (all(m.string) if m.pluralizable else m.string)]


def update() -> int:
    write(translations())
    left = untranslated(read())
    print(json.dumps({key_of(m): "" for m in left}, ensure_ascii=False, indent=1))
    print(f"{len(left)} of {len(read())} messages to translate", file=sys.stderr)
    return compile_mo()


def fill(path: Path) -> int:
    """Put translations in; a message with a plural takes a list of two."""
    given = json.loads(path.read_text("utf-8"))
    write(translations() | {key: string for key, string in given.items() if string})
    for key in sorted(given.keys() - {key_of(m) for m in read()}):
        print(f"not a message: {key!r}", file=sys.stderr)
    return compile_mo()


def compile_mo() -> int:
    catalogue = read()
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    MO.write_bytes(buffer.getvalue())
    return 0


def placeholders(text: str) -> list[str]:
    fields = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    return sorted(fields | set(re.findall(r"%\(\w+\)[sd]", text)))


# An ordinary space, or none, before a French double sign; and straight quotes used as quotes.
SPACING = re.compile(r"[^\W\d_}»)] ?[;:?!](?=\s|$)| [;:?!»]|« ")


def check_message(message: Message) -> list[str]:
    ids = message.id if message.pluralizable else (message.id,)
    strings = message.string if message.pluralizable else (message.string,)
    problems = []
    if message.fuzzy:
        problems.append("fuzzy")
    for text in strings:
        if not text:
            problems.append("not translated")
            continue
        try:
            if not any(placeholders(text) == placeholders(one) for one in ids):
                problems.append(f"placeholders differ: {text!r}")
        except ValueError as error:
            problems.append(f"{error}: {text!r}")
        if SPACING.search(text):
            problems.append(f"no-break space wanted before a double sign: {text!r}")
    return [f"{ids[0]!r}: {problem}" for problem in problems]


def check_calls() -> list[str]:
    """Messages that cannot be gathered, because their text is computed."""
    problems = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            computed = (ast.JoinedStr, ast.BinOp)
            if node.func.id in KEYWORDS and node.args and isinstance(node.args[0], computed):
                name = path.relative_to(ROOT)
                problems.append(f"{name}:{node.lineno}: the message is computed: not gathered")
    return problems


def check_compiled(catalogue: Catalog) -> list[str]:
    if not MO.exists():
        return ["messages.mo is missing: run compile"]
    with MO.open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    buffer.seek(0)
    wanted = dict(gettext.GNUTranslations(buffer)._catalog)  # type: ignore[attr-defined]
    compiled.pop("", None)
    wanted.pop("", None)
    return [] if compiled == wanted else ["messages.mo is older than messages.po: run compile"]


def problems() -> list[str]:
    """What is wrong with the catalogue; empty when all is well."""
    known, wanted = read(), extract()
    ids = {message.id for message in wanted if message.id}
    found = [f"{i!r}: not in messages.po: run update" for i in ids if i not in known]
    found += [f"{m.id!r}: in no source: run update" for m in known if m.id and m.id not in wanted]
    for message in known:
        if message.id:
            found += check_message(message)
    return found + check_calls() + check_compiled(known)


def check() -> int:
    found = problems()
    for problem in found:
        print(problem)
    print(f"{len(read())} messages, {len(found)} problems")
    return 1 if found else 0


def main(arguments: list[str]) -> int:
    match arguments:
        case ["extract"]:
            write_po(sys.stdout.buffer, extract(), width=100, include_lineno=False)
            return 0
        case ["update"]:
            return update()
        case ["fill", path]:
            return fill(Path(path))
        case ["compile"]:
            return compile_mo()
        case ["check"]:
            return check()
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

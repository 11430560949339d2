"""The API's description as a page shows it: operations by part, shapes with their members. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.i18n import N_, _

Schema = Mapping[str, Any]
API = "/api/v1/"
METHODS = ("get", "post", "put", "patch", "delete")
# Part → what it is called. Those of the merchants' API come first.
MERCHANTS = {
    "orders": N_("Orders"), "payments": N_("Payments"), "refunds": N_("Refunds"), "events": N_("Events"),
    "webhooks": N_("Webhooks"),
}  # fmt: skip
OTHERS = {
    "shop": N_("The shop"), "payments": N_("Paying an order of the shop"), "fulfillment": N_("Keys"),
    "account": N_("Signing in"), "embed": N_("The checkout in a page"),
    "webhooks": N_("Notices from providers"), "operations": N_("Operations"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    kind: str
    shape: str  # the name of its shape, where it has one
    required: bool
    meaning: str
    limits: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    meaning: str
    kind: str
    shape: str


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    title: str
    description: str
    keyed: bool
    parameters: tuple[tuple[str, Member], ...]  # where it stands (path, query, header), and what it is
    body: tuple[str, str] | None  # its kind and its shape
    examples: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]
    shown: str  # the answer's example


@dataclass(frozen=True, slots=True)
class Part:
    anchor: str
    title: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    description: str
    members: tuple[Member, ...]


def parts_of(document: Schema) -> list[Part]:
    """Every operation once, under its first tag; the merchants' API first."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                tag = (operation.get("tags") or ["operations"])[0]
                key = f"api-{tag}" if path.startswith(API) else tag
                found.setdefault(key, []).append(_operation(method, path, operation))
    names = {f"api-{tag}": title for tag, title in MERCHANTS.items()} | OTHERS
    known = [*names, *(key for key in found if key not in names)]
    return [
        Part(key, _(names.get(key, key.removeprefix("api-").title())), tuple(found[key]))
        for key in known
        if key in found
    ]


def shapes_of(document: Schema) -> list[Shape]:
    """Every named shape, by its name."""
    return [
        Shape(name, schema.get("description", ""), tuple(_members(schema)))
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    ]


def _operation(method: str, path: str, operation: Schema) -> Operation:
    parameters = tuple(
        (
            each["in"],
            _member(each["name"], each.get("schema", {}), bool(each.get("required")), each.get("description", "")),
        )
        for each in operation.get("parameters", [])
    )
    body = _content(operation.get("requestBody", {}))
    good: Schema = next((each for status, each in operation["responses"].items() if status.startswith("2")), {})
    examples = ((name, _text(each["value"])) for name, each in body.get("examples", {}).items())
    return Operation(
        anchor=str(operation["operationId"]), method=method.upper(), path=path, title=operation.get("summary", path),
        description=operation.get("description", ""), keyed=bool(operation.get("security")), parameters=parameters,
        body=_kind(body["schema"]) if body else None, examples=tuple(examples),
        answers=tuple(_answer(status, each) for status, each in sorted(operation["responses"].items())),
        shown=_text(_content(good)["example"]) if "example" in _content(good) else "",
    )  # fmt: skip


def _content(part: Schema) -> dict[str, Any]:
    return dict(next(iter(part.get("content", {}).values()), {}))


def _answer(status: str, part: Schema) -> Answer:
    kind, shape = _kind(_content(part).get("schema", {}))
    return Answer(status, part.get("description", ""), kind, shape)


def _members(schema: Schema) -> list[Member]:
    required = set(schema.get("required", ()))
    return [_member(name, each, name in required) for name, each in schema.get("properties", {}).items()]


def _member(name: str, schema: Schema, required: bool, meaning: str = "") -> Member:
    kind, shape = _kind(schema)
    inner = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    return Member(
        name,
        kind,
        shape,
        required,
        meaning or schema.get("description") or inner.get("description", ""),
        _limits(inner),
    )


def _kind(schema: Schema) -> tuple[str, str]:
    """What a value is, in words, and the shape that it or each of its elements has."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return name, name
    for several in ("anyOf", "oneOf"):
        if several in schema:
            each = [_kind(one) for one in schema[several]]
            words = " or ".join(dict.fromkeys(kind for kind, _shape in each))
            return words, next((shape for _kind, shape in each if shape), "")
    if schema.get("type") == "array":
        kind, shape = _kind(schema.get("items", {}))
        return f"list of {kind}", shape
    given = schema.get("type", "string" if "enum" in schema or "const" in schema else "any")
    kinds: list[str] = given if isinstance(given, list) else [given]
    names = ["text" if kind == "string" else kind for kind in kinds]
    return " or ".join(names) + (f" ({schema['format']})" if "format" in schema else ""), ""


def _limits(schema: Schema) -> str:
    """What may stand there, in words; patterns are for machines."""
    told = []
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        told.append(", ".join(str(value) for value in values))
    for name, words in (("minimum", "at least"), ("maximum", "at most"), ("default", "else")):
        if name in schema:
            told.append(f"{words} {schema[name]}")
    if "maxLength" in schema and not values:
        told.append(f"at most {schema['maxLength']} characters")
    return "; ".join(told)


def _text(example: Any) -> str:
    return json.dumps(example, indent=2, ensure_ascii=False)

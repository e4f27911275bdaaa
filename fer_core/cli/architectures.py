"""``architectures``: what can be trained."""

from __future__ import annotations

import argparse
from typing import Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import some
from fer_core.value_types import JsonObject


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "architectures",
        help="list the architectures, or show one's layers",
        description="List the architectures, or show the layer table of one.",
    )
    parser.add_argument("name", nargs="?", type=some, help="show this one's layers")
    parser.add_argument(
        "--write", action="store_true", help="for developers: write the layer tables that ship, from the code"
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.zoo.describe import description
    from fer_core.zoo.registry import get, names

    if args.write:
        return _write()
    if args.name:
        table = description(args.name)
        rows = [
            f"{row.name:<28} {row.type:<22} {'×'.join(map(str, row.output_shape)):<12} {row.parameters:>10,} "
            f"{row.multiply_adds:>14,}"
            for row in table.layers
        ]
        head = f"{'layer':<28} {'type':<22} {'output':<12} {'parameters':>10} {'multiply-adds':>14}"
        total = f"{'all':<64} {table.parameters:>10,} {table.multiply_adds:>14,}"
        return table.to_dict(), "\n".join([get(args.name).summary, "", head, *rows, total])
    entries: list[dict[str, Any]] = []
    for name in names():
        table = description(name)
        entries.append(
            {
                "name": name,
                "title": get(name).title,
                "summary": get(name).summary,
                "input_size": table.input_size,
                "parameters": table.parameters,
                "multiply_adds": table.multiply_adds,
                "map_grid": list(table.map_grid),
            }
        )
    lines = [
        f"{entry['name']:<22} {entry['parameters'] / 1e6:6.1f} M parameters, "
        f"{entry['multiply_adds'] / 1e6:8,.0f} M multiply-adds a face, works at {entry['input_size']} px, "
        f"class maps {entry['map_grid'][0]}×{entry['map_grid'][1]}"
        for entry in entries
    ]
    return {"architectures": entries}, "\n".join(lines)


def _write() -> tuple[JsonObject, str]:
    import keras

    from fer_core.files import write_json
    from fer_core.writable import check_writable
    from fer_core.zoo.describe import DESCRIPTIONS, describe_model
    from fer_core.zoo.registry import get, names

    DESCRIPTIONS.mkdir(exist_ok=True)
    check_writable(DESCRIPTIONS, "the layer tables")
    for name in names():
        # Keras numbers unnamed layers through the whole session; the table must not depend on what came before.
        keras.backend.clear_session()
        architecture = get(name)
        table = describe_model(architecture.build_default(), name, architecture.default_input_size)
        write_json(DESCRIPTIONS / f"{name}.json", table.to_dict())
    return {"written": list(names())}, f"Wrote {len(names())} layer tables to {DESCRIPTIONS}."

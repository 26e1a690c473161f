"""A card as Markdown, as hubs of models show it."""

from collections.abc import Mapping
from shlex import quote
from typing import Any

import yaml

from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.evaluation.results_table import caption, cell
from slimgan_pl.export.model_card_snippets import snippets_of
from slimgan_pl.utils.formatting import compact, duration, macs_text, markdown_table

__all__ = ["card_markdown"]

METHOD = (
    "Hou et al., *Slimmable Generative Adversarial Networks*, AAAI 2021 "
    "([arXiv 2012.05660](https://arxiv.org/abs/2012.05660))"
)

LIMITS = """\
Made for research and for drawing images like those that it was trained on. It repeats what these hold, with their gaps
and biases, and may draw images close to single ones of them; its images are no evidence of anything real. A narrower
width is cheaper and usually draws worse. The figures hold for the images and numbers that they are stamped with, and
say nothing of other data. This card claims no licence: whether the training data allow the use that you have in mind is
yours to check."""

ALONE = (
    " It was trained alone at width {0:g} of the configured channels: these are all that it has, so that width is "
    "called 1 here and in the files."
)

DISTANCES = {"distance": "{:.4g}", "distance_change": "{:+.2g}"}


def card_markdown(card: Mapping[str, Any]) -> str:
    """Return a card as Markdown with YAML in front.

    Args:
        card: What ``make_card`` returned, or ``model_card.json`` holds.
    """
    sections = {
        "Use": use(card),
        "Widths": widths(card),
        "Files": files(card),
        "Agreement with PyTorch": agreement(card),
        "Inputs and output": contract(card),
        "Training": training(card),
        "Intended use and limits": LIMITS,
        "Provenance": provenance(card),
    }
    parts = [front_matter(card), f"# {card['title']}", introduction(card)]
    parts += [f"## {name}\n\n{text}" for name, text in sections.items() if text]
    return "\n\n".join(parts) + "\n"


def front_matter(card: Mapping[str, Any]) -> str:
    """Return the metadata that Hugging Face's hub reads; there is no licence in it."""
    kinds = {"safetensors" if file["kind"] == "safetensors" else "onnx" for file in card["files"]}
    about: dict[str, Any] = {"library_name": "slimgan-pl"}
    if not card["generator"]["num_classes"]:
        about["pipeline_tag"] = "unconditional-image-generation"
    about["tags"] = ["gan", "slimgan", "image-generation", *sorted(kinds)]
    return f"---\n{yaml.safe_dump(about, sort_keys=False)}---"


def introduction(card: Mapping[str, Any]) -> str:
    """Return what the net is and where the method is from."""
    net, individual = card["generator"], card["training"]["individual"]
    colour = {1: "grey ", 3: "colour "}.get(net["image_channels"], "")
    images = f"{net['image_size']}x{net['image_size']} {colour}images"
    classes = f" of {net['num_classes']} classes" if net["num_classes"] else ""
    if len(net["widths"]) == 1:
        alone = "" if individual is None else ALONE.format(individual)
        return (
            f"The generator of a GAN of one width (`{net['class']}`) that draws {images}{classes} from random latents."
            f"{alone} Method: {METHOD}."
        )
    listed = ", ".join(f"{width:g}" for width in net["widths"])
    return (
        f"The generator of a slimmable GAN (`{net['class']}`) that draws {images}{classes} from random latents. It was "
        f"trained once and runs at any of these widths, each a share of its channels: {listed}. The same latent gives "
        f"alike images at all of them. Method: {METHOD}."
    )


def use(card: Mapping[str, Any]) -> str:
    return "\n\n".join(f"{text}\n\n```python\n{code}```" for text, code in snippets_of(card))


def widths(card: Mapping[str, Any]) -> str:
    """Return the table with a row per width, and what its figures are stamped with."""
    results = None if card["evaluation"] is None else EvaluationResults.from_json(card["evaluation"])
    head = ["width", "parameters", "MACs per image", "weights in float32"]
    if results is not None:
        head += [f"{results.label(column.key)} {column.arrow}" for column in results.columns]
    rows = []
    for row in card["widths"]:
        width = row["width"]
        sizes = [f"{width:g}", f"{row['parameters']:,}", compact(row["macs"]), size_text(row["weight_bytes"])]
        found = None if results is None else results.row(width)
        if results is not None and found is not None:
            sizes += [cell(column, found, results) for column in results.columns]
        rows.append(sizes + [""] * (len(head) - len(sizes)))
    return f"{markdown_table(head, rows)}\n\n{judged(card)}"


def judged(card: Mapping[str, Any]) -> str:
    """Return how the figures were measured, or that there are none."""
    if card["evaluation"] is None:
        return (
            "**Not judged**: no evaluation of exactly this checkpoint was found. This judges it, and the next export "
            f"tells the figures:\n\n```sh\nslimgan test --ckpt_path {quote(card['checkpoint']['file'])}\n```"
        )
    results = EvaluationResults.from_json(card["evaluation"])
    provenance = results.provenance
    notes = (caption(results) or "").replace("\n", "; ")
    stamped = f"Arrows point to where a figure is better{f'; {notes}' if notes else ''}."
    told = {"Iteration": f"{results.iteration:,}", **stamps(card["evaluation"])}
    told["Evaluation"] = f"{provenance['seconds']} s" if provenance.get("seconds") else ""
    by_iteration = provenance["matched_by"] == "iteration"
    told["Checkpoint"] = "matched by its iteration, not by a checksum" if by_iteration else ""
    return f"{stamped}\n\n{bullets(told)}"


def stamps(results: Mapping[str, Any]) -> dict[str, str]:
    """Return what figures depend on, a line for each thing that is known."""
    return {
        "Protocol": listed(results["protocol"]),
        "Extractor": listed(results["extractor"]),
        "Classifier": listed(results.get("classifier") or {}),
        "Device": str(results.get("device") or ""),
        "Versions": listed(results.get("versions") or {}),
    }


def files(card: Mapping[str, Any]) -> str:
    """Return the table with a row per file, and the checksums as ``sha256sum -c`` reads them."""
    kinds = {"safetensors": "safetensors", "onnx": "ONNX, one width", "onnx-multi": "ONNX, all widths"}
    rows = [
        [
            f"`{file['name']}`",
            kinds[file["kind"]],
            file["precision"],
            " ".join(f"{width:g}" for width in file["widths"]),
            "yes" if file["folded"] else "no",
            size_text(file["bytes"]),
        ]
        for file in card["files"]
    ]
    sums = "\n".join(f"{file['sha256']}  {file['name']}" for file in card["files"])
    head = ["file", "format", "precision", "widths", "batch norms folded", "size"]
    return f"{markdown_table(head, rows)}\n\nSHA-256:\n\n```text\n{sums}\n```"


def agreement(card: Mapping[str, Any]) -> str:
    """Return the table with a row per file and width that was compared, or nothing."""
    compared = [(file["name"], error) for file in card["files"] for error in file["errors"]]
    if not compared:
        return ""
    distances = card["distances"]
    head = ["file", "width", "largest error", "RMS error"]
    if distances is not None:
        name = distances["extractor"]["name"]
        head += [f"Fréchet distance ({name})", "change"]
    rows = []
    for file, error in compared:
        row = [f"`{file}`", f"{error['width']:g}", f"{error['max_abs']:.2g}", f"{error['rms']:.2g}"]
        if distances is not None:
            row += [form.format(error[key]) if error.get(key) is not None else "" for key, form in DISTANCES.items()]
        rows.append(row)
    parts = [
        "Images of the files less those that PyTorch draws in float32 from the same latents; values in [-1, 1].",
        markdown_table(head, rows),
    ]
    if distances is not None:
        parts.append("Distances, and their changes from PyTorch's on the same latents, were measured so:")
        parts.append(bullets(stamps(distances)))
    return "\n\n".join(parts)


def contract(card: Mapping[str, Any]) -> str:
    """Return the table of what the files take and give: a session of ONNX, or PyTorch's generator."""
    rows = []
    for direction in ("inputs", "outputs"):
        for value in card[direction]:
            shape = f"({', '.join(map(str, value['shape']))})" if value["shape"] else "scalar"
            rows.append([direction[:-1], f"`{value['name']}`", value["dtype"], shape, value["values"]])
    of_onnx = card["interface"] == "onnx"
    taker = "the ONNX files" if of_onnx else f"`{card['interface']}` of the generator that `load_generator` returns"
    described = markdown_table(["", "name", "type", "shape", "values"], rows)
    return f"{described}\n\nOf {taker}; N is any number of images at once."


def training(card: Mapping[str, Any]) -> str:
    """Return how the net was trained."""
    about = card["training"]
    data, cost = about["data"], about["cost"] or {}
    told = {
        "Iterations": f"{about['iterations']:,}",
        "Data": f"{data['name']} (`{data['class']}`)" if data else "not recorded",
        **{name.replace("_", " ").capitalize(): listed(value) for name, value in about["settings"].items()},
        "Cost": f"{duration(cost['device_seconds'])} on all devices, {macs_text(cost.get('macs'))} MACs"
        if cost
        else "",
    }
    return bullets(told)


def provenance(card: Mapping[str, Any]) -> str:
    checkpoint = card["checkpoint"]
    told = {
        "Checkpoint": f"`{checkpoint['file']}`, SHA-256 `{checkpoint['sha256']}`",
        "Iteration": f"{card['training']['iterations']:,}",
        "Exported": card["date"],
        "Versions": listed(card["versions"]),
    }
    return bullets(told)


def bullets(told: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {text}" for name, text in told.items() if text)


def listed(value: Any) -> str:
    """Return nested plain values in one line; what is None is left out.

    >>> listed({"real_split": "test", "seeds": [0, 1], "data": None})
    'real split test, seeds 0 1'
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {listed(item)}" for name, item in value.items() if item is not None)
    return " ".join(map(listed, value)) if isinstance(value, list) else str(value)


def size_text(count: int) -> str:
    """Return a number of bytes.

    >>> size_text(297537), size_text(12)
    ('298 kB', '12 B')
    """
    text = compact(count)
    return f"{text}B" if " " in text else f"{text} B"

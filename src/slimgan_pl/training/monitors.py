"""Names that callbacks such as early stopping can monitor."""

import warnings
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from lightning.pytorch import Callback

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.evaluation.features import Extraction
from slimgan_pl.evaluation.metrics.metric import Column
from slimgan_pl.evaluation.metrics.registry import METRICS
from slimgan_pl.evaluation.monitored_metric import MonitoredMetric
from slimgan_pl.evaluation.results_json import STD, metric_key
from slimgan_pl.training.gradient_norms import NORM
from slimgan_pl.training.slimgan import SlimGAN

__all__ = ["check_best", "check_monitors", "loss_names", "mean_names", "metric_names"]

SHOWN = 6  # names in a message


def loss_names(model: SlimGAN) -> list[str]:
    """Return the names that training logs: means, then those of each width."""
    widths = widths_of(model)
    means = ["discriminator_loss", "generator_loss"]
    names = [*means, "real_logits", "fake_logits", "real_sign"]
    if model.penalizes:
        names.append("gradient_penalty")
    if model.step_settings.micro_batches == 1:
        names += [f"generator{NORM}", f"discriminator{NORM}"]
    per_width = [f"{name}/{width:g}" for name in names for width in widths]
    if model.objective.distill_target != "none" and len(widths) > 1:
        means.append("distillation_loss")
        per_width += [f"distillation_loss/{width:g}" for width in widths[:-1]]
    return [*means, *per_width]


def metric_names(model: SlimGAN, extraction: Extraction | None) -> list[str]:
    """Return the names that an evaluation logs, such as ``fid_digits/1``."""
    of_widths, between = evaluated_keys(model, extraction)
    names = [f"{key}/{width:g}" for key in of_widths.values() for width in widths_of(model)]
    return [*names, *(between[key] for key in between if key == "mic")]


def mean_names(model: SlimGAN, extraction: Extraction | None) -> list[str]:
    """Return further names to monitor, such as ``fid`` and ``fid_digits``."""
    of_widths, between = evaluated_keys(model, extraction)
    keys = of_widths | between
    return list(dict.fromkeys([*keys, *keys.values()]))


def evaluated_keys(model: SlimGAN, extraction: Extraction | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return keys of metrics of each width, and between widths.

    Each is the key with the extractor's name, by the one without.
    """
    if model.evaluator is None or extraction is None:
        return {}, {}
    nets = {"extractor": extraction.provenance, "classifier": extraction.classifier_provenance}
    metrics, has_logits = [METRICS[name] for name in model.evaluator.metrics], extraction.num_classes is not None

    def keys(columns: Iterable[Column]) -> dict[str, str]:
        return {column.key: metric_key(column.key, nets) for column in columns}

    of_widths = [each for each in metrics if each.between is None and (has_logits or "logits" not in each.needs)]
    between = [each for each in metrics if each.between is not None and len(widths_of(model)) > 1]
    return (
        keys(column for metric in of_widths for column in metric.columns),
        keys(column for metric in between for column in metric.columns if has_logits or not column.of_logits),
    )


def widths_of(model: SlimGAN) -> Sequence[float]:
    """Return the widths that are trained, as logs call them."""
    return model.generator.widths if model.individual is None else (model.individual,)


def check_best(monitor: str, model: SlimGAN, is_evaluated: bool) -> None:
    """Raise a SlimGANError where no evaluation gives a metric; warn where none comes during training.

    Args:
        monitor: Name of the metric, by which the best checkpoint is kept.
        model: The model that is trained.
        is_evaluated: Whether an evaluation comes before the end of training.
    """
    told = f"--checkpoint.monitor is {monitor!r}"
    if model.evaluator is None:
        raise SlimGANError(f"{told}, and nothing is evaluated; give a --model.evaluator, or leave the metric out")
    metric = MonitoredMetric.named(monitor)
    extraction = model.evaluator.start(model.device, model.fakes().shape)
    means, widths = mean_names(model, extraction), widths_of(model)
    if monitor.partition("/")[0] not in means:
        known = suggest_names(monitor, [*means, *metric_names(model, extraction)])
        raise SlimGANError(f"{told}, which the evaluation does not give; take one of {', '.join(known)}")
    if metric.width not in (None, *widths):
        raise SlimGANError(
            f"{told}, and no width is {metric.width:g}; take one of {', '.join(map('{:g}'.format, widths))}"
        )
    if not is_evaluated:
        warnings.warn(
            f"{told}, and no evaluation comes before the end; give --trainer.val_check_interval to have some",
            SlimGANWarning,
            stacklevel=2,
        )


def check_monitors(
    callbacks: Iterable[Callback],
    model: SlimGAN,
    extraction: Extraction | None,
    log_every: int | None,
    evaluate_every: float | None,
    max_steps: int,
) -> None:
    """Raise a SlimGANError for a callback whose metric is not logged.

    Args:
        callbacks: The user's.
        model: The model that is trained.
        extraction: The evaluator's extractor; None evaluates nothing.
        log_every: Iterations between logs of losses.
        evaluate_every: Iterations between evaluations, or a share of an epoch below 1.
        max_steps: Iterations of the run, or -1.
    """
    callbacks = list(callbacks)
    if not all(type(callback).__module__.startswith("lightning.") for callback in callbacks):
        return  # which may log names of their own
    losses, metrics = loss_names(model), [*metric_names(model, extraction), *mean_names(model, extraction)]
    for callback in callbacks:
        monitor, name = getattr(callback, "monitor", None), type(callback).__name__
        if monitor is None or monitor in ("step", "epoch"):
            continue
        if monitor.replace(STD, "") not in {each.replace(STD, "") for each in (*losses, *metrics)}:
            known = suggest_names(monitor, [*metrics, *losses])
            raise SlimGANError(f"{name} monitors {monitor!r}, which is not logged; take one of {', '.join(known)}")
        if isinstance(evaluate_every, int) and evaluate_every >= max_steps > 0:
            warnings.warn(
                f"{name} looks at {monitor} after evaluations alone, and there is none before the end; give "
                "--trainer.val_check_interval to have some",
                SlimGANWarning,
                stacklevel=2,
            )
        elif monitor in losses and isinstance(evaluate_every, int) and not 0 < (log_every or 0) <= evaluate_every:
            raise SlimGANError(
                f"{name} looks at {monitor} every {evaluate_every} iterations, when it has not been logged; set "
                f"--trainer.log_every_n_steps to at most {evaluate_every}"
            )


def suggest_names(word: str, names: Sequence[str]) -> list[str]:
    """Return names near to a word, then one per other quantity.

    >>> suggest_names("loss", ["fid_digits/0.5", "fid_digits/1", "generator_loss"])
    ['generator_loss', 'fid_digits/0.5']
    """
    near = [name for name in names if word in name][:SHOWN] or get_close_matches(word, names, SHOWN, 0.5)
    quantities = {name.partition("/")[0]: name for name in reversed(names)}
    return [*near, *(name for name in reversed(quantities.values()) if name not in near)][: 2 * SHOWN]

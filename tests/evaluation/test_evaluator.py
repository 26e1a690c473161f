"""Evaluation: one set of latents, repeatable, with provenance, and named for its extractor."""

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from evaluations import WIDTHS, MeanColour, digits, generator, noise, repeatable
from PIL import Image
from torch import Tensor, nn

from slimgan_pl.data import ByteArray
from slimgan_pl.errors import SlimGANError
from slimgan_pl.evaluation import DigitsClassifier, Evaluator, FolderSource, session
from slimgan_pl.evaluation.accumulators import device_of_sums
from slimgan_pl.evaluation.protocols import Counts
from slimgan_pl.models import ResNetGenerator, SlimmableGenerator
from slimgan_pl.utils.images import to_bytes


def test_an_evaluation_repeats_exactly() -> None:
    net = generator()
    first = repeatable(digits().evaluate(net, noise(64)))
    torch.rand(3)  # the global random state does not matter
    assert repeatable(digits().evaluate(net, noise(64))) == first


def test_an_evaluation_does_not_depend_on_its_batches() -> None:
    net = generator()
    first, other = (digits(batch_size=size).evaluate(net, noise(64)) for size in (100, 7))
    for row, again in zip(first["widths"], other["widths"], strict=True):
        assert row == pytest.approx(again, rel=1e-3)


def test_real_images_that_changed_in_memory_are_evaluated_anew() -> None:
    net, evaluator, real = generator(), digits(metrics=["fid"]), noise(40)
    before = repeatable(evaluator.evaluate(net, real))
    real.images[:] //= 2
    after = repeatable(evaluator.evaluate(net, real))
    assert after != before
    assert after == repeatable(digits(metrics=["fid"]).evaluate(net, real))


def test_metrics_carry_the_extractors_name() -> None:
    result = digits().evaluate(generator(), noise(20))
    assert {"mic_digits", "consistency_digits", "agreement_digits"} <= result.keys()
    names = {"fid", "kid", "kid_std", "is", "is_std", "precision", "recall", "density", "coverage"}
    assert result["widths"][0].keys() == {"width", "parameters", "macs", *(f"{name}_digits" for name in names)}
    assert [row["width"] for row in result["widths"]] == list(WIDTHS)


def test_only_the_metrics_asked_for_are_computed() -> None:
    result = digits(metrics=["fid"]).evaluate(generator(), noise(20))
    assert result["widths"][0].keys() == {"width", "parameters", "macs", "fid_digits"}
    assert "mic_digits" not in result
    assert result["real"] == {}


def test_an_extractor_without_logits_gives_no_score_unless_there_is_a_classifier() -> None:
    alone = Evaluator(MeanColour()).evaluate(generator(), noise(20))
    assert "fid_MeanColour" in alone["widths"][0]
    assert "is_MeanColour" not in alone["widths"][0]
    for classifier in ("digits", DigitsClassifier()):
        both = Evaluator(MeanColour(), classifier=classifier).evaluate(generator(), noise(20))
        assert both["widths"][0]["is_digits"] >= 1
        assert 0 <= both["agreement_digits"] <= 1
        assert "mic_MeanColour" in both
        assert both["classifier"]["weights_sha256"]


def test_a_generator_of_the_real_images_is_perfect() -> None:
    net = generator()
    real = to_bytes(net(torch.randn(40, 16, generator=torch.Generator().manual_seed(7))[:, :8], width=1.0)).numpy()
    result = digits(num_fake=40, seed=7).evaluate(net, ByteArray(real, None))
    row = result["widths"][-1]
    assert row["fid_digits"] == pytest.approx(0, abs=1e-4)
    assert row["precision_digits"] == row["recall_digits"] == row["coverage_digits"] == 1
    assert row["is_digits"] == pytest.approx(result["real"]["is_digits"], rel=1e-12)
    assert result["widths"][0]["fid_digits"] > 1e-2


def test_by_default_there_are_as_many_fakes_as_real_images() -> None:
    protocol = Evaluator(MeanColour()).evaluate(generator(), noise(33))["protocol"]
    assert (protocol["num_real"], protocol["num_fake"], protocol["num_score"]) == (33, 33, 33)


def test_distances_do_not_change_with_the_number_of_fakes_for_the_score() -> None:
    net = generator()
    less, same, more = (digits(num_score=number).evaluate(net, noise(30)) for number in (20, 50, 90))
    assert more["protocol"]["num_score"] == 90
    for result in (less, more):
        assert result["widths"][0]["is_digits"] != same["widths"][0]["is_digits"]
        assert result["widths"][0]["fid_digits"] == pytest.approx(same["widths"][0]["fid_digits"], rel=1e-3)
        assert result["mic_digits"] == pytest.approx(same["mic_digits"], rel=1e-3)


def test_a_conditional_generator_is_evaluated_on_fixed_labels() -> None:
    net = ResNetGenerator((8, 8), latent_dim=8, image_channels=1, widths=WIDTHS, num_classes=3).eval()
    first, second = (repeatable(Evaluator(MeanColour()).evaluate(net, noise(20, 8))) for _ in range(2))
    assert first == second


def test_seeds_give_mean_and_standard_deviation() -> None:
    net = generator()
    singles = [digits(seed=seed).evaluate(net, noise(40)) for seed in (3, 4, 5)]
    result = digits(seed=3, seeds=3).evaluate(net, noise(40))
    distances = np.array([[row["fid_digits"] for row in single["widths"]] for single in singles])
    assert [row["fid_digits"] for row in result["widths"]] == pytest.approx(distances.mean(0), rel=1e-9)
    deviations = [row["fid_digits"] for row in result["deviation"]["widths"]]
    assert deviations == pytest.approx(distances.std(0, ddof=1), rel=1e-9)
    assert result["mic_digits"] == pytest.approx(np.mean([single["mic_digits"] for single in singles]), rel=1e-9)
    assert result["protocol"]["seeds"] == [3, 4, 5]
    assert result["per_seed"][1]["widths"][0]["fid_digits"] == singles[1]["widths"][0]["fid_digits"]


def test_a_result_records_all_that_it_depends_on(tmp_path: Path) -> None:
    result = digits(num_real=30).evaluate(generator(), noise(64, folder=tmp_path / "noise-0123"))
    assert result["protocol"] | {"name": "custom", "data": "noise-0123", "real_split": "test"} == result["protocol"]
    assert (result["protocol"]["num_real"], result["protocol"]["num_fake"]) == (30, 50)
    assert result["extractor"]["class"] == "slimgan_pl.evaluation.DigitsClassifier"
    assert result["extractor"]["resize"] == "antialiased bilinear"
    assert torch.__version__.startswith(result["versions"]["torch"])
    assert (result["device"], result["processes"]) == ("cpu", 1)
    assert result["seconds"] > 0


def test_the_hash_of_an_extractor_is_that_of_its_weights() -> None:
    net = DigitsClassifier()
    before = Evaluator(net).evaluate(generator(), noise(20))["extractor"]["weights_sha256"]
    net.linear.bias.data[0] += 1e-3
    after = Evaluator(net).evaluate(generator(), noise(20))["extractor"]["weights_sha256"]
    assert before != after
    assert len(after) == len(hashlib.sha256().hexdigest())


def test_sums_are_kept_on_the_cpu_for_a_device_without_float64() -> None:
    assert device_of_sums(torch.device("mps", 0)) == torch.device("cpu")
    assert device_of_sums(torch.device("cuda", 1)) == torch.device("cuda", 1)


def test_one_width_alone_has_no_metrics_between_widths() -> None:
    result = digits().evaluate(generator().slice(0.5), noise(20))
    assert not {"mic_digits", "consistency_digits", "agreement_digits"} & result.keys()
    assert len(result["widths"]) == 1


def test_features_do_not_depend_on_the_precision_of_training() -> None:
    net = generator()
    exact = repeatable(digits().evaluate(net, noise(20)))
    with torch.autocast("cpu", torch.bfloat16):
        extraction = digits().start(torch.device("cpu"), (1, 16, 16))
        features = extraction(torch.from_numpy(noise(20).images)).features
    assert features.dtype == torch.float32
    again = repeatable(digits().evaluate(net, noise(20)))
    assert again == exact


def test_a_generator_in_bfloat16_is_evaluated() -> None:
    assert digits().evaluate(generator().bfloat16(), noise(20))["widths"][0]["fid_digits"] > 0


def test_images_that_are_not_finite_are_refused() -> None:
    net = generator()
    net.get_parameter("stem.weight").data[0] = torch.nan
    with pytest.raises(SlimGANError, match=r"the fakes at width 0.25 are not finite"):
        digits().evaluate(net, noise(20))


def test_many_features_are_kept_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = digits().evaluate(generator_of_seed(), noise(64))
    monkeypatch.setattr(session, "FLOAT32_BYTES", 4 * 64 * (64 + 50) - 1)  # one byte too many
    half = digits().evaluate(generator_of_seed(), noise(64))
    assert (exact["protocol"]["kept"], half["protocol"]["kept"]) == ("float32", "float16")
    for row, again in zip(exact["widths"], half["widths"], strict=True):
        assert row["fid_digits"] == again["fid_digits"]
        assert again["kid_digits"] == pytest.approx(row["kid_digits"], rel=1e-2)
        assert again["recall_digits"] == pytest.approx(row["recall_digits"], abs=0.05)


def generator_of_seed() -> SlimmableGenerator:
    torch.manual_seed(1)
    return generator()


def test_features_beyond_half_precision_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "FLOAT32_BYTES", 0)
    extractor = MeanColour()
    extractor.scale = 1e6
    with pytest.raises(SlimGANError, match=r"exceed 65,504.*leave kid and prdc out"):
        Evaluator(extractor).evaluate(generator(), noise(20))
    result = Evaluator(extractor, metrics=["fid"]).evaluate(generator(), noise(20))
    assert result["widths"][0]["fid_MeanColour"] > 0


def test_an_extractor_of_another_shape_is_refused() -> None:
    class Whole(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.float()

    with pytest.raises(SlimGANError, match=r"the extractor Whole returned shape \(2, 3, 16, 16\)"):
        Evaluator(Whole()).start(torch.device("cpu"), (1, 16, 16))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"extractor": "nothing"}, "there is no extractor 'nothing'.*dinov2-vit-b-14"),
        ({"protocol": "mine"}, "protocol is 'mine'"),
        ({"num_fake": 1}, "num_fake is 1"),
        ({"splits": 0}, "splits is 0"),
        ({"metrics": ["fid", "fld"]}, "'fld'"),
        ({"seeds": 0}, "seeds is 0; it has to be at least 1"),
        ({"extractor": MeanColour(), "weights_path": "x"}, "weights_path belongs to an extractor given by name"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SlimGANError, match=message):
        Evaluator(**settings)


def test_a_generator_in_training_mode_is_evaluated_in_evaluation_mode_and_stays_as_it_is() -> None:
    net = generator()
    expected = repeatable(digits().evaluate(net, noise(64)))
    state = copy.deepcopy(net.state_dict())
    assert repeatable(digits().evaluate(net.train(), noise(64))) == expected
    assert net.training
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


def test_without_logits_no_fakes_are_generated_for_a_score() -> None:
    result = Evaluator(MeanColour(), num_fake=20, num_score=1000).evaluate(generator(), noise(20))
    assert result["protocol"]["num_score"] == 20
    with pytest.raises(SlimGANError, match="gives no class logits, which the inception score needs"):
        Evaluator(MeanColour(), metrics=["is"]).evaluate(generator(), noise(20))


class Returns(torch.nn.Module):
    """Returns what a function makes of the images."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.resize = torch.nn.Identity()  # no text, so nothing that the provenance could say

    def forward(self, images: Tensor) -> Any:
        return self.function(images.float().flatten(1)[:, :4])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: [x], "returned a list for 2 images"),
        (lambda x: (x, x, x), "returned a tuple for 2 images"),
        (lambda x: (x, x[:, 0]), r"as a classifier, returned shape \(2,\) for 2 images"),
        (lambda x: (x, x[:1]), r"as a classifier, returned shape \(1, 4\) for 2 images"),
        (lambda x: (x, x / 0), "class logits of the real images are not all finite"),
    ],
)
def test_what_an_extractor_may_not_return_is_named(function: Callable[[Tensor], Any], message: str) -> None:
    with pytest.raises(SlimGANError, match=message):
        Evaluator(Returns(function), metrics=["fid", "is"]).evaluate(generator(), noise(20))


def test_a_resize_that_is_no_text_is_left_out_of_the_provenance() -> None:
    result = Evaluator(Returns(lambda x: x)).evaluate(generator(), noise(20))
    assert json.loads(json.dumps(result))["extractor"]["resize"] == "its own"


def test_an_extractor_that_a_checkpoint_cannot_name_is_asked_for() -> None:
    recipe = Evaluator(MeanColour()).recipe["init_args"]
    with pytest.raises(SlimGANError, match="does not say which extractor"):
        Evaluator(**recipe)


def test_fewer_images_of_a_folder_than_there_are_stand_for_all_of_it(tmp_path: Path) -> None:
    """Files in the order of their names may be sorted by class."""
    paths = []
    for number in range(60):
        paths.append(tmp_path / f"{number:02d}.png")
        Image.fromarray(np.full((16, 16), 250 * (number >= 30), dtype=np.uint8)).save(paths[-1])
    source = FolderSource(tmp_path, paths, (1, 16, 16), torch.device("cpu"))
    for counts in (Counts(20, 20, 60), Counts(20, 20, 20)):
        source.start(counts, 0)
        (images,) = source.draw(torch.arange(20))
        assert 5 <= int((images > 0).flatten(1).all(1).sum()) <= 15

"""``slimgan report``: the page as it is written."""

import json
import re
import shutil
import sys
from html import unescape
from pathlib import Path

import altair as alt
import pytest
import torch
from commands import fails, run
from jsonschema import ValidationError
from sharing import fill_once, mostly_slow

from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.report.page import make_page
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.summary import RunSummary

HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture
def here(two_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory, with copies of two tiny runs in ``runs``."""
    shutil.copytree(two_runs, tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def pages(two_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a page of one run, ``one.html``, and one of both, ``two.html``."""

    def report(folder: Path) -> None:
        run("report", two_runs / "digits", "--output", folder / "one.html")
        run("report", two_runs / "digits", two_runs / "none", "--output", folder / "two.html")

    return fill_once(tmp_path_factory, "pages", report)


def written(path: Path = Path("report.html")) -> str:
    return path.read_text(encoding="utf-8")


def specs(page: str) -> list[str]:
    return re.findall(r'<div class="chart"><script type="application/json">(.*?)</script>', page, re.DOTALL)


def without_script(page: str) -> str:
    """Return a page without its charts' library, which names addresses that it does not fetch."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_a_page_says_who_where_and_how_well(pages: Path, two_runs: Path) -> None:
    page = written(pages / "one.html")
    assert "<h1>digits/version_0</h1>" in page
    results = json.loads((two_runs / "digits" / "version_0" / "results.json").read_text())
    for row in results["widths"]:
        assert f"{row['fid_digits']:.4g}" in page
    for words in ("FID (digits) ↓", "latency", "Distance between widths (digits)", "distill_weight: 7.0", "SHA-256"):
        assert words in page
    assert results["checkpoint"]["sha256"] in page


def test_the_best_value_of_each_metric_is_marked(pages: Path, two_runs: Path) -> None:
    results = json.loads((two_runs / "digits" / "version_0" / "results.json").read_text())
    best = min(row["fid_digits"] for row in results["widths"])
    assert f'<strong>{best:.4g}<span class="hidden"> (best)' in written(pages / "one.html")


def test_a_page_names_no_address_and_forbids_to_fetch_any(pages: Path) -> None:
    page = without_script(written(pages / "two.html"))
    assert not re.search(r'(?:src|href|srcset)="(?!data:|#)', page)
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'; img-src data:" in unescape(page)


def test_several_runs_are_compared(here: Path) -> None:
    run("report", "runs/digits", "runs/none", "--metric", "kid")
    page = written()
    assert "<h1>2 runs</h1>" in page
    assert "<h3>KID (digits)</h3>" in page
    assert "model.distill_target: next -&gt; none" in page
    assert "KID (digits) against MACs per image" in page


@pytest.mark.slow
def test_a_run_is_shown_once_however_often_it_is_named(here: Path) -> None:
    run("report", "runs/digits", "runs/digits/version_0")
    assert "<h1>digits/version_0</h1>" in written()


def test_each_chart_holds_json_without_a_tag(pages: Path) -> None:
    found = specs(written(pages / "two.html"))
    assert len(found) > 20
    for spec in found:
        assert "<" not in spec
        assert json.loads(spec)["width"] == "container"


def test_each_chart_follows_the_schema_of_vega_lite(pages: Path) -> None:
    for spec in specs(written(pages / "one.html")):
        alt.LayerChart.from_dict(json.loads(spec))


def test_a_chart_that_does_not_follow_the_schema_is_found(pages: Path) -> None:
    spec = json.loads(specs(written(pages / "one.html"))[0])
    spec["layer"][0]["encoding"]["x"]["axis"]["grid"] = "no"
    with pytest.raises(ValidationError, match="grid"):
        alt.LayerChart.from_dict(spec)


def hostile_run(iteration: int = 3, narrow_fid: float = 2.0) -> RunFiles:
    """Return a run whose every text is hostile."""
    return RunFiles(
        name=HOSTILE,
        folder=Path(),
        results=EvaluationResults.from_json(
            {
                "extractor": {"name": HOSTILE},
                "iteration": iteration,
                "protocol": {"name": HOSTILE},
                "device": HOSTILE,
                "widths": [
                    {"width": width, f"fid_{HOSTILE}": fid, "macs": 9 * width, "parameters": 9 * width}
                    for width, fid in ((0.5, narrow_fid), (1.0, 1.0))
                ],
                f"consistency_{HOSTILE}": [[0.0, 1.0], [1.0, 0.0]],
            }
        ),
        metrics=[{"step": step, "generator_loss/0.5": step, "generator_loss/1": step} for step in (1.0, 2.0)],
        settings={"data": {"class_path": HOSTILE}, "model": {HOSTILE: HOSTILE}},
        settings_text=f"model: '{HOSTILE}'",
        notes=[HOSTILE],
    )


@pytest.mark.parametrize("count", [1, 2])
def test_what_runs_say_is_never_a_tag(count: int) -> None:
    runs = [hostile_run() for _ in range(count)]
    for number, each in enumerate(runs):
        each.name = f"{HOSTILE}{number}"
    runs[-1].settings["model"] = {HOSTILE: f"{HOSTILE} too"}
    page = make_page(runs, [RunSummary()] * count, "fid")
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert page.count("</script>") == page.count("<script")


def test_metrics_that_are_not_finite_break_no_chart() -> None:
    odd = hostile_run(narrow_fid=float("nan"))
    odd.name = "odd"
    odd.metrics += [{"step": 3.0, "generator_loss/0.5": float("nan"), "generator_loss/1": float("-inf")}]
    page = make_page([odd], [RunSummary()], "fid")
    for spec in specs(page):
        assert "NaN" not in spec
        assert "Infinity" not in spec
    assert "2 values that are not finite are left out." in page
    assert "nan" in page, "the table says what was measured"


@mostly_slow(
    ("remove", "gone", "left"),
    [
        (("checkpoints", "samples", "samples.png"), ("<img", "Latency"), ("FID (digits)", "Generator loss")),
        (("checkpoints",), ("data-animation",), ("The run&#39;s last picture", "FID (digits)")),
        (("metrics.csv",), ("Generator loss",), ("FID (digits)", "data-animation")),
        (("results.json", "results"), ("FID (digits)",), ("Generator loss", "data-animation", "parameters")),
        (("config.yaml",), ("Settings: config.yaml",), ("FID (digits)",)),
    ],
    keep=2,
)
def test_what_is_missing_leaves_the_rest(
    remove: tuple[str, ...], gone: tuple[str, ...], left: tuple[str, ...], here: Path
) -> None:
    for name in remove:
        path = Path("runs/digits/version_0") / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    run("report", "runs/digits")
    page = without_script(written())
    assert '<ul class="note"' in page
    for words in gone:
        assert words not in page
    for words in left:
        assert words in page


def test_runs_whose_metrics_do_not_compare_are_pointed_out(here: Path) -> None:
    path = Path("runs/none/version_0/results.json")
    results = json.loads(path.read_text())
    results["protocol"]["num_fake"] = 7
    path.write_text(json.dumps(results))
    run("report", "runs/digits", "runs/none")
    assert "The numbers of fakes differ (60, 7); such metrics do not compare." in written()


def test_metrics_of_different_data_never_share_a_table_or_a_chart(here: Path) -> None:
    for path in Path("runs/none/version_0").rglob("*.json"):
        results = json.loads(path.read_text())
        if "protocol" in results:
            results["protocol"] |= {"data": "others", "num_real": 7}
            path.write_text(json.dumps(results))
    run("report", "runs/digits", "runs/none")
    page = written()
    assert page.count("such metrics do not compare.") == 1
    names = [f"FID (digits), data {data}, real images {count}" for data, count in (("others", 7),)]
    assert f"<h3>{names[0]}</h3>" in page
    for spec in specs(page):
        if "FID (digits), data" in spec:
            names_in = {point["name"] for point in json.loads(spec)["datasets"]["points"]}
            assert len(names_in) == 1, spec[:300]


@pytest.mark.slow
def test_metrics_of_different_nets_never_share_a_table_or_a_chart(here: Path) -> None:
    path = Path("runs/none/version_0/results.json")
    path.write_text(path.read_text().replace('_digits"', '_other"').replace('"digits"', '"other"'))
    run("report", "runs/digits", "runs/none")
    page = written()
    assert "These runs were evaluated with different nets: FID (digits), FID (other)" in page
    assert "<h3>FID (digits)</h3>" in page
    assert "<h3>FID (other)</h3>" in page
    for spec in specs(page):
        assert not ("FID (digits)" in spec and "FID (other)" in spec)


@pytest.mark.slow
def test_a_long_log_is_thinned_and_the_page_says_so(here: Path) -> None:
    lines = [f"{step},{step % 3}" for step in range(1000)]
    Path("runs/digits/version_0/metrics.csv").write_text("\n".join(["step,generator_loss/1", *lines]))
    run("report", "runs/digits")
    assert "Each point is the mean of about 2.5 of 1,000 rows." in written()
    (spec,) = [spec for spec in specs(written()) if json.loads(spec)["description"] == "Generator loss"]
    assert len(json.loads(spec)["datasets"]["points"]) == 400


def test_a_profile_takes_the_place_of_times_measured_here(here: Path) -> None:
    times = [{"batch_size": 1, "median_s": 0.125}]
    profile = {"device": "cpu", "widths": [{"width": width, "latency": times} for width in (0.25, 0.5, 0.75, 1.0)]}
    Path("runs/digits/version_0/checkpoints/last.profile.json").write_text(json.dumps(profile))
    run("report", "runs/digits")
    assert "125 ms" in written()
    assert "Latency: slimgan profile, batch of 1, CPU, median." in written()


def test_a_checkpoint_that_names_foreign_classes_has_no_pictures_unless_it_is_trusted(here: Path) -> None:
    path = Path("runs/digits/version_0/checkpoints/last.ckpt")
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["hyper_parameters"]["generator"]["class_path"] = "antigravity.Generator"
    torch.save(checkpoint, path)
    run("report", "runs/digits")
    assert "names the class antigravity.Generator" in written()
    assert "add --trust_checkpoint true" in written()
    assert "data-animation" not in without_script(written())


@pytest.mark.slow
def test_a_metric_that_all_widths_share_has_no_best(here: Path) -> None:
    path = Path("runs/digits/version_0/results.json")
    results = json.loads(path.read_text())
    for row in results["widths"]:
        row["fid_digits"] = 3.25
    path.write_text(json.dumps(results))
    run("report", "runs/digits")
    assert "<td>3.25</td>" in written()
    assert "<strong>3.25" not in written()


def test_a_report_takes_the_place_of_an_older_one_alone(
    pages: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(pages / "one.html", "report.html")
    run("report", "runs/none")
    assert "1 run in report.html" in capsys.readouterr().out
    assert "<h1>none/version_0</h1>" in written()
    Path("mine.html").write_text("<!DOCTYPE html>\n<p>mine")
    status, line = fails(capsys, "report", "runs/digits", "--output", "mine.html")
    assert (status, Path("mine.html").read_text()) == (1, "<!DOCTYPE html>\n<p>mine")
    assert "mine.html is there and is no report" in line


@mostly_slow("name", ["altair", "vl_convert", "jinja2"])
def test_a_missing_library_is_one_sentence(
    name: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in [module for module in sys.modules if module.startswith("slimgan_pl.report.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    status, line = fails(capsys, "report", "runs/digits")
    assert status == 1
    assert f"a report needs {name}" in line
    assert 'pip install "slimgan-pl[report]"' in line


@pytest.mark.slow
def test_the_page_of_a_run_is_the_same_for_the_same_seed(here: Path) -> None:
    pictures = []
    for seed in (0, 0, 1):
        run("report", "runs/digits", "--seed", seed)
        pictures.append(re.findall(r'src="(data:image/webp;[^"]*)"', written()))
    assert pictures[0] == pictures[1] != pictures[2]


def change_results(path: Path, **changes: object) -> None:
    for file in [path / "results.json", *path.glob("results/*.json")]:
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.slow
def test_metrics_of_other_nets_never_share_a_table(here: Path) -> None:
    second = Path(shutil.copytree("runs/digits/version_0", "runs/other/version_0"))
    for file in [second / "results.json", *second.glob("results/*.json")]:
        text = file.read_text().replace('_digits"', '_rival"').replace('"name": "digits"', '"name": "rival"')
        file.write_text(text)
    run("report", "runs/digits", "runs/other", "--metric", "precision")
    page = written()
    assert "These runs were evaluated with different nets: Precision (digits), Precision (rival)" in page


@mostly_slow(
    "line",
    ["loss/0.3,step\n1,1\n", "generator_loss/0.3,step\n1,1\n2,2\n", "generator_loss/1,step\n1e308,1\n1e308,2\n"],
    keep=1,
)
def test_an_odd_log_makes_a_page(line: str, here: Path) -> None:
    Path("runs/digits/version_0/metrics.csv").write_text(line)
    run("report", "runs/digits")
    assert "digits/version_0" in written()


@mostly_slow(
    "changes",
    [
        {"iteration": 10**400},
        {"consistency_digits": [[0, 10**400], [10**400, 0]]},
        {"training": [1]},
        {"mic_digits": "x"},
    ],
    ids=str,
    keep=1,
)
def test_odd_results_make_a_page_or_one_sentence(
    changes: dict[str, object], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_results(Path("runs/digits/version_0"), **changes)
    run("report", "runs/digits")
    assert "digits/version_0" in written()

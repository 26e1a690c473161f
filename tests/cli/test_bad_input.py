"""Every mistake of a user ends in one sentence, a status and nothing else; what only looks odd works."""

import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import broken
import pytest
import torch
from broken import Prepare, changed, checkpoint, config, cut, flipped, images, odd_one, picture, raw, results, several
from commands import TINY
from PIL import Image
from sharing import mostly_slow

from slimgan_pl.cli import main as cli

FIT = "fit --config tiny.yaml"
BAD = "fit --config bad.yaml"
GENERATOR, BANK = "--model.generator.init_args", "--model.discriminators.init_args"
BOTH = "{0}.{2} {3} {1}.{2} {3}".format
LR = "--model.generator_optimizer.init_args.lr"
BETAS = "--model.discriminator_optimizer.init_args.betas"
EVALUATOR = "--model.evaluator.init_args"
FOLDER = (
    f"{FIT} --model.evaluator null --trainer.max_steps 1 --data ImageFolderDataModule --data.root images "
    "--data.image_size 16 --data.image_channels 1 --data.batch_size 4"
)
TEST_IMAGES = "test --images images --data DigitsDataModule --model.evaluator.extractor digits"
SAMPLE = "sample --ckpt_path last.ckpt --num_images 4 --output x.png"
WALK = "walk --ckpt_path last.ckpt --output x.gif"
SAMPLE_BAD = "sample --ckpt_path bad.ckpt --num_images 4 --output x.png"
TEST_BAD = "test --ckpt_path bad.ckpt"
RESUME_BAD = f"{FIT} --ckpt_path bad.ckpt --trainer.max_steps 4 --model.evaluator null"
RESUME = f"{FIT} --ckpt_path last.ckpt --trainer.max_steps 4 --model.evaluator null"
RECALIBRATE = "recalibrate --ckpt_path last.ckpt"
PROFILE = "profile --ckpt_path last.ckpt --rounds 1 --seconds 0"
EXPORT = "export --ckpt_path last.ckpt"
IMPORT = "import --generator G.pth --output new.ckpt"
NOT_BUILT = "broken.UnbuiltExtractor cannot be made (RuntimeError: there is no GPU)"
FAILS = "the extractor FailingExtractor fails on bytes of shape (2, 3, 16, 16) (RuntimeError: shape"
ONE_PIXEL = "--model.generator ResNetGenerator --model.generator.channels [8,8,8,8,8] --model.generator.bottom_size 1"
CALLBACK = f"{FIT} --trainer.callbacks"
MONITOR = "--trainer.callbacks.monitor"
CARD = b'{"files": [], "page": [], "checkpoint": {"sha256": ""}}'
WRITTEN = "is not a checkpoint that slimgan fit has written"


class Case(NamedTuple):
    """A mistake: what is typed, the status, words of the sentence, and the files that it takes."""

    name: str
    command: str
    status: int
    words: str
    prepare: Prepare | None = None


CONFIGS = [
    Case("empty", BAD, 2, "holds no settings", config("")),
    Case("a list", BAD, 2, "holds no settings", config("[1, 2]")),
    Case("a word", BAD, 2, "holds no settings", config("hello")),
    Case("binary", BAD, 2, "bad.yaml is not UTF-8 text", raw("bad.yaml", bytes(range(256)))),
    Case("UTF-16", BAD, 2, "not UTF-8 text", raw("bad.yaml", "seed_everything: 3".encode("utf-16"))),
    Case("tabs", BAD, 2, "cannot start any token", config("model:\n\tseed: 3")),
    Case("two documents", BAD, 2, "expected a single document", config("a: 1\n---\nb: 2")),
    Case("a key twice", BAD, 2, "the key model comes twice, in line 19", config(f"{TINY}\nmodel: {{}}")),
    Case("an alias in itself", BAD, 2, "holds no settings", config("&a [*a]")),
    Case("a null byte", BAD, 2, "null byte, in line 1", config('trainer: {default_root_dir: "a\\0b"}')),
    Case("deep nesting", BAD, 2, "nest", config(f"a: {'[' * 3000}{']' * 3000}")),  # PyYAML 6.0.4 has words of its own
    Case("code", BAD, 2, "python/object/apply", config("model: !!python/object/apply:os.system ['touch pwned']")),
    Case("a number of 5,000 digits", BAD, 2, "Exceeds the limit", config(f"seed_everything: {'9' * 5000}")),
    Case("an unknown key", BAD, 2, "'colour'", config(f"{TINY}\ncolour: red")),
    Case(
        "a wrong type", BAD, 2, "--trainer.max_steps is [1]; give a whole number", config("trainer: {max_steps: [1]}")
    ),
    Case("no nets", BAD, 2, "required: fit.model.generator", config("trainer: {max_steps: 1}")),
    Case("a foreign class", BAD, 2, "does not correspond to a subclass", config("data: {class_path: os.system}")),
    Case("a checkpoint that is a list", BAD, 2, "give the path of a checkpoint", config("ckpt_path: [1]")),
    Case("a folder", "fit --config folder", 2, "there is no file", lambda: Path("folder").mkdir()),
    Case("missing", "fit --config nowhere.yaml", 2, "for --config; give one such as FILE"),
    Case("no name", "fit --config ''", 2, "--config has no value; give one"),
    Case(
        "a nested file of bytes",
        f"{FIT} --model.generator bytes.yaml",
        2,
        "'utf-8' codec",
        raw("bytes.yaml", b"\xff\xfe"),
    ),
    Case("no command", "", 2, "expected one of fit, validate"),
    Case("an unknown command", "predict", 2, "there is no command 'predict'"),
    Case("a misspelt command", "smaple", 2, "did you mean sample?"),
    Case("a misspelt option", "sample --ckpt_path a --widht 1", 2, "--widht 1; did you mean --width?"),
    *(
        Case(f"abbreviated {command}", command, 2, f"did you mean {whole}?")
        for command, whole in {
            f"{FIT} --ckpt last": "--ckpt_path",
            f"{FIT} --model.eval null": "--model.evaluator",
            f"{FIT} --trainer.max_step 3": "--trainer.max_steps",
            "sample --ckpt last.ckpt": "--ckpt_path",
            "compare a --form csv": "--format",
        }.items()
    ),
    Case("no configuration", "fit", 2, "needs a configuration; type"),
    Case("options alone", "fit --trainer.max_steps 3", 2, "give a configuration that has them, such as --config FILE"),
    Case("a word too many", f"{FIT} more", 2, "unrecognized arguments: more"),
]

SETTINGS = [
    *(
        Case(f"training {option}", f"{FIT} --model.{option}", status, words)
        for option, status, words in [
            ("penalty.gama 1", 2, "did you mean --model.penalty.gamma?"),
            ("penalty.gamma -1", 1, "the penalty's gamma is -1.0; it has to be at least 0"),
            ("penalty null", 2, "--model.penalty is null; give the options that begin with it"),
            ("ema.ramp_up -1", 1, "the EMA's ramp_up is -1.0; give more than 0"),
            ("ema.half_life 9 --trainer.precision bf16-true", 1, "--model.ema needs float32, and"),
            ("penalty.gamma 1 --trainer.precision 16-true", 1, "take bf16-mixed or leave it out"),
            ("augmentation.p 0.5", 1, "has p but no transforms; name some, or leave p out"),
            ("augmentation.transforms [flop]", 2, "give one of flip, translation, color, cutout"),
            ("schedules.lr.ende 1", 2, "--model.schedules.lr: Schedule has no ende; did you mean end?"),
            ("schedules.lr 0.1", 2, "--model.schedules.lr is 0.1; give the options that begin with it"),
            ("schedules.beta2.end 1.5", 1, "the end of the schedule of beta2 is 1.5; it has to be at least 0"),
            ("schedules.gamma.factor 0.1", 1, "which is 0; give --model.schedules.gamma.end"),
            ("schedules.lr.shape linear", 1, "has 0 of end and factor; give either end or factor"),
            ("schedules.p.end 0.4", 1, "nothing for the schedule of p to move; set --model.augmentation.transforms"),
            ("schedules.lr.factor 0 --trainer.max_steps -1", 1, "has no end; set --trainer.max_steps or"),
            (
                "penalty.gamma 1 --model.penalty.method exact --model.compile true",
                1,
                "set --model.penalty.method finite-difference, or leave",
            ),
            ("centering -1", 1, "centering is -1.0"),
        ]
    ),
    *(
        Case(f"widths {widths}", f"{FIT} {GENERATOR}.widths '{widths}'", 1, words)
        for widths, words in {
            "[0.5, 0.25, 1.0]": "must ascend",
            "[0.5, 0.5, 1.0]": "must ascend",
            "[0, 1.0]": "from above 0",
            "[-0.5, 1.0]": "from above 0",
            "[0.5, 1.0, 1.5]": "end in 1.0",
            "[.nan, 1.0]": "must ascend",
            "[0.5]": "end in 1.0",
            "[]": "end in 1.0",
            "null": "DCGANGenerator needs its widths",
        }.items()
    ),
    *(
        Case(f"a misspelt {name}", f"{FIT} {GENERATOR}.{name} 3", 2, words)
        for name, words in {"laten_dim": "did you mean latent_dim?", "zzz": "there are channels, bottom_size"}.items()
    ),
    Case("widths of words", f"{FIT} {GENERATOR}.widths [a,b]", 2, "--model.generator.widths is a; give a number"),
    Case("one width", f"{FIT} {GENERATOR}.widths 1", 2, "--model.generator.widths is 1; give a list"),
    Case("no such generator", f"{FIT} --model.generator Nope", 2, "is Nope, and there is no such class; see"),
    Case("no generator", f"{FIT} --model.generator torch.nn.Linear", 2, "--model.generator is torch.nn.Linear, which"),
    Case("no such callback", f"{FIT} --trainer.callbacks Nope", 2, "is Nope, and there is no such class"),
    Case("a callback without a monitor", f"{FIT} --trainer.callbacks EarlyStopping", 2, "give --trainer.callbacks.mon"),
    Case("data without a folder", "fit --data ImageFolderDataModule", 2, "give --data.root and --data.image_size"),
    Case("no value", f"{FIT} --trainer.max_steps", 2, "--trainer.max_steps has no value; give one"),
    *(
        Case(f"the callback {name}", f"{FIT} --trainer.callbacks {name} {more}", 1, f"the callback {name}")
        for name, more in {
            "EMAWeightAveraging": "",
            "WeightAveraging": "",
            "StochasticWeightAveraging": "--trainer.callbacks.swa_lrs 0.1",
        }.items()
    ),
    *(
        Case(f"learning rate {lr}", f"{FIT} {LR} {lr}", 1, words)
        for lr, words in {
            ".nan": "Invalid learning rate: nan",
            ".inf": "learning rate is inf; it has to be a finite number",
            "-1": "Invalid learning rate: -1",
            "null": "Adam cannot be made (TypeError",
        }.items()
    ),
    *(
        Case(name, f"{FIT} --model.discriminator_optimizer torch.optim.{name}", 1, f"{name} cannot train these nets")
        for name in ("LBFGS", "SparseAdam")
    ),
    Case("learning rate abc", f"{FIT} {LR} abc", 2, "--model.generator_optimizer.lr is abc; give a number"),
    *(
        Case(f"betas {b}", f"{FIT} {BETAS} '{b}'", 1, "Invalid beta")
        for b in ("[1.5, 0.9]", "[-1, 0.9]", "[0.5, .nan]")
    ),
    *(
        Case(f"distill_weight {weight}", f"{FIT} --model.distill_weight {weight}", 1, "distill_weight is")
        for weight in (".nan", ".inf", "-1")
    ),
    Case("a batch larger than the data", f"{FIT} --data.init_args.batch_size 1348", 1, "1347 training images"),
    Case("batch_size 0", f"{FIT} --data.init_args.batch_size 0", 1, "batch_size is 0; it has to be at least 1"),
    Case("batch_size null", f"{FIT} --data.init_args.batch_size null", 1, "DigitsDataModule needs its batch_size"),
    Case("max_steps 1.5e0", f"{FIT} --trainer.max_steps 1.5e0", 2, "--trainer.max_steps is 1.5; give a whole number"),
    *(
        Case(f"{option} of the trainer", f"{FIT} --trainer.{option} {value}", 1, words)
        for option, value, words in (
            ("gradient_clip_val", 1.0, "lower --model.generator_optimizer.lr"),
            ("gradient_clip_algorithm", "norm", "leave it out"),
            ("accumulate_grad_batches", 2, "raise --data.batch_size, and set --model.micro_batches"),
            ("check_val_every_n_epoch", 1, "set --trainer.val_check_interval"),
            ("overfit_batches", 1, "set --trainer.limit_train_batches"),
            ("barebones", "true", "set --trainer.logger false"),
            ("strategy", "ddp_spawn", "set it to ddp"),
        )
    ),
    *(
        Case(f"{key} of Weights & Biases", f"{FIT} --wandb {mode} --wandb_run.{key} '{value}'", 1, f"--wandb_run.{key}")
        for key, mode, value in (
            ("project", "offline", "my/project"),
            ("project", "online", "50%"),
            ("project", "offline", "x" * 129),
            ("entity", "online", "me:you"),
            ("tags", "offline", f"[{'x' * 65}]"),
            ("name", "offline", ""),
        )
    ),
    Case("max_steps 0", f"{FIT} --trainer.max_steps 0", 1, "give the number of iterations"),
    Case("max_steps -2", f"{FIT} --trainer.max_steps -2", 1, "max_steps"),
    Case("val_check_interval 0", f"{FIT} --trainer.val_check_interval 0", 1, "leave it out"),
    *(Case(f"latent_dim {n}", f"{FIT} {GENERATOR}.latent_dim {n}", 1, "latent_dim") for n in ("0", "-1", "null")),
    Case("channels 0", f"{FIT} {GENERATOR}.channels [8,8,0]", 1, "DCGANGenerator stage 2: 0 channels at width 0.25"),
    Case("channels -8", f"{FIT} {GENERATOR}.channels [-8,8,8]", 1, "stage 0: -8 channels at width 0.25"),
    Case("channels that no width divides", f"{FIT} {GENERATOR}.channels [10,8,8]", 1, "10 channels at width 0.25"),
    Case("no channels", f"{FIT} {GENERATOR}.channels []", 1, "channels is empty"),
    Case("channels beyond memory", f"{FIT} {GENERATOR}.channels [99999999999999,8,8]", 1, "memory is too small"),
    Case(
        "discriminators of 0 channels", f"{FIT} {BANK}.channels [4,4,0]", 1, "entry 2 of the discriminators' channels"
    ),
    Case("discriminators of no channels", f"{FIT} {BANK}.channels []", 1, "channels are empty"),
    *(
        Case(f"image_channels {n}", f"{FIT} {BOTH(GENERATOR, BANK, 'image_channels', n)}", 1, "image_channels")
        for n in ("0", "2", "-1")
    ),
    Case("bottom_size 0", f"{FIT} {BOTH(GENERATOR, BANK, 'bottom_size', 0)}", 1, "bottom_size is 0"),
    Case("num_classes -1", f"{FIT} {BOTH(GENERATOR, BANK, 'num_classes', -1)}", 1, "num_classes is -1"),
    *(Case(f"num_shared {n}", f"{FIT} {BANK}.num_shared {n}", 1, f"num_shared is {n}") for n in (-1, 99)),
    Case("micro_batches 3", f"{FIT} --model.micro_batches 3", 1, "8 images cannot be split into 3 equal parts"),
    Case("micro_batches 0", f"{FIT} --model.micro_batches 0", 1, "micro_batches is 0"),
    Case("critic_steps 0", f"{FIT} --model.critic_steps 0", 1, "critic_steps is 0"),
    *(
        Case(f"{option} {value}", f"{FIT} --{option} {value}", 1, words)
        for option, value, words in (
            ("checkpoint.every_n_iterations", 0, "the checkpoint's every_n_iterations is 0; it has to be at least 1"),
            ("checkpoint.keep_every_n_iterations", -1, "keep_every_n_iterations is -1; it has to be at least 1"),
            ("trainer.max_epochs", 0, "give --trainer.max_steps, the number of iterations"),
            ("trainer.log_every_n_steps", -1, "give at least 1, or 0 for no logs"),
        )
    ),
    Case(
        "samples interval -1",
        f"{FIT} --samples.every_n_iterations -1",
        1,
        "the samples' every_n_iterations is -1; it has to be at least 0",
    ),
    Case(
        "samples of 0 latents",
        f"{FIT} --samples.num_latents 0",
        1,
        "the samples' num_latents is 0; it has to be at least 1",
    ),
    *(
        Case(f"{name} {number}", f"{FIT} {EVALUATOR}.{name} {number}", 1, f"evaluator's {name} is {number}")
        for name, numbers in {
            "num_fake": (0, 1, 10**12),
            "splits": (0, -1),
            "batch_size": (0,),
            "seeds": (10**12,),
        }.items()
        for number in numbers
    ),
    Case("splits of more than there is", f"{FIT} {EVALUATOR}.splits 61", 1, "60 fakes cannot be parted into 61"),
    Case("more real images than there are", f"{FIT} {EVALUATOR}.num_real 451", 1, "the test split holds 450"),
    Case(
        "a weight file that is none",
        f"{FIT} {EVALUATOR}.extractor inception {EVALUATOR}.weights_path tiny.yaml",
        1,
        "weights",
    ),
    Case("seed -1", f"{FIT} --seed_everything -1", 1, "at least 0 and at most 4,294,967,295"),
    Case("seed 2 ** 40", f"{FIT} --seed_everything {2**40}", 1, "at most 4,294,967,295"),
    Case("a seed of the evaluator", f"{FIT} {EVALUATOR}.seed {10**30}", 1, "evaluator's seed"),
    Case("a folder of runs that is a file", f"{FIT} --trainer.default_root_dir tiny.yaml", 1, "tiny.yaml"),
    Case("a cache that is a file", f"{FIT} --data.init_args.cache_dir tiny.yaml", 1, "tiny.yaml"),
    Case("an extractor that is not built", f"{FIT} --model.evaluator.extractor broken.UnbuiltExtractor", 1, NOT_BUILT),
    *(
        Case(f"a failing {net}", f"{FIT} --model.evaluator.{net} broken.FailingExtractor", 1, FAILS)
        for net in ("extractor", "classifier")
    ),
    Case("other classes", f"{FIT} --conditional true {GENERATOR}.num_classes 3", 1, "has 10 classes but the generator"),
    Case("data that are not built", f"{FIT} --data broken.FailingData", 1, "cannot be made (KeyError: 'width')"),
    Case("a batch norm of one value", f"{FIT} {ONE_PIXEL} --data.batch_size 1", 1, "raise --data.batch_size"),
    Case("micro-batches of one value", f"{FIT} {ONE_PIXEL} --model.micro_batches 8", 1, "lower --model.micro_batches"),
    Case("evaluating without a net", "validate --config tiny.yaml", 1, "needs a trained net"),
    Case(
        "a foreign protocol",
        "test --ckpt_path last.ckpt --protocol nope",
        2,
        "--protocol is nope; give one of test, paper, common",
    ),
    Case("validation of 0 seeds", "validate --ckpt_path last.ckpt --seeds 0", 1, "seeds is 0"),
]


CALLBACKS = [
    *(
        Case(name, f"{CALLBACK} {name} {options}", 1, words)
        for name, options, words in (
            ("BackboneFinetuning", "", "freezes a backbone, and these nets have none"),
            ("BatchSizeFinder", "", "set --data.batch_size"),
            ("GradientAccumulationScheduler", "--trainer.callbacks.scheduling '{0: 2}'", "--model.micro_batches"),
            ("LearningRateFinder", "", "set --model.generator_optimizer.lr"),
            ("ModelPruning", "--trainer.callbacks.pruning_fn l1_unstructured", "weights that the widths share"),
            ("OnExceptionCheckpoint", "--trainer.callbacks.dirpath x", "is not needed"),
            ("SpikeDetection", "", "needs a single loss"),
        )
    ),
    Case(
        "a callback that is not built", f"{CALLBACK} broken.FailingProgress", 1, "cannot be made (OSError: no display)"
    ),
    Case("a metric of no extractor", f"{CALLBACK} EarlyStopping {MONITOR} fid_x", 1, "take one of fid, fid_digits"),
    *(
        Case(name, f"{FIT} --checkpoint.monitor {options}", 1, words)
        for name, options, words in (
            ("the best loss", "generator_loss", "'generator_loss' is no metric of images"),
            ("the best of another extractor", "fid_inception/1", "which the evaluation does not give; take one of fid"),
            ("the best of what is left out", f"kid {EVALUATOR}.metrics [fid]", "take one of fid, fid_digits"),
            ("the best score without logits", f"is {EVALUATOR}.extractor evaluations.MeanColour", "take one of"),
            ("the best of no width", "fid/0.3", "no width is 0.3; take one of 0.25, 0.5, 0.75, 1"),
            ("the best without an evaluator", "fid --model.evaluator null", "nothing is evaluated; give"),
            ("the best without checkpoints", "fid --trainer.enable_checkpointing false", "leave one out"),
            ("no patience", "fid --checkpoint.patience 0", "the checkpoint's patience is 0; it has to be at least 1"),
        )
    ),
    Case("patience alone", f"{FIT} --checkpoint.patience 2", 1, "name one, such as --checkpoint.monitor fid"),
    Case("a loss of another name", f"{CALLBACK} ModelCheckpoint {MONITOR} gen_loss", 1, "take one of generator_loss"),
    Case(
        "a metric without an evaluator",
        f"{CALLBACK} ModelCheckpoint {MONITOR} fid_digits/1 --model.evaluator null",
        1,
        "which is not logged",
    ),
    Case(
        "a loss that is logged too late",
        f"{CALLBACK} EarlyStopping {MONITOR} generator_loss --trainer.val_check_interval 2",
        1,
        "set --trainer.log_every_n_steps to at most 2",
    ),
]


def weight(value: object) -> Prepare:
    """Return what writes a checkpoint with one weight of the generator in another form."""
    return changed(lambda content: content["state_dict"].__setitem__("generator.stem.weight", value))


NAN_WEIGHT = weight(torch.full((128, 8), float("nan")))


def entry(key: str, value: object) -> Prepare:
    """Return what writes a checkpoint with another value at a key."""
    return changed(lambda content: content.__setitem__(key, value))


def setting(key: str, value: object) -> Prepare:
    """Return what writes a checkpoint with another setting of the model."""
    return changed(lambda content: content["hyper_parameters"].__setitem__(key, value))


CHECKPOINTS = [
    Case("missing", SAMPLE_BAD, 1, "there is no checkpoint bad.ckpt"),
    Case("a folder", SAMPLE_BAD, 1, "there is no checkpoint", lambda: Path("bad.ckpt").mkdir()),
    Case("the best of none", "test --ckpt_path best", 1, "there is no best checkpoint in runs"),
    Case("no bytes", SAMPLE_BAD, 1, "damaged or of another kind", raw("bad.ckpt", b"")),
    Case("text", TEST_BAD, 1, "damaged or of another kind", raw("bad.ckpt", b"hello" * 100)),
    Case("an archive of something else", SAMPLE_BAD, 1, "damaged or of another kind", broken.foreign_zip),
    Case("cut", SAMPLE, 1, "damaged or of another kind", cut("last.ckpt", 0.6)),
    Case("changed at its end", SAMPLE, 1, "damaged or of another kind", flipped("last.ckpt", 0.999)),
    Case("a tensor", SAMPLE_BAD, 1, WRITTEN, checkpoint(torch.zeros(3))),
    Case("a list", TEST_BAD, 1, WRITTEN, checkpoint([1, 2])),
    Case("a net of something else", RESUME_BAD, 1, WRITTEN, checkpoint({"state_dict": {}})),
    Case("no settings", SAMPLE_BAD, 1, WRITTEN, broken.without("hyper_parameters")),
    Case("settings that are a list", TEST_BAD, 1, WRITTEN, entry("hyper_parameters", ["generator"])),
    Case("a record of images that is a number", RESUME_BAD, 1, "record of its data", entry("DigitsDataModule", 3)),
    Case("data that are a list", TEST_BAD, 1, WRITTEN, entry("datamodule_hyper_parameters", [1])),
    *(
        Case(f"{name} on resume", f"{RESUME} --model.generator_optimizer{setting}", 1, f"what {name} needs ({state})")
        for name, setting, state in (
            ("Adam", ".init_args.amsgrad true", "max_exp_avg_sq"),
            ("RMSprop", " RMSprop", "square_avg"),
        )
    ),
    *(
        Case(f"optimizers with {name}", RESUME_BAD, 1, "optimizer states are odd", changed(change))
        for name, change in {
            "no settings": lambda content: content["optimizer_states"][0].pop("param_groups"),
            "no states": lambda content: content["optimizer_states"][1].pop("state"),
            "one of two": lambda content: content["optimizer_states"].pop(),
        }.items()
    ),
    Case("no data", TEST_BAD, 1, "which data it belongs to", broken.without("datamodule_hyper_parameters")),
    Case(
        "data of a class that is not here",
        TEST_BAD,
        1,
        "nowhere",
        entry("datamodule_hyper_parameters", {"_class_path": "nowhere.Data"}),
    ),
    Case("an evaluator that is a number", TEST_BAD, 1, WRITTEN, setting("evaluator", 7)),
    Case(
        "an evaluator without settings",
        TEST_BAD,
        1,
        WRITTEN,
        setting("evaluator", {"class_path": "slimgan_pl.evaluation.evaluator.Evaluator"}),
    ),
    Case("wrong shapes", SAMPLE_BAD, 1, "is (2, 2) there and (128, 8) here", weight(torch.zeros(2, 2))),
    Case(
        "a weight too many",
        TEST_BAD,
        1,
        "does not fit these nets: x is",
        changed(lambda c: c["state_dict"].update(x=torch.zeros(1))),
    ),
    *(
        Case(
            f"weights that are not finite, {command.split()[0]}",
            command,
            1,
            "NaN or infinite, in generator",
            NAN_WEIGHT,
        )
        for command in (SAMPLE_BAD, TEST_BAD, RESUME_BAD)
    ),
]

MALFORMED = {
    "no iteration": (TEST_BAD, broken.without("global_step")),
    "an iteration that is a word": (RESUME_BAD, entry("global_step", "x")),
    "no weights": (SAMPLE_BAD, broken.without("state_dict")),
    "weights that are a list": (SAMPLE_BAD, entry("state_dict", [1])),
    "a weight that is a word": (TEST_BAD, weight("x")),
    "settings that are none": (SAMPLE_BAD, entry("hyper_parameters", None)),
    "a generator of another class": (SAMPLE_BAD, setting("generator", {"class_path": "torch.nn.Linear"})),
    "a setting that is not known": ("recalibrate --ckpt_path bad.ckpt", setting("colour", "red")),
    "no optimizers": (RESUME_BAD, broken.without("optimizer_states")),
    "optimizers that are words": (RESUME_BAD, entry("optimizer_states", "x")),
    "no version": (TEST_BAD, broken.without("pytorch-lightning_version")),
}

IMAGES = [
    Case("no folder", FOLDER, 1, "there is no folder images"),
    Case("an empty folder", FOLDER, 1, "there are no images in images", lambda: Path("images").mkdir()),
    Case("a file for a folder", FOLDER, 1, "there is no folder images", raw("images", b"x")),
    Case("too few", FOLDER, 1, "give at least 3", images(2)),
    Case("test images alone", FOLDER, 1, "holds test images alone, in Val", images(folder="images/Val")),
    Case("too few for a batch", FOLDER, 1, "lower --data.batch_size", images(5)),
    Case("no bytes", FOLDER, 1, "x.png cannot be used", odd_one("x.png", b"")),
    Case(
        "cut",
        FOLDER,
        1,
        "03.png cannot be used (image file is truncated)",
        several(images(), cut("images/03.png", 0.5)),
    ),
    Case(
        "several cut",
        FOLDER,
        1,
        "2 of 12 images cannot be used: images/03.png (image file is truncated), images/05.png",
        several(images(), cut("images/03.png", 0.5), cut("images/05.png", 0.5)),
    ),
    Case(
        "floats",
        FOLDER,
        1,
        "for example --data.value_range '[0, 1]'",
        picture("images/x.tif", Image.new("F", (16, 16), 0.5)),
    ),
    Case("a range that descends", f"{FOLDER} --data.value_range [1,0]", 1, "two finite numbers that ascend", images()),
    Case("no images but others", FOLDER, 1, "there are no images in images, only 1 .svg", raw("images/x.svg", b"")),
    Case("changed", FOLDER, 1, "03.png cannot be used", several(images(), flipped("images/03.png", 0.4))),
    Case("text", FOLDER, 1, "x.png cannot be used", odd_one("x.png", b"hello")),
    Case("HTML", FOLDER, 1, "x.jpg cannot be used", odd_one("x.jpg", b"<html>")),
    Case("a bomb", FOLDER, 1, "x.png cannot be used", odd_one("x.png", broken.bomb(60_000))),
    Case("a dangling link", FOLDER, 1, "images/x.png", several(images(), broken.link("images/x.png", "nowhere.png"))),
    Case("a link to itself", FOLDER, 1, "images/x.png", several(images(), broken.link("images/x.png", "x.png"))),
    Case("classes that are not there", f"{FOLDER} --conditional true", 1, "needs data with classes", images()),
    Case("image_size 0", f"{FOLDER} --data.image_size 0", 1, "image_size is 0", images()),
    Case("crop -5", f"{FOLDER} --data.crop -5", 1, "crop is -5", images()),
    Case("test_fraction NaN", f"{FOLDER} --data.test_fraction .nan", 1, "between 0 and 1", images()),
    Case(
        "two channels", f"{FOLDER} --data.image_channels 2", 2, "--data.image_channels is 2; give one of 1, 3", images()
    ),
    Case("evaluating a bomb", TEST_IMAGES, 1, "x.png cannot be used", odd_one("x.png", broken.bomb(60_000))),
    Case(
        "evaluating a cut image", TEST_IMAGES, 1, "03.png cannot be used", several(images(), cut("images/03.png", 0.5))
    ),
    Case(
        "evaluating a dangling link",
        TEST_IMAGES,
        1,
        "x.png cannot be used",
        several(images(), broken.link("images/x.png", "no")),
    ),
    Case(
        "evaluating several cut images",
        TEST_IMAGES,
        1,
        "2 of 12 images cannot be used: images/03.png (image file is truncated), images/05.png",
        several(images(), cut("images/03.png", 0.5), cut("images/05.png", 0.5)),
    ),
    Case(
        "evaluating floats",
        TEST_IMAGES,
        1,
        "save it with 8 or 16",
        picture("images/x.tif", Image.new("F", (16, 16), 0.5)),
    ),
    Case("evaluating another size", TEST_IMAGES, 1, "is 20x20 pixels", images(size=20)),
]

TOOLS = [
    *(Case(f"width {w}", f"{SAMPLE} --width {w}", 1, "is not one of") for w in ("0.3", ".nan", ".inf", "0", "-1")),
    Case("width x", f"{SAMPLE} --width x", 2, "--width is x; give a number or one of all"),
    *(Case(f"num_images {n}", f"{SAMPLE} --num_images {n}", 1, "num_images is") for n in (0, -1, 10**12, 10**30)),
    Case("a label without classes", f"{SAMPLE} --label 3", 1, "there is no class 3"),
    Case("a film without frames", f"{WALK} --frames 1", 1, "frames is 1; it has to be at least 6"),
    Case("a film that is too fast", f"{WALK} --fps 1000", 1, "at least 1 and at most 50"),
    Case("a walk of one latent", f"{WALK} --latents 1", 1, "latents is 1"),
    Case(
        "a film in another format", f"{WALK} --output a.avi", 1, "no animation can be written as .avi; end --output in"
    ),
    Case("a walk at a width that is not there", f"{WALK} --width 0.3", 1, "widths: 0.25, 0.5, 0.75, 1"),
    Case("a walk of a class without classes", f"{WALK} --label 1", 1, "there is no class 1"),
    Case("a film from sample", f"{SAMPLE} --output a.mp4", 1, "; slimgan walk writes animations"),
    Case("sample seed -1", f"{SAMPLE} --seed -1", 1, "the seed is -1"),
    Case("an output below a file", f"{SAMPLE} --output tiny.yaml/x.png", 1, "tiny.yaml"),
    Case("a folder that is a file", f"{SAMPLE} --output LICENSE", 1, "LICENSE", raw("LICENSE", b"mine")),
    Case("an output that is no picture", f"{SAMPLE} --output x.colour", 1, "no picture can be written as .colour"),
    *(
        Case(f"an output as {suffix}", f"{SAMPLE} --output x{suffix}", 1, f"no picture can be written as {suffix}; end")
        for suffix in (".ico", ".icns", ".xbm", ".wmf")
    ),
    Case("an empty output", f"{SAMPLE} --output ''", 1, "--output is empty"),
    Case("a picture too tall", f"{SAMPLE} --output x.webp --num_images 8000", 1, "cannot hold this picture"),
    Case("no folder to write to", f"{SAMPLE} --output /proc/x.png", 1, "could not be written to /proc/x.png ("),
    Case("a name that is too long", f"{SAMPLE} --output {260 * 'x'}", 1, "(File name too long); choose a shorter name"),
    Case(
        "a folder of another sample",
        f"{SAMPLE} --output images",
        1,
        "images holds 5 other images, such as 00.png; name another --output, or remove them",
        several(images(5, "images"), raw("images/notes.txt", b"mine"), raw("images/.hidden.png", b"mine")),
    ),
    Case("a folder of one width", f"{SAMPLE} --width all --output images", 1, "images holds 3 other", images(3)),
    Case("a folder of all widths", f"{SAMPLE} --output images", 1, "holds 3 other", images(3, "images/width_0.5")),
    Case(
        "recalibration to nowhere",
        f"{RECALIBRATE} --num_batches 1 --output /proc/x.ckpt",
        1,
        "the checkpoint could not be written to /proc/x.ckpt (No such file or directory); make room or give write",
    ),
    Case("recalibration of 0 batches", f"{RECALIBRATE} --num_batches 0", 1, "num_batches is 0"),
    Case("recalibration of batches of 0", f"{RECALIBRATE} --batch_size 0", 1, "batch_size is 0"),
    Case("recalibration onto a file", f"{RECALIBRATE} --output tiny.yaml", 1, "tiny.yaml already exists"),
    Case("recalibration onto itself", f"{RECALIBRATE} --output last.ckpt", 1, "last.ckpt already exists"),
    Case("recalibration below a file", f"{RECALIBRATE} --num_batches 1 --output tiny.yaml/x", 1, "tiny.yaml"),
    Case("recalibration of nothing", "recalibrate --ckpt_path no.ckpt", 1, "there is no checkpoint no.ckpt"),
    Case("import of nothing", IMPORT, 1, "there is no file G.pth"),
    Case("import of text", IMPORT, 1, "G.pth cannot be read", raw("G.pth", b"text")),
    Case("import of half a file", IMPORT, 1, "G.pth cannot be read", several(broken.authors_files, cut("G.pth", 0.5))),
    Case("import of our own", "import --generator last.ckpt --output new.ckpt", 1, "last.ckpt holds no weights"),
    Case(
        "import of swapped files",
        "import --generator D.pth --discriminator G.pth --output new.ckpt",
        1,
        "swapped",
        broken.authors_files,
    ),
    Case(
        "import of two generators",
        f"{IMPORT} --discriminator G.pth",
        1,
        "holds no known discriminators",
        broken.authors_files,
    ),
    Case(
        "import onto a file", "import --generator G.pth --output tiny.yaml", 1, "already exists", broken.authors_files
    ),
    Case(
        "import of 99 shared stages",
        f"{IMPORT} --discriminator D.pth --num_shared 99",
        1,
        "num_shared is 99",
        broken.authors_files,
    ),
]

PROFILES = [
    Case("no net", "profile", 1, "either a checkpoint with --ckpt_path or a --config"),
    Case("two nets", "profile --ckpt_path last.ckpt --config tiny.yaml", 1, "either a checkpoint with --ckpt_path or"),
    Case("no checkpoint", "profile --ckpt_path no.ckpt", 1, "there is no checkpoint no.ckpt"),
    Case("no configuration", "profile --config no.yaml", 2, "for --config; give one"),
    Case("a configuration without nets", "profile --config bad.yaml", 2, "required", config("seed_everything: 1")),
    Case("a configuration of an unknown key", "profile --config bad.yaml", 2, "'colour'", config("colour: red")),
    Case(
        "a configuration of nets that do not fit",
        "profile --config bad.yaml",
        1,
        "choose channels that every width divides",
        config(TINY.replace("channels: [8, 8, 8]", "channels: [8, 8, 7]")),
    ),
    Case(
        "a device that is none", f"{PROFILE} --device toaster", 1, "no device 'toaster' here; choose one of auto, cpu"
    ),
    Case("a device that is not there", f"{PROFILE} --device cuda:99", 1, "there is no device 'cuda:99' here"),
    *(
        Case(f"{option} {value}", f"{PROFILE} --{option} {value}", 1, words)
        for option, value, words in (
            ("batch_sizes", "0", "a batch size is 0"),
            ("batch_sizes", "[1,-3]", "a batch size is -3"),
            ("batch_sizes", "[]", "batch_sizes is empty"),
            ("batch_sizes", "[1,1000000000000]", "memory is too small for a batch of 1,000,000,000,000 images"),
            ("rounds", "0", "rounds is 0"),
            ("rounds", str(10**12), "at most 1,000,000"),
            ("seconds", "-1", "seconds is -1"),
            ("seconds", ".nan", "a finite number"),
            ("threads", "0", "threads is 0"),
            ("threads", "100000", "threads is 100000"),
            ("output", "''", "--output is empty"),
            ("output", "tiny.yaml", "tiny.yaml"),
            ("output", "tiny.yaml/x", "tiny.yaml"),
            ("output", "/proc/x", "the profile could not be written to /proc/x ("),
            ("output", 260 * "x", "(File name too long); choose a shorter name"),
        )
    ),
    Case("batch_sizes of words", f"{PROFILE} --batch_sizes [a]", 2, "give a whole number or a list such as [1, 2]"),
]

EXPORTS = [
    Case("no checkpoint", "export --ckpt_path no.ckpt", 1, "there is no checkpoint no.ckpt"),
    Case("a checkpoint that is none", "export --ckpt_path tiny.yaml", 1, "cannot be read as a checkpoint"),
    Case("an unknown format", f"{EXPORT} --format tflite", 2, "give one of safetensors, onnx"),
    Case("an unknown precision", f"{EXPORT} --precision int4", 2, "give one of float32, float16, int8"),
    Case("an unknown width", f"{EXPORT} --format onnx --width 0.3", 1, "0.3 is not one of this generator's widths"),
    Case("a width x", f"{EXPORT} --format onnx --width x", 2, "--width is x; give a number or one of all"),
    Case("one width of all", f"{EXPORT} --width 0.5", 1, "--format onnx-multi holds all widths; leave --width out"),
    Case("one width of a page", f"{EXPORT} --format web --width 0.5", 1, "--format web holds all widths"),
    Case(
        "integers of all widths",
        f"{EXPORT} --precision int8",
        1,
        "--format onnx-multi cannot hold int8; take --format onnx",
    ),
    Case("integers in safetensors", f"{EXPORT} --format safetensors --precision int8", 1, "take --format onnx"),
    Case("folded ONNX", f"{EXPORT} --fold true", 1, "leave it out"),
    Case("a package without a page", f"{EXPORT} --onnxruntime_web x.tgz", 1, "is for --format web"),
    Case("a package that is not there", f"{EXPORT} --format web --onnxruntime_web x.tgz", 1, "x.tgz"),
    Case("numbers without an extractor", f"{EXPORT} --num_fake 8", 1, "name an --extractor too"),
    Case("an unknown extractor", f"{EXPORT} --format safetensors --extractor nope", 1, "nope"),
    Case("a file in the place", f"{EXPORT} --output tiny.yaml", 1, "tiny.yaml is a file"),
    Case("a folder of something else", f"{EXPORT} --output images --overwrite true", 1, "holds no export", images()),
    Case("an earlier export", f"{EXPORT} --output o", 1, "or give --overwrite true", raw("o/model_card.json", CARD)),
    Case("a foreign card", f"{EXPORT} --output o --overwrite true", 1, "no export", raw("o/model_card.json", b"{}")),
    Case("no images to evaluate", f"{EXPORT} --extractor digits --num_fake 0", 1, "num_fake is 0"),
    Case("an empty output", f"{EXPORT} --output ''", 1, "--output is empty"),
    Case("nowhere to write", f"{EXPORT} --output /proc/export", 1, "/proc"),
]

REPORTS = [
    Case("none", "report", 2, "required: runs"),
    Case("missing", "report a nowhere", 1, "there is no folder nowhere", results("a")),
    Case("a file", "report tiny.yaml", 1, "there is no folder tiny.yaml"),
    Case("an empty folder", "report empty", 1, "nothing of a run in empty", lambda: Path("empty").mkdir()),
    Case("a folder of runs", "report runs", 1, "nothing of a run in runs", results("runs/a")),
    Case("a metric that is not there", "report a --metric kid", 1, "these runs have no kid", results("a")),
    Case("an unknown metric", "report a --metric nope", 2, "--metric is nope; give one of fid", results("a")),
    Case("seed -1", "report a --seed -1", 1, "the seed is -1", results("a")),
    Case("seed x", "report a --seed x", 2, "--seed is x; give a whole number", results("a")),
    Case("an output that is no report", "report a --output tiny.yaml", 1, "tiny.yaml is there and is no", results("a")),
    Case("an output that is a folder", "report a --output a", 1, "--output a is a folder", results("a")),
    Case("an empty output", "report a --output ''", 1, "name a file such as report.html", results("a")),
    Case("an output below a file", "report a --output tiny.yaml/x", 1, "tiny.yaml", results("a")),
    Case("no folder to write to", "report a --output /proc/x.html", 1, "the page could not be written", results("a")),
]

NO_RESULTS = "c/results.json does not hold results"
COMPARISONS = [
    Case("missing", "compare a nowhere", 1, "there are no results at nowhere", results("a")),
    Case("none", "compare", 2, "required: runs"),
    Case("an output that is no table", "compare a --output tiny.yaml", 1, "is there and is no table", results("a")),
    Case(
        "an empty folder",
        "compare a empty",
        1,
        "empty/results.json",
        several(results("a"), lambda: Path("empty").mkdir()),
    ),
    *(
        Case(name, "compare a c", 1, NO_RESULTS, several(results("a"), raw("c/results.json", content)))
        for name, content in {
            "broken JSON": b'{"a":',
            "no bytes": b"",
            "a list": b"[1]",
            "a number": b"3",
            "bytes": b"\xff\xfe",
            "deep nesting": b"[" * 100_000,
        }.items()
    ),
    Case("no extractor", "compare a c", 1, NO_RESULTS, several(results("a"), results("c", extractor=None))),
    Case("a protocol that is a list", "compare a c", 1, NO_RESULTS, several(results("a"), results("c", protocol=[1]))),
    Case("rows without width", "compare a c", 1, NO_RESULTS, several(results("a"), results("c", widths=[{"fid": 3}]))),
    Case(
        "a metric that is a word",
        "compare a c",
        1,
        NO_RESULTS,
        several(results("a"), results("c", widths=[{"width": 1, "fid": "x"}])),
    ),
    Case(
        "an infinite iteration",
        "compare a c",
        1,
        NO_RESULTS,
        several(results("a"), results("c", iteration=float("inf"))),
    ),
    Case("a metric that is not there", "compare a --metric kid", 1, "these results hold no kid", results("a")),
    Case("an unknown metric", "compare a --metric nope", 2, "--metric is nope; give one of fid", results("a")),
    Case("an output below a file", "compare a --output tiny.yaml/x", 1, "tiny.yaml", results("a")),
    Case("no folder to write to", "compare a --output /proc/x", 1, "the table could not be written", results("a")),
    Case("a configuration", "compare tiny.yaml", 1, "does not hold results"),
]

WORKING = {
    "an animated GIF": (FOLDER, picture("images/x.gif", Image.new("RGB", (16, 16)), **broken.frames())),
    "an animated WebP": (FOLDER, picture("images/x.webp", Image.new("RGB", (16, 16)), **broken.frames())),
    "an animated PNG": (FOLDER, picture("images/x.png", Image.new("RGB", (16, 16)), **broken.frames())),
    "16 bits": (FOLDER, picture("images/x.png", Image.new("I;16", (16, 16), 40_000))),
    "CMYK": (FOLDER, picture("images/x.jpg", Image.new("CMYK", (16, 16), (9, 9, 9, 9)))),
    "a pixel": (FOLDER, picture("images/x.png", Image.new("L", (1, 1)))),
    "a transparent palette": (FOLDER, picture("images/x.png", broken.transparent_palette())),
    "a wrong suffix": (FOLDER, picture("images/x.png", Image.new("L", (16, 16)), format="JPEG")),
    "a folder called x.png": (FOLDER, several(images(), lambda: Path("images/x.png").mkdir())),
    "a pipe": (FOLDER, several(images(), lambda: os.mkfifo("images/x.png"))),
    "a loop of links": (FOLDER, several(images(), broken.link("images/up", "../images"))),
    "Unicode and spaces": (FOLDER, several(images(), lambda: Path("images/00.png").rename("images/é 数 😀.png"))),
    "a newline": (FOLDER, several(images(), lambda: Path("images/00.png").rename("images/a\nb.png"))),
    "a name that is no text": (FOLDER, several(images(), lambda: os.rename(b"images/00.png", b"images/\xff.png"))),
    "one class of one image": (FOLDER, several(images(6, "images/a"), images(1, "images/b"))),
    "an empty class": (FOLDER, several(images(12, "images/a"), lambda: Path("images/b").mkdir())),
    "one class": (FOLDER, images(12, "images/train/a")),
    "evaluating a name that is no text": (
        TEST_IMAGES,
        several(images(), lambda: os.rename(b"images/00.png", b"images/\xff.png")),
    ),
    "a run twice": ("compare a a", results("a")),
    "a report of a run twice": ("report a a", results("a")),
    "a report of metrics that are not finite": (
        "report a",
        results("a", widths=[{"width": 1.0, "fid": float("nan")}, {"width": 0.5, "fid": float("inf")}]),
    ),
    "a report of a broken checkpoint": (
        "report a",
        several(
            results("a"),
            raw("a/checkpoints/last.ckpt", b"x"),
            raw("a/metrics.csv", b"\xff"),
            raw("a/samples.png", b"x"),
        ),
    ),
    "a report of results that are none": (
        "report a",
        several(raw("a/results.json", b"[1]"), raw("a/config.yaml", b"[1]")),
    ),
    "metrics that are not finite": (
        "compare a --format csv",
        results("a", widths=[{"width": 1.0, "fid": float("nan")}]),
    ),
    "a picture that is there": (SAMPLE, raw("x.png", b"old")),
    "half precision": (f"{FIT} --model.evaluator null --trainer.precision bf16-true", lambda: None),
    **{
        name: (f"{CALLBACK} {callback}", lambda: None)
        for name, callback in {
            "a progress bar of Lightning's": "TQDMProgressBar",
            "a timer": "Timer --trainer.callbacks.duration 00:00:10:00",
            "a summary": "ModelSummary",
            "a monitor of learning rates": "LearningRateMonitor",
            "a monitor of throughput": "ThroughputMonitor --trainer.callbacks.batch_size_fn builtins.len",
            "early stopping": f"EarlyStopping {MONITOR} fid_digits/1 --trainer.val_check_interval 2",
            "the best checkpoint": f"ModelCheckpoint {MONITOR} mic_digits --trainer.val_check_interval 2",
        }.items()
    },
    "an import": (f"{IMPORT} --discriminator D.pth", broken.authors_files),
}


OFTEN = {  # what make test runs of each table
    *("missing", "a key twice", "code", "an unknown key"),
    *("widths [0.5, 0.25, 1.0]", "learning rate .nan", "a batch larger than the data", "num_fake 0"),
    *("abbreviated compare a --form csv", "no configuration", "accumulate_grad_batches of the trainer"),
    *("project of Weights & Biases",),
    *("cut", "a tensor", "weights that are not finite, sample", "a weight that is a word"),
    *("a bomb", "image_size 0"),
    *("a failing extractor", "a batch norm of one value", "LearningRateFinder", "a metric of no extractor"),
    "the best of no width",
    *("a callback that is not built", "a progress bar of Lightning's"),
    *("width 0.3", "recalibration onto a file", "import of text", "no net", "rounds 0"),
    *("an unknown width", "an earlier export", "an output that is no report", "broken JSON"),
    *("a pipe", "a transparent palette", "a run twice", "an import"),
}


@pytest.fixture
def here(tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory, with a configuration and a checkpoint."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("tiny.yaml").write_text(TINY)
    shutil.copy(tiny_run / "checkpoints" / "last.ckpt", "last.ckpt")
    return folder


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return what lies in a folder, with the bytes of each file."""
    paths = sorted(folder.rglob("*"))
    return {os.fsdecode(path): path.read_bytes() if path.is_file() else None for path in paths}


def check(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Raise an AssertionError unless a mistake ends as it has to."""
    if case.prepare is not None:
        case.prepare()
    before = contents(folder)
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_info:
        cli.main(shlex.split(case.command))
    error = capsys.readouterr().err
    (line,) = [line for line in error.splitlines() if line.startswith("slimgan: error:")]
    assert exit_info.value.code == case.status
    assert case.words in line
    assert "Traceback" not in error
    assert "Errno" not in error
    assert len(line) < 340
    assert contents(folder) == before


def cases(*tables: Sequence[Case]) -> pytest.MarkDecorator:
    rows = [case for table in tables for case in table]
    return mostly_slow("case", rows, lambda case: case.name in OFTEN, ids=lambda case: str(case.name))


@cases(CONFIGS)
def test_a_bad_configuration_is_one_sentence(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(case, here, capsys)


@cases(SETTINGS)
def test_a_setting_out_of_range_is_one_sentence(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(case, here, capsys)


@cases(CALLBACKS)
def test_a_callback_that_cannot_serve_is_one_sentence(
    case: Case, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(case, here, capsys)


@cases(CHECKPOINTS)
def test_a_bad_checkpoint_is_one_sentence(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(case, here, capsys)


@mostly_slow("name", MALFORMED, OFTEN.__contains__)
def test_a_checkpoint_of_another_form_is_one_sentence(
    name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, prepare = MALFORMED[name]
    check(Case(name, command, 1, "bad.ckpt", prepare), here, capsys)


@cases(IMAGES)
def test_a_bad_image_is_one_sentence(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(case, here, capsys)


@cases(TOOLS, PROFILES)
def test_a_mistake_with_a_tool_is_one_sentence(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(case, here, capsys)


@cases(EXPORTS)
def test_a_mistake_with_an_export_is_one_sentence(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(case, here, capsys)


@cases(REPORTS)
def test_a_mistake_with_a_report_is_one_sentence(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(case, here, capsys)


@cases(COMPARISONS)
def test_bad_results_are_one_sentence(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(case, here, capsys)


@mostly_slow("name", WORKING, OFTEN.__contains__)
def test_what_only_looks_odd_works(name: str, here: Path) -> None:
    command, prepare = WORKING[name]
    prepare()
    cli.main(shlex.split(command))

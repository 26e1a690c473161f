"""Train the digits classifier that the package carries, and print its accuracy on the test split.

Run from the repository's root: ``python scripts/train_digits_classifier.py`` (under two minutes on two cores).
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from slimgan_pl.data import DigitsDataModule
from slimgan_pl.evaluation import DigitsClassifier

OUTPUT = Path(__file__).resolve().parent.parent / "src" / "slimgan_pl" / "evaluation" / "weights" / "digits.safetensors"
EPOCHS = 60
BATCH_SIZE = 64


def shifted(images: Tensor) -> Tensor:
    """Move a batch by up to one pixel a side, the border repeated."""
    dy, dx = (int(torch.randint(3, ())) for _ in range(2))
    return F.pad(images.float(), (1, 1, 1, 1), mode="replicate")[..., dy : dy + 16, dx : dx + 16]


def main() -> None:
    """Train, save and report."""
    torch.manual_seed(0)
    data = DigitsDataModule(image_size=16)
    data.setup("fit")
    splits = {}
    for split, array in data.arrays.items():
        assert array.labels is not None
        splits[split] = torch.tensor(array.images), torch.tensor(array.labels)
    images, labels = splits["train"]
    net = DigitsClassifier(pretrained=False)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
    steps = EPOCHS * (len(images) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(BATCH_SIZE)[: len(images) // BATCH_SIZE]:
            _, logits = net(shifted(images[batch]))
            loss = F.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    net.eval()
    test_images, test_labels = splits["test"]
    with torch.no_grad():
        correct = net(test_images)[1].argmax(1) == test_labels
    OUTPUT.parent.mkdir(exist_ok=True)
    save_file(net.state_dict(), OUTPUT)
    print(f"test accuracy {correct.float().mean():.4f} on {len(correct)} images, weights in {OUTPUT.name}")


if __name__ == "__main__":
    main()

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


def varied(images: Tensor) -> Tensor:
    """Rotate, scale, shear and shift each image a little, and add noise, so that small flaws do not confuse the net."""
    count = len(images)
    change = torch.randn(count, 2, 3) * torch.tensor([0.12, 0.12, 0.08])
    grid = F.affine_grid(torch.eye(2, 3) + change, list(images.shape), align_corners=False)
    moved = F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
    noise = torch.rand(count, 1, 1, 1) * 40
    return (moved + noise * torch.randn_like(moved)).clamp(0, 255)


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
            _, logits = net(varied(images[batch]))
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

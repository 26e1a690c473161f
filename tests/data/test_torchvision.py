"""Published data sets, from small stand-ins in their true layout."""

import hashlib
import shutil
import tarfile
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
from PIL import Image
from standins import Bytes, write_celeba, write_cifar10, write_cifar100, write_stl10

from slimgan_pl.data import (
    ByteDataModule,
    CelebADataModule,
    CIFAR10DataModule,
    CIFAR100DataModule,
    STL10DataModule,
)
from slimgan_pl.data.torchvision import TorchvisionDataModule
from slimgan_pl.errors import SlimGANError

Writer = Callable[[Path], dict[str, Bytes]]
SETS: dict[str, tuple[type[TorchvisionDataModule], Writer]] = {
    "CIFAR-10": (CIFAR10DataModule, write_cifar10),
    "CIFAR-100": (CIFAR100DataModule, write_cifar100),
    "STL-10": (STL10DataModule, write_stl10),
    "CelebA": (CelebADataModule, write_celeba),
}


def resized(images: Bytes, size: int) -> Bytes:
    """Resize with PIL, image by image."""
    rows = [
        np.asarray(Image.fromarray(image.transpose(1, 2, 0)).resize((size, size), Image.Resampling.BILINEAR))
        for image in images
    ]
    result: Bytes = np.stack(rows).transpose(0, 3, 1, 2)
    return result


@pytest.mark.parametrize("name", SETS)
def test_the_arrays_are_the_files_images_at_the_papers_size(name: str, tmp_path: Path) -> None:
    module, write = SETS[name]
    written = write(tmp_path)
    data = module(str(tmp_path), verify=False)
    data.prepare_data()
    assert data.image_size == {"STL-10": 48, "CelebA": 64}.get(name, 32)
    for split, images in written.items():
        read = data.arrays[split].images.astype(int)  # type: ignore[index]
        expected = resized(images, data.image_size).astype(int)
        assert read.shape == expected.shape
        assert np.abs(read - expected).max() <= (30 if name == "CelebA" else 0)  # JPEG loses some
        assert np.abs(read - expected).mean() <= 3


def test_labels_are_the_files_and_sets_without_classes_have_none(tmp_path: Path) -> None:
    for name, (module, write) in SETS.items():
        write(tmp_path / name)
        data = module(str(tmp_path / name), verify=False)
        data.prepare_data()
        labels = data.arrays["train"].labels
        if data.num_classes:
            assert labels is not None
            assert labels.tolist() == [number % data.num_classes for number in range(100)]
        else:
            assert labels is None


def test_a_published_data_set_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real loader fetches a small archive from a server on this machine, checks it and unpacks it."""
    write_cifar10(tmp_path / "server")
    requests = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            requests.append(self.path)

    handler = partial(Handler, directory=str(tmp_path / "server"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        publish(CIFAR10DataModule.dataset, tmp_path / "server", address, monkeypatch)
        counts = []
        for cache in ("first", "second"):
            data = CIFAR10DataModule(str(tmp_path / "data"), download=True, cache_dir=str(tmp_path / cache))
            data.prepare_data()
            assert len(data.arrays["train"].images) == 100
            counts.append(len(requests))
        server.shutdown()
    assert counts[0] > 0
    assert counts[1] == counts[0]


def publish(dataset: Any, server: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder an archive, and its address and checksums those of a data set."""

    def md5(path: Path) -> str:
        return hashlib.md5(path.read_bytes()).hexdigest()

    folder = server / dataset.base_folder
    with tarfile.open(server / "archive.tar.gz", "w:gz") as archive:
        archive.add(folder, dataset.base_folder)
    monkeypatch.setattr(dataset, "url", f"{address}/archive.tar.gz")
    monkeypatch.setattr(dataset, "tgz_md5", md5(server / "archive.tar.gz"))
    for key in ("train_list", "test_list"):
        monkeypatch.setattr(dataset, key, [[name, md5(folder / name)] for name, _ in getattr(dataset, key)])
    name = dataset.meta["filename"]
    monkeypatch.setattr(dataset, "meta", {**dataset.meta, "md5": md5(folder / name)})


@pytest.mark.parametrize("name", SETS)
def test_a_missing_data_set_says_what_to_put_where(name: str, tmp_path: Path) -> None:
    data = SETS[name][0](str(tmp_path))
    with pytest.raises(SlimGANError, match=f"no {name} in .*put its folder {data.folder.name} there"):
        data.prepare_data()


@pytest.mark.parametrize("name", SETS)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    module, write = SETS[name]
    write(tmp_path)
    data = module(str(tmp_path), verify=False, download=True)
    data.files[-1].unlink()
    before = {path: path.stat().st_mtime_ns for path in data.files if path.exists()}
    with pytest.raises(SlimGANError, match=f"lacks {data.files[-1].name};"):
        data.prepare_data()
    assert {path: path.stat().st_mtime_ns for path in data.files if path.exists()} == before


@pytest.mark.parametrize("name", SETS)
def test_the_data_sets_own_folder_as_root_is_told_apart(name: str, tmp_path: Path) -> None:
    module, write = SETS[name]
    write(tmp_path)
    with pytest.raises(SlimGANError, match="give its parent"):
        module(str(module(str(tmp_path)).folder), download=True).prepare_data()


@pytest.mark.parametrize("name", SETS)
def test_a_file_that_is_not_the_published_one_is_named_and_never_replaced(name: str, tmp_path: Path) -> None:
    module, write = SETS[name]
    write(tmp_path)
    data = module(str(tmp_path), download=True)
    before = {path: path.stat().st_mtime_ns for path in data.files}
    with pytest.raises(SlimGANError, match=f"{data.files[-1].name} in .* not the published {name}"):
        data.prepare_data()
    assert {path: path.stat().st_mtime_ns for path in data.files} == before


@pytest.mark.parametrize("name", SETS)
def test_a_failed_download_names_the_files_that_are_needed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _ = SETS[name]

    class Quota(Exception):  # noqa: N818
        """Of a kind that only the downloading library knows."""

    def offline(self: object) -> None:
        raise Quota("too many have downloaded it") if name == "CelebA" else URLError("no network")

    monkeypatch.setattr(module.dataset, "download", offline)
    data = module(str(tmp_path), download=True)
    with pytest.raises(SlimGANError, match=r"could not be downloaded \(.*\); fetch it by") as error:
        data.prepare_data()
    assert all(path.name in str(error.value) for path in data.files)


def test_all_broken_faces_of_both_splits_are_counted(tmp_path: Path) -> None:
    write_celeba(tmp_path)
    for number in (3, 30):
        path = tmp_path / "celeba" / "img_align_celeba" / f"{number:06d}.jpg"
        path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SlimGANError, match=r"2 of 40 images .*000003\.jpg of the train .*000030\.jpg of the test"):
        CelebADataModule(str(tmp_path), verify=False).prepare_data()


@pytest.mark.parametrize(
    ("name", "unread"),
    [
        (
            "CelebA",
            ["list_attr_celeba.txt", "identity_CelebA.txt", "list_bbox*.txt", "list_landmarks_align_celeba.txt"],
        ),
        ("STL-10", ["train_X.bin", "train_y.bin"]),
    ],
)
def test_files_that_are_not_read_need_not_exist(name: str, unread: list[str], tmp_path: Path) -> None:
    module, write = SETS[name]
    written = write(tmp_path)
    data = module(str(tmp_path), verify=False)
    for pattern in unread:
        (path,) = data.folder.glob(pattern)
        path.unlink()
    data.prepare_data()
    assert [len(data.arrays[split].images) for split in ("train", "test")] == [
        len(images) for images in written.values()
    ]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    def read() -> Bytes:
        data: ByteDataModule = CIFAR10DataModule(str(tmp_path), verify=False)
        data.prepare_data()
        return np.array(data.arrays["test"].images)

    write_cifar10(tmp_path)
    first = read()
    shutil.rmtree(tmp_path / "cifar-10-batches-py")
    write_cifar10(tmp_path, count=21)
    assert len(first) == 20
    assert len(read()) == 21

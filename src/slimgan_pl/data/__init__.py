"""Data modules over memory-mapped arrays of bytes."""

from slimgan_pl.data.byte_array import ByteArray, ImageSource
from slimgan_pl.data.digits import DigitsDataModule
from slimgan_pl.data.image_folder import ImageFolderDataModule
from slimgan_pl.data.loader import ByteLoader, epoch_order
from slimgan_pl.data.module import ByteDataModule
from slimgan_pl.data.torchvision import CelebADataModule, CIFAR10DataModule, CIFAR100DataModule, STL10DataModule

__all__ = [
    "ByteArray",
    "ByteDataModule",
    "ByteLoader",
    "CIFAR10DataModule",
    "CIFAR100DataModule",
    "CelebADataModule",
    "DigitsDataModule",
    "ImageFolderDataModule",
    "ImageSource",
    "STL10DataModule",
    "epoch_order",
]

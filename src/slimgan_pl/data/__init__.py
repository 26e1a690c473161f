"""Data modules over memory-mapped arrays of bytes."""

from slimgan_pl.data.broken_images import BrokenImageError, BrokenImagesError
from slimgan_pl.data.byte_array import ByteArray, ImageSource
from slimgan_pl.data.datamodule import ByteDataModule, Split
from slimgan_pl.data.digits import DigitsDataModule
from slimgan_pl.data.image_files import list_images
from slimgan_pl.data.image_folder import ImageFolderDataModule
from slimgan_pl.data.loader import ByteLoader, WholeSplit, epoch_order
from slimgan_pl.data.summary import DataSummary
from slimgan_pl.data.torchvision import CelebADataModule, CIFAR10DataModule, CIFAR100DataModule, STL10DataModule

__all__ = [
    "BrokenImageError",
    "BrokenImagesError",
    "ByteArray",
    "ByteDataModule",
    "ByteLoader",
    "CIFAR10DataModule",
    "CIFAR100DataModule",
    "CelebADataModule",
    "DataSummary",
    "DigitsDataModule",
    "ImageFolderDataModule",
    "ImageSource",
    "STL10DataModule",
    "Split",
    "WholeSplit",
    "epoch_order",
    "list_images",
]

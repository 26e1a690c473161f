"""Data modules over memory-mapped arrays of bytes."""

from slimgan_pl.data.byte_array import ByteArray, ImageSource
from slimgan_pl.data.digits import DigitsDataModule
from slimgan_pl.data.image_folder import ImageFolderDataModule
from slimgan_pl.data.loader import ByteLoader, epoch_order
from slimgan_pl.data.module import ByteDataModule

__all__ = [
    "ByteArray",
    "ByteDataModule",
    "ByteLoader",
    "DigitsDataModule",
    "ImageFolderDataModule",
    "ImageSource",
    "epoch_order",
]

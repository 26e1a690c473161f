"""Time and memory of each width on a device, in pure PyTorch."""

from slimgan_pl.profiling.latency import Form, Latency, measure_latencies, measure_latency, narrow_net
from slimgan_pl.profiling.memory import peak_bytes
from slimgan_pl.profiling.profile_widths import profile_widths
from slimgan_pl.utils.environment import find_device

__all__ = [
    "Form",
    "Latency",
    "find_device",
    "measure_latencies",
    "measure_latency",
    "narrow_net",
    "peak_bytes",
    "profile_widths",
]

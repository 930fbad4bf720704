"""What tells one network from another: its weights."""

import numpy as np
import torch
from torch import Tensor, nn

from ..data.origin import fingerprint
from .trees import Trees


def network_fingerprint(network: nn.Module | Trees) -> str:
    """Returns what tells the weights of a network from others."""
    if isinstance(network, Trees):
        return fingerprint(network.arrays().values())
    held = {name: as_array(t) for name, t in network.state_dict().items() if isinstance(t, Tensor)}
    shapes = (f"{name} {array.dtype} {array.shape}" for name, array in held.items())
    return fingerprint([*shapes, np.frombuffer(b"".join(a.tobytes() for a in held.values()), np.uint8)])


def as_array(tensor: Tensor) -> np.ndarray:
    """Returns a tensor as numpy knows it; bfloat16, which it does not know, as float32."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()

"""The flossing loss of a vanilla network in PyTorch: a loop, `torch.linalg.qr`, its autograd."""

import torch

torch.set_num_threads(1)


def value_and_grad(params, x0, basis, inputs):
    """Return a function without arguments: the loss and its gradient as NumPy arrays.

    Tangent vectors are rows, as PyTorch's row-major matrices like best; W is applied to
    state and basis in one product each, and V to all inputs at once.
    """
    leaves = {name: torch.tensor(x, requires_grad=True) for name, x in params.items()}
    x0, basis, inputs = (torch.tensor(x) for x in (x0, basis, inputs))

    def run():
        for leaf in leaves.values():
            leaf.grad = None
        W, V, b = (leaves[name] for name in "WVb")
        h, Q = x0, basis
        growth = 0.0
        for drive in inputs @ V.T + b:
            r = torch.tanh(h)
            Q, R = torch.linalg.qr(W @ ((1 - r * r)[:, None] * Q))
            growth = growth + torch.log(torch.abs(torch.diagonal(R)))
            h = W @ r + drive
        value = torch.sum((growth / len(inputs)) ** 2)
        value.backward()
        return value.item(), {name: leaf.grad.numpy() for name, leaf in leaves.items()}

    return run

"""The same training in PyTorch as one writes it: `torch.nn.RNN` with a linear readout, and Adam."""

import numpy as np
import torch

torch.set_num_threads(1)


class InTorch:
    """A network with a readout of its activations tanh(h); the states are lyapnet's."""

    def __init__(self, params, delay, clip):
        n, m = params["V"].shape
        self.rnn = torch.nn.RNN(m, n, dtype=torch.float64)
        self.readout = torch.nn.Linear(n, 1, dtype=torch.float64)
        # Its state is r = tanh(h), so that the first one is learned as that.
        self.r0 = torch.nn.Parameter(torch.tanh(torch.tensor(params["x0"])))
        own = {
            "weight_hh_l0": params["W"],
            "weight_ih_l0": params["V"],
            "bias_ih_l0": params["b"],
            "bias_hh_l0": np.zeros(n),
        }
        self.rnn.load_state_dict({name: torch.tensor(x) for name, x in own.items()})
        self.rnn.bias_hh_l0.requires_grad_(False)  # one bias, as everybody else has
        with torch.no_grad():
            self.readout.weight.copy_(torch.tensor(params["readout.W"]))
            self.readout.bias.zero_()
        modules = (*self.rnn.parameters(), *self.readout.parameters(), self.r0)
        self.leaves = [p for p in modules if p.requires_grad]
        self.adam = torch.optim.Adam(self.leaves, lr=1e-3)
        self.delay, self.clip = delay, clip

    def activations(self, inputs):
        """Return r_1 ... r_T, ``(T, batch, n)``."""
        start = self.r0.expand(1, inputs.shape[1], -1).contiguous()
        return self.rnn(torch.as_tensor(inputs), start)[0]

    def epoch(self, data):
        """Return a function that does one epoch after the other."""
        loss_of = torch.nn.BCEWithLogitsLoss()

        def epoch():
            inputs, targets = (torch.as_tensor(x) for x in data())
            self.adam.zero_grad()
            z = self.readout(self.activations(inputs)[self.delay :])
            loss = loss_of(z, targets[self.delay :])
            loss.backward()
            for p in self.leaves:
                torch.nn.utils.clip_grad_norm_(p, self.clip)
            self.adam.step()
            ((z > 0) == (targets[self.delay :] > 0.5)).double().mean().item()
            return loss.item()

        return epoch

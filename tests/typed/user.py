"""A user's script, as type checkers read it: `reveal_type` says what they must find.

`tests/test_typing.py` runs mypy and pyright on this file; it is not executed.
"""

from typing import reveal_type

import numpy as np

import lyapnet as ln

rng = np.random.default_rng(0)
cell = ln.VanillaRNN.random(16, gain=1.2, rng=rng)
reveal_type(cell)  # VanillaRNN
family = ln.VanillaRNN.random(16, gain=[0.9, 1.1], rng=0)
reveal_type(cell.step(np.zeros(16)))  # NDArray

spectrum = ln.lyapunov_spectrum(cell, 100, x0=[0.0] * 16, k=3, rng=1)
reveal_type(spectrum)  # Spectrum
reveal_type(spectrum.exponents)  # NDArray
low, high = spectrum.confidence_interval()
reveal_type(low)  # NDArray
reveal_type(spectrum.plot())  # Axes
reveal_type(spectrum.extend(100))  # Spectrum

lam = ln.finite_time_exponents(cell, np.zeros(16), np.eye(16), n_steps=5)
reveal_type(lam)  # NDArray
loss: float = ln.flossing_loss(lam)

flossed = ln.floss(cell, 5, k=2, n_steps=5, inputs=lambda g: g.standard_normal((5, 1)))
reveal_type(flossed.cell)  # VanillaRNN
lstm = ln.floss(ln.LSTM.random(4, rng=0), 5, k=2, n_steps=5)
reveal_type(lstm.cell)  # LSTM
trained = ln.train(flossed.cell, ln.tasks.TemporalXOR(2), 5, n_steps=9, batch_size=2, rng=0)
reveal_type(trained.cell)  # VanillaRNN
reveal_type(trained.accuracy)  # NDArray


class Echo:
    """A task of one's own."""

    n_inputs = n_outputs = 1
    loss = "squared_error"

    def sample(self, n_steps: int, batch_size: int, rng: np.random.Generator):
        u = rng.standard_normal((n_steps, batch_size, 1))
        return u, u, np.ones(n_steps)


class Rarely:
    """A schedule of one's own."""

    def __init__(self) -> None:
        self.settings = {"k": 2, "n_steps": 9}

    def episode(self, epoch: int, record: object) -> int:
        return int(epoch % 100 == 0)


ln.train(cell, Echo(), 5, n_steps=9, batch_size=2, schedule=Rarely(), loss="squared_error")
ln.train(
    cell, ln.tasks.DelayedCopy(2), 5, n_steps=9, batch_size=2, clip_norm=("global", 1.0),
    schedule=ln.AdaptiveFlossing(k=2, n_steps=9), penalty=ln.penalty.SpectralRadius(0.1),
)  # fmt: skip
ln.train(cell, Echo(), 5, n_steps=9, batch_size=2, penalty=("jacobian_norm", 0.1))

path = spectrum.save("spectrum.npz")
reveal_type(ln.load(path, ln.Spectrum))  # Spectrum
reveal_type(ln.load("cell.npz", ln.VanillaRNN))  # VanillaRNN

c = ln.condition_number(cell, 20, times=[10, 20], rng=rng)
reveal_type(c.log10_measured)  # NDArray
reveal_type(ln.mean_field_exponent(1.5))  # float
reveal_type(ln.critical_gain())  # float


class Decay:
    """An object of one's own is a system without being told so."""

    dim, n_inputs, dt = 2, 0, 1.0

    def step(self, h: np.ndarray, u: object = None) -> np.ndarray:
        return 0.5 * h

    def jacobian(self, h: np.ndarray, u: object = None) -> np.ndarray:
        return 0.5 * np.eye(2)


class Shrinking:
    """Its derivative may be either."""

    dim, n_inputs, dt = 2, 0, 1.0

    def step(self, h: np.ndarray, u: object = None) -> np.ndarray:
        return 0.5 * h

    def pushforward(self, h: np.ndarray, Q: np.ndarray, u: object = None) -> np.ndarray:
        return 0.5 * Q


class Underived:
    dim, n_inputs, dt = 2, 0, 1.0

    def step(self, h: np.ndarray, u: object = None) -> np.ndarray:
        return 0.5 * h


reveal_type(ln.lyapunov_spectrum(Decay(), 10, x0=np.ones(2)))  # Spectrum
reveal_type(ln.lyapunov_spectrum(Shrinking(), 10, x0=np.ones(2)))  # Spectrum

ln.lyapunov_spectrum(Underived(), 10, x0=np.ones(2))  # refused

ln.lyapunov_spectrum(cell, 100, rng="seed")  # refused
ln.lyapunov_spectrum(3, 100)  # refused
ln.floss(cell, 5, k=2)  # refused
ln.train(cell, "copy", 5, n_steps=9, batch_size=2)  # refused
ln.train(cell, Echo(), 5, n_steps=9, batch_size=2, schedule=500)  # refused
ln.train(cell, Echo(), 5, n_steps=9, batch_size=2, penalty="jacobian_norm")  # refused
print(ln.load(path, ln.Spectrum).cell)  # refused

"""A catalogue of mistakes: each gets an error with name and remedy, at once, before any work.

Those with systems, cells and spectra stand in test_inputs, those at the command line in test_cli.
"""

import time

import numpy as np
import pytest

import lyapnet as ln
from lyapnet import tasks
from lyapnet.errors import FileError
from lyapnet.flossing.epoch import Flosser
from lyapnet.training.trainer import Trainer

X = [0.1, 0.1]
CELL = ln.VanillaRNN.random(4, rng=0)
SPECTRUM = ln.lyapunov_spectrum(CELL, inputs=np.ones((300, 1)), rng=0)
CONDITION = ln.condition_number(CELL, 20, precision=100, rng=0)
JACOBIANS = np.ones((6, 2, 2)) + np.eye(2)
COPY = tasks.DelayedCopy(2)
STATE = ln.to_torch(CELL)


class Module:
    """Like a module of PyTorch."""

    state_dict = dict


class CallableModule(Module):
    """Like one that can be called, as all of them can."""

    def __call__(self, x):
        never()


class Tensor:
    """Like a tensor of PyTorch that requires grad."""

    requires_grad = True

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


def of_torch(x):
    """Say what functions of PyTorch say of arrays of NumPy."""
    raise TypeError("tanh(): argument 'input' (position 1) must be Tensor, not numpy.ndarray")


def never(*_, **__):
    raise AssertionError("work was done before the arguments were checked")


LAZY = ln.Map(never, 2)


class NotWhole(ln.System):
    """A system without a derivative."""

    dim, step, pushforward = 2, never, None


def floss(**kwargs):
    return ln.floss(CELL, 3, **{"k": 2, "n_steps": 5, **kwargs})


def train(**kwargs):
    return ln.train(CELL, **{"task": COPY, "n_epochs": 3, "n_steps": 9, "batch_size": 2, **kwargs})


def schedule(**kwargs):
    return ln.FlossingSchedule(**{"before": 1, "k": 2, "n_steps": 5, **kwargs})


def sweep(function=lambda x, rng: never(), grid=None, **kwargs):
    return ln.sweep(function, {"x": [1]} if grid is None else grid, progress=False, **kwargs)


def covariant(**kwargs):
    return ln.covariant_vectors(LAZY, **{"n_steps": 10, "x0": X, **kwargs})


def condition(**kwargs):
    return ln.condition_number(LAZY, **{"n_steps": 10, "x0": X, **kwargs})


# What was called, the error, and what it has to say.
# fmt: off
CASES = {
    "spectrum": [
        (lambda: ln.lyapunov_spectrum(ln.VanillaRNN, 9), TypeError, "`system` must be a System"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=X, k=2.0), TypeError, "`k` must be an integer"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=X, tol="small"),
         TypeError, "`tol` must be a real"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=X, tol="0.1"), TypeError, "`tol` must be a real"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=["0", "1"]), TypeError, "`x0` .* it is text"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=[0, 1j]), TypeError, "`x0` .* it is complex"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=X, rng=-1), ValueError, "`rng` must be at least"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=X, rng=np.random.RandomState()),
         TypeError, "numpy.random.Generator"),
        (lambda: ln.lyapunov_spectrum(CELL, 300, inputs=np.ones((300, 1))), ValueError,
         "on top of transient=100 and basis_transient=100, 500 together: n_steps=100; or leave"),
        (lambda: ln.lyapunov_spectrum(CELL, 400, inputs=np.ones((500, 1))), ValueError,
         "600 together: give transient=50, basis_transient=50; or n_steps=300; or leave out"),
        (lambda: ln.lyapunov_spectrum(CELL, 400, inputs=np.ones((500, 1)), transient=20),
         ValueError, "520 together: give basis_transient=80; or n_steps=380; or leave out"),
        (lambda: ln.condition_number(CELL, 400, inputs=np.ones((450, 1)), k=2),
         ValueError, "500 together: give transient=50; or n_steps=350; or leave out"),
        (lambda: ln.lyapunov_spectrum(CELL, inputs=Tensor()),
         TypeError, r"`inputs` is a tensor that requires grad.*: give inputs.detach\(\).numpy\(\)"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=X, qr_interval="foo"), ValueError,
         '`qr_interval` must be an integer, at least 1, or "auto", got \'foo\''),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=X, qr_interval=1.5), TypeError, "an integer"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=1.0), ValueError,
         r"`x0` must have shape \(..., 2\), the system's dim; got \(\)"),
        (lambda: SPECTRUM.extend(9, inputs=np.ones((5, 1))),
         ValueError, "has 5 steps, but the run takes 9, .*: give a longer sequence, by 4, or"),
        (lambda: ln.lyapunov_spectrum(ln.Map(lambda x: None, 2), 9, x0=X),
         TypeError, "`step` returned None"),
        (lambda: ln.lyapunov_spectrum(ln.Map(lambda x: x, 2, jacobian=lambda x: None), 9, x0=X),
         TypeError, "`jacobian` returned None"),
        (lambda: ln.lyapunov_spectrum(NotWhole(), 9, x0=X),
         TypeError, "`system.pushforward` must be a method, got None: leave it out"),
        (lambda: ln.lyapunov_spectrum(LAZY, 9, x0=X, record="no"), TypeError, "`record` must be"),
        (lambda: SPECTRUM.combination([1, 1]),
         ValueError, r"`weights` must fit the exponents, of shape \(4,\), got .* give 0"),
        (lambda: SPECTRUM.extend(), ValueError, "`n_steps` is needed where no `inputs`"),
        (lambda: SPECTRUM.extend(0), ValueError, "`n_steps` must be at least 1"),
        (lambda: SPECTRUM.extend(9, system=LAZY), ValueError, "`system` must have dim 4"),
        (lambda: SPECTRUM.log10_condition_number(9, m=7), ValueError, "`m` must be at most 4"),
        (lambda: SPECTRUM.log10_condition_number(-9), ValueError, "`t` must not be negative"),
        (lambda: SPECTRUM.usable_dimensions("9", 8), TypeError, "`t` must be a real number"),
        (lambda: SPECTRUM.usable_dimensions(9, -1), ValueError, "`log10_kappa_max`"),
        (lambda: SPECTRUM.diagnose(tol=-1), ValueError, "`tol` must be positive"),
        (lambda: ln.diagnose(SPECTRUM, level=95), ValueError, "`level` must lie between 0 and 1"),
        (lambda: ln.diagnose(np.ones(3)), TypeError, "`spectrum` must be a Spectrum"),
        (lambda: SPECTRUM.confidence_interval("95"), TypeError, "`level` must be a real number"),
        (lambda: ln.spectrum_from_jacobians(x for x in JACOBIANS), TypeError, "`jacobians`"),
        (lambda: ln.spectrum_from_jacobians(JACOBIANS[:0]), ValueError, "with T >= 1"),
        (lambda: ln.spectrum_from_jacobians(JACOBIANS, dt=0), ValueError, "`dt` must be positive"),
        (lambda: ln.spectrum_from_jacobians(JACOBIANS, k=3), ValueError, "`k` must be at most 2"),
    ],
    "covariant vectors": [
        (lambda: covariant(n_steps=1), ValueError, "`n_steps` must be at least 2"),
        (lambda: covariant(k=5), ValueError, "`k` must be at most 2"),
        (lambda: covariant(x0=[1.0]), ValueError, "`x0` must have shape"),
        (lambda: covariant(backward_transient=-1), ValueError, "`backward_transient`"),
        (lambda: covariant(inputs=np.ones((500, 1))), ValueError, "leave them out"),
    ],
    "invariants": [
        (lambda: ln.check_invariants(SPECTRUM, level=95), ValueError, "`level`"),
        (lambda: ln.check_invariants(SPECTRUM, 10), ValueError, "`n_steps` and `x0` are for a"),
        (lambda: ln.check_invariants(LAZY, x0=X), ValueError, "`n_steps` is needed"),
        (lambda: ln.check_invariants(LAZY, 9, x0=X, zero="no"), TypeError, "`zero` must be True"),
        (lambda: ln.check_invariants(np.eye(2), 9), TypeError, "`subject` must be a System"),
    ],
    "driven": [
        (lambda: ln.ClosedLoop(CELL, np.ones((2, 4))), ValueError, "`readout` must have shape"),
        (lambda: ln.ClosedLoop(LAZY, np.ones((1, 2))), ValueError, "n_inputs=0"),
        (lambda: ln.echo_state(CONDITION), TypeError, "`spectrum` must be a Spectrum"),
        (lambda: ln.echo_state(SPECTRUM, level=2), ValueError, "`level`"),
        (lambda: ln.mean_field_exponent(-1), ValueError, "`gain` must be at least 0"),
        (lambda: ln.driven_gain("rnn"), ValueError, "`kind` must be one of"),
        (lambda: ln.driven_gain("gru", input_variance=-1.0), ValueError, "`input_variance` must"),
        (lambda: ln.mean_field_exponent("1"), TypeError, "`gain` must be an array of real"),
        (lambda: ln.critical_gain(input_variance=-1), ValueError, "`input_variance`"),
        (lambda: ln.critical_gain(activation="sine"), ValueError, "lyapnet.Activation"),
    ],
    "condition": [
        (lambda: condition(n_steps=None), ValueError, "`n_steps` is needed"),
        (lambda: condition(k=3), ValueError, "`k` must be at most 2"),
        (lambda: condition(precision=10), ValueError, "`precision` must be at least 53"),
        (lambda: condition(precision=256.0), TypeError, "`precision` must be an integer"),
        (lambda: condition(precision="high"), ValueError, "bits or 'auto'"),
        (lambda: condition(times=[20]),
         ValueError, "`times` must be multiples of dt=1 from 1 to 10"),
        (lambda: condition(times=[2.5]), ValueError, "`times` must be multiples"),
        (lambda: condition(times=[]), ValueError, "`times` must be a sequence"),
        (lambda: condition(backend="gmp"), ValueError, "`backend` must be one of"),
        (lambda: condition(backend="mpmath", certify=True), ValueError, "use backend='flint'"),
        (lambda: condition(certify="yes"), TypeError, "`certify` must be True or False"),
        (lambda: condition(transient=-1), ValueError, "`transient` must be at least 0"),
        (lambda: condition(basis=np.ones((2, 2))), ValueError, "`basis` must have independent"),
        (lambda: ln.condition_from_jacobians(JACOBIANS[None]), ValueError, "one trajectory"),
        (lambda: ln.condition_from_jacobians(JACOBIANS, times=[7]), ValueError, "from 1 to 6"),
        (lambda: ln.compare_condition(SPECTRUM),
         TypeError, "`condition` must be a ConditionNumber"),
        (lambda: ln.condition_by_dimension(SPECTRUM), TypeError, "`condition` must be a"),
        (lambda: ln.condition_reduction(SPECTRUM, CONDITION), TypeError, "`before` must be a"),
        (lambda: ln.compare_networks(CONDITION), TypeError, "`conditions` must be a sequence"),
        (lambda: ln.compare_networks([CONDITION]), ValueError, "at least 3 networks, got 1"),
        (lambda: ln.prediction_band(CONDITION, [9]), TypeError, "`spectrum` must be a Spectrum"),
        (lambda: ln.prediction_band(SPECTRUM, [9], level=95), ValueError, "`level`"),
    ],
    "floss": [
        (lambda: ln.floss(np.eye(2), 3, k=1, n_steps=5), TypeError, "`cell` must be a System"),
        (lambda: ln.floss(LAZY, 3, k=1, n_steps=5), ValueError, "`cell` must have parameters"),
        (lambda: ln.floss(CELL, 1.5, k=2, n_steps=5), TypeError, "`n_epochs` must be an integer"),
        (lambda: floss(k=5), ValueError, "`k` must be at most 4"),
        (lambda: floss(n_steps=0), ValueError, "`n_steps` must be at least 1"),
        (lambda: floss(target=[0, 0, 0]), ValueError, "`target` must be a number or have shape"),
        (lambda: floss(weights=-1), ValueError, "`weights` must not be negative"),
        (lambda: floss(x0=np.ones(3)), ValueError, "`x0` must have shape"),
        (lambda: floss(inputs=np.ones((3, 1))), ValueError, "give a longer sequence"),
        (lambda: floss(inputs=lambda rng: np.ones((3, 1))), ValueError, "give a longer sequence"),
        (lambda: floss(inputs=np.ones((9, 2))), ValueError, "`inputs` must have shape"),
        (lambda: floss(optimizer="adam"), TypeError, "`optimizer` must be a lyapnet.Adam"),
        (lambda: floss(optimizer=ln.Adam), TypeError, "`optimizer` must be a lyapnet.Adam"),
        (lambda: floss(clip_norm="1"), TypeError, "`clip_norm` must be a real number"),
        (lambda: floss(clip_norm="global"), ValueError, r'such as \("global", 1.0\)'),
        (lambda: floss(clip_norm=0), ValueError, "`clip_norm` must be positive"),
        (lambda: floss(qr_interval="often"), ValueError, "`qr_interval` must be an integer"),
        (lambda: floss(tol=0), ValueError, "`tol` must be positive"),
        (lambda: floss(callback="print"), TypeError, "`callback` must be callable"),
        (lambda: floss(checkpoint=3), TypeError, "`checkpoint` must be a path"),
        (lambda: floss(checkpoint="no/such/folder"), ValueError, "`checkpoint` must be a file in"),
        (lambda: floss(checkpoint="text.npz"), ValueError, "is not a checkpoint of lyapnet"),
        (lambda: ln.flossing_loss(0.3), ValueError, "`lam` must have shape"),
        (lambda: ln.flossing_loss(np.ones(3), reduction="max"), ValueError, "`reduction`"),
        (lambda: ln.finite_time_exponents(CELL, np.ones(3), np.eye(4), n_steps=5),
         ValueError, "`x0`"),
        (lambda: ln.finite_time_exponents(CELL, np.ones(4), np.eye(4), qr_interval="often"),
         ValueError, "`qr_interval` must be an integer"),
    ],
    "train": [
        (lambda: train(task="xor"), TypeError, "`task` must have n_inputs, as those of"),
        (lambda: train(task=tasks.DelayedCopy), TypeError, r"give DelayedCopy\(delay\)"),
        (lambda: train(task=tasks.SpatialXOR(2)), ValueError, "make a cell with n_inputs=3"),
        (lambda: train(n_steps=2), ValueError, "`n_steps` must be at least 3"),
        (lambda: train(batch_size=0), ValueError, "`batch_size` must be at least 1"),
        (lambda: train(loss="mse"), ValueError, "`loss` must be one of"),
        (lambda: train(loss=lambda z, y: 0.0),
         TypeError, r"`loss` must be a function of \(outputs, targets, weights\), got one of"),
        (lambda: train(optimizer=0.01), TypeError, "`optimizer` must be a lyapnet.Adam"),
        (lambda: train(clip_norm=("all", 1.0)), ValueError, '"global", number'),
        (lambda: train(readout=np.ones((1, 4))), TypeError, "`readout` must be a pair"),
        (lambda: train(readout=-1.0), ValueError, "`readout` must be at least 0"),
        (lambda: train(readout=np.nan), ValueError, "`readout` must be"),
        (lambda: train(readout=(np.ones((1, 3)), [0.0])),
         ValueError, "`readout`'s weights must have"),
        (lambda: train(x0=np.ones((2, 4))), ValueError, "`x0` must have shape"),
        (lambda: train(penalty=("l2", 1.0)), ValueError, "`penalty` must be one of"),
        (lambda: train(diagnostics=["norms"]), ValueError, "`diagnostics`"),
        (lambda: train(callback=3), TypeError, "`callback` must be callable"),
        (lambda: train(schedule=[1, 2]), TypeError, "`schedule` must be a FlossingSchedule"),
        (lambda: train(schedule=schedule(k=9)), ValueError, "`k` must be at most 4"),
        (lambda: schedule(before=-1), ValueError, "`before` must be at least 0"),
        (lambda: schedule(at=[1.5]), TypeError, "`at` must be an integer"),
        (lambda: schedule(transient=-1), ValueError, "`transient` must be at least 0"),
        (lambda: schedule(target="zero"), TypeError, "`target` must be an array of real numbers"),
        (lambda: schedule(reduction="max"), ValueError, "`reduction` must be one of"),
        (lambda: schedule(optimizer="adam"), TypeError, "`optimizer` must be a lyapnet.Adam"),
        (lambda: train(task=tasks.DelayedCopy(30), n_steps=20),
         ValueError, "`n_steps` must be at least 31, got 20: the task has a delay of 30"),
        (lambda: schedule(learning_rate=1),
         TypeError, r"^FlossingSchedule.__init__\(\) got an unexpected .*'learning_rate'"),
        (lambda: schedule(only=3), TypeError, "`only` must be a sequence of names, got 3"),
        (lambda: ln.AdaptiveFlossing(k=2, n_steps=5, only="W"), TypeError, "`only` must be a seq"),
        (lambda: ln.FlossingSchedule(before=2),
         TypeError, r"^FlossingSchedule.__init__\(\) missing .* 'k' and 'n_steps'"),
        (lambda: ln.AdaptiveFlossing(k=2), TypeError, r"^AdaptiveFlossing.* 'n_steps'"),
        (lambda: ln.AdaptiveFlossing(1e-3, 1e-5, k=2, n_steps=5), ValueError, "`high` must be at"),
        (lambda: ln.Adam(-1), ValueError, "`learning_rate` must be at least 0"),
        (lambda: ln.Adam("1e-3"), TypeError, "`learning_rate` must be a real number"),
        (lambda: ln.Adam(b1=1.0), ValueError, r"`b1` must lie in \[0, 1\)"),
        (lambda: ln.SOAP(-1), ValueError, "`learning_rate` must be at least 0"),
        (lambda: ln.SOAP(matrices="W"), TypeError, "`matrices` must be a sequence of names"),
        (lambda: ln.Adam().update({"a": np.ones(2)}, {"b": np.ones(2)}),
         ValueError, "use a new Adam"),
    ],
    "tasks": [
        (lambda: tasks.DelayedCopy(-1), ValueError, "`delay` must be at least 0"),
        (lambda: tasks.SpatialXOR("2"), TypeError, "`delay` must be an integer"),
        (lambda: tasks.TemporalXOR(3), ValueError, "`delay` must be even"),
        (lambda: tasks.TemporalXOR(2, inputs="gauss"), ValueError, "`inputs` must be one of"),
        (lambda: COPY.sample(2, 3, np.random.default_rng()),
         ValueError, "`n_steps` must be at least 3, for this task has a delay of 2"),
        (lambda: COPY.sample(9, 0, np.random.default_rng()), ValueError, "`batch_size`"),
        (lambda: COPY.sample(9, 3, "seed"), TypeError, "`rng` must be None, an integer"),
    ],
    "mean field": [
        (lambda: ln.mean_field_spectrum(0.0, 3), ValueError, "`gain` must be"),
        (lambda: ln.mean_field_spectrum(1.0, 0), ValueError, "`n` must be at least 1"),
        (lambda: ln.quiescent_gain("rnn"), ValueError, "`kind` must be one of"),
        (lambda: ln.driven_gain("rnn"), ValueError, "`kind` must be one of"),
        (lambda: ln.driven_gain("lstm", input_variance=-1.0), ValueError, "`input_variance` must"),
        (lambda: ln.quiescent_gain("gru", bias={"new": 1.0}),
         ValueError, "`bias` must be of reset, update"),
        (lambda: ln.quiescent_gain("vanilla", leak=0.0), ValueError, "`leak` must lie in"),
        (lambda: ln.quiescent_gain("gru", bias=1.0), TypeError, "`bias` must be a dict"),
        (lambda: ln.driven_gain("lstm", bias=[]), TypeError, "`bias` must be a dict"),
    ],
    "cells": [
        (lambda: ln.VanillaRNN.random("4"), TypeError, "`n` must be an integer"),
        (lambda: ln.VanillaRNN.random(4, gain=np.nan), ValueError, "`gain` must be finite"),
        (lambda: ln.Map(never, 2, dt=True), TypeError, "`dt` must be a real number, got True"),
        (lambda: ln.LSTM(np.eye(4)), ValueError, r"`W` must have shape \(..., 4N, N\)"),
        (lambda: ln.LSTM.random(3, init="xavier"), ValueError, "`init` must be one of"),
        (lambda: ln.GRU(np.ones((6, 2)), c=[0, 0], reset_after=False), ValueError, "add it to `b`"),
        (lambda: ln.GRU(np.ones((6, 2)), reset_after="no"),
         TypeError, "`reset_after` must be True"),
        (lambda: ln.VanillaRNN(np.eye(2), leak=[0.1, 0.2]), TypeError, "`leak` .* lyapnet.Map"),
        (lambda: ln.EchoStateNetwork(np.eye(2), leak=np.ones(2)), TypeError, "`leak` .* one numb"),
        (lambda: ln.quiescent_gain("vanilla", leak=np.ones(2)), TypeError, "`leak` .* one number"),
        (lambda: ln.Map(never, 2, vectorized="no"), TypeError, "`vectorized` must be True or"),
        (lambda: ln.Map(never, 2, time=0.0), TypeError, "`time` must be True or False, got 0.0"),
        (lambda: ln.Stack(CELL), TypeError, "put it in a list"),
        (lambda: ln.Stack([]), ValueError, "at least one cell"),
        (lambda: ln.lyapunov_spectrum(ln.VanillaRNN.random(4, n_inputs=2),
                                      inputs=np.ones((2, 500))), ValueError, "Give inputs.T"),
        (lambda: ln.lyapunov_spectrum(ln.Map(lambda x, p: x + p, 4, params=np.ones(3)), 9,
                                      x0=np.ones(4)), ValueError, "give `x0` its axes in front"),
        (lambda: ln.lyapunov_spectrum(ln.Map(of_torch, 2), 9, x0=X),
         TypeError, r"`step` failed .* make a lyapnet.torch.System of it"),
        (lambda: ln.lyapunov_spectrum(Module(), 9), TypeError, "by lyapnet.torch.from_module"),
        (lambda: ln.Stack(ln.LSTM), TypeError, "`cells` must be a sequence of cells, got <class"),
        (lambda: ln.Map(ln.VanillaRNN, 2), TypeError, "`step` must be a function of a state, got"),
        (lambda: ln.Flow(Module(), 2, dt=0.1), TypeError, "`field` must be callable"),
        (lambda: ln.Map(CallableModule(), 2), TypeError, "got a module of PyTorch: make a lya"),
        (lambda: ln.Stack([CELL, CELL]), ValueError, "the cell below has 4 units"),
        (lambda: CELL.with_params([1, 2]), TypeError, "`params` must be a dictionary"),
        (lambda: ln.Activation(3, np.cos), TypeError, "`function` must be callable"),
        (lambda: ln.Map(never, 2, jacobian=np.eye(2)), TypeError, "`jacobian` must be callable"),
        (lambda: ln.Map(lambda x, u: x, 2),
         TypeError, r"`step` must be a function of \(x\), got one of \(x, u\).*`n_inputs="),
        (lambda: ln.Map(lambda x: x, 2, n_inputs=1), TypeError, r"`step` .* \(x, u\)"),
        (lambda: ln.Map(lambda x: x, 2, params=1.0), TypeError, r"`step` .* \(x, p\)"),
        (lambda: ln.Map(lambda x, u: x, 2, n_inputs=1, params=1.0), TypeError, r"\(x, u, p\)"),
        (lambda: ln.Map(lambda x: x, 2, jacobian=lambda x, p: x), TypeError, "`jacobian`"),
        (lambda: ln.Map(lambda x, *, a: x, 2), TypeError, "`step` .*'a'"),
        (lambda: ln.Flow(lambda t, x: x, 2, dt=0.1),
         TypeError, r"`field` .* \(x\), got one of \(t, x\).*time t after x needs `time=True`"),
        (lambda: ln.Flow(3, 2, dt=0.1), TypeError, "`field` must be callable"),
        (lambda: ln.check_step(LAZY, 10, x0=X), TypeError, "a map has no step"),
        (lambda: ln.alignment(LAZY, 3, x0=X), ValueError, "`n_steps` must be at least 10"),
        (lambda: ln.alignment(LAZY, 30, x0=X, k=1), ValueError, "`k` must be at least 2"),
        (lambda: ln.fixed_points(LAZY, 0, x0=X), ValueError, "`n_starts` must be at least 1"),
        (lambda: ln.fixed_points(LAZY, 5, x0=X, inputs=[1.0]), ValueError, "`inputs`"),
        (lambda: ln.fixed_points(LAZY, 5, x0=X, t0="now"), TypeError, "`t0` must be a real number"),
        (lambda: ln.fixed_points(LAZY, 5, x0=X, t0=1.0), ValueError, "does not depend on time"),
        (lambda: ln.periodic_orbit(LAZY, x0=X), ValueError, "`period` is needed"),
        (lambda: ln.periodic_orbit(LAZY, 1.5, x0=X), ValueError, "multiple of dt"),
        (lambda: ln.ftle_field(LAZY, 0, x0=X), ValueError, "`n_steps` must be at least 1"),
        (lambda: ln.ftle_field(LAZY, 5, x0=[1.0]), ValueError, r"`x0` must have shape"),
        (lambda: ln.trajectory(LAZY, 0, x0=X), ValueError, "`n_steps` must be at least 1"),
        (lambda: ln.trajectory(LAZY, 10**12, x0=X), ValueError, "`n_steps` = .* is too large"),
        (lambda: ln.trajectory(LAZY, 5, x0=X, transient=-1), ValueError, "`transient`"),
        (lambda: ln.trajectory(LAZY, 5, x0=X, inputs=[[1.0]] * 5), ValueError, "`inputs` given"),
        (lambda: ln.master_stability(CELL, [1.0], 10), TypeError, "must be a Map or a Flow"),
        (lambda: ln.master_stability(LAZY, [[1.0]], 10, x0=X), ValueError, "`strengths`"),
        (lambda: ln.master_stability(LAZY, [], 10, x0=X), ValueError, "`strengths` is empty"),
        (lambda: ln.conditional_exponents(LAZY, [2], 10, x0=X), ValueError, "`driven`"),
        (lambda: ln.stroboscopic(ln.catalog.henon(), 1.0), TypeError, "`flow` must be a Flow"),
        (lambda: ln.stroboscopic(ln.Flow(lambda x, u: x, 1, dt=0.1, n_inputs=1), 1.0),
         ValueError, "inputs need not repeat"),
        (lambda: ln.stroboscopic(ln.catalog.lorenz63(), 0.0), ValueError, "`period`"),
        (lambda: ln.catalog.lorenz96(2), ValueError, "`n` must be at least 4"),
    ],
    "weights and files": [
        (lambda: ln.from_torch(Module()), TypeError, r"got a Module: give its state_dict\(\)"),
        (lambda: ln.from_torch(CELL), TypeError, "`state_dict` must be a mapping of names"),
        (lambda: ln.from_flax(None), TypeError, "`params` must be a mapping of names"),
        (lambda: ln.from_torch("none.npz"), FileNotFoundError, "no such file"),
        (lambda: ln.from_torch("model.pt"), ValueError, "safetensors.torch.save_file"),
        (lambda: ln.from_torch("text.npz"), FileError, "not a whole .npz file"),
        (lambda: ln.from_torch(STATE, layer=3), ValueError, "`state_dict` has no weight_ih_l3"),
        (lambda: ln.from_torch(STATE, layer="rnn"), TypeError, "`layer` must be an integer"),
        (lambda: ln.from_torch(STATE, prefix="encoder"), ValueError, "of a module 'encoder'"),
        (lambda: ln.from_torch({**STATE, "weight_hh_l0": np.full((4, 4), np.inf)}), ValueError,
         r"weight_hh_l0\[0, 0\] = inf"),
        (lambda: ln.from_keras(STATE), ValueError, "no kernel and recurrent_kernel"),
        (lambda: ln.from_keras([np.eye(3)]), ValueError, "kernel, recurrent kernel and bias"),
        (lambda: ln.from_flax(STATE), ValueError, "`params` has no recurrent cell"),
        (lambda: ln.to_torch(LAZY), ValueError, "`cell` must be a VanillaRNN, LSTM or GRU"),
        (lambda: ln.to_torch(ln.VanillaRNN.random(3, leak=0.5)), ValueError, "PyTorch has no leak"),
        (lambda: ln.to_torch(CELL, layer=-1), ValueError, "`layer` must be at least 0"),
        (lambda: ln.to_torch(CELL, prefix=3), TypeError, "`prefix` must be a text, got 3"),
        (lambda: ln.from_torch(STATE, prefix=b"rnn"), TypeError, "`prefix` must be a text"),
        (lambda: ln.to_torch(CELL, reverse="no"), TypeError, "`reverse` must be True or False"),
        (lambda: ln.from_torch(STATE, reverse=1), TypeError, "`reverse` must be True or False"),
        (lambda: ln.load("none.npz"), FileNotFoundError, "no such file"),
        (lambda: ln.load("text.npz"), FileError, "not a whole file of lyapnet"),
        (lambda: ln.load("other.npz"), FileError, "comes from another program"),
        (lambda: ln.load(3), TypeError, "`path` must be a path"),
        (lambda: SPECTRUM.save("no/where.npz"), FileNotFoundError, "in an existing folder"),
    ],
    "reservoirs": [
        (lambda: ln.fit_readout(CELL, np.ones((9, 1)), np.ones((9, 1)), washout=9),
         ValueError, "the run takes 11, washout=9 among them"),
        (lambda: ln.reservoir_criterion(3, SPECTRUM),
         TypeError, "`conditional` must be a Spectrum"),
        (lambda: ln.from_reservoirpy(3), TypeError, "`node` must be a reservoirpy.nodes.Reservoir"),
        (lambda: ln.read_checkpoint("none.npz", CELL), FileNotFoundError, "no such file"),
        (lambda: ln.read_checkpoint(CELL, "none.npz"), TypeError, "`cell`|`system` must be"),
        (lambda: ln.read_checkpoint(SPECTRUM, CELL), TypeError, "`path` must be a path"),
        (lambda: ln.fit_readout(CELL, None, np.ones((9, 1))), TypeError, "`inputs` is needed"),
    ],
    "sweep": [
        (lambda: ln.sweep(3, {"x": [1]}), TypeError, "`function` must be callable"),
        (lambda: sweep(grid=3), TypeError, "`grid` must be a dict of sequences"),
        (lambda: sweep(grid={"x": 1}), TypeError, r"`grid\['x'\]` must be a sequence"),
        (lambda: sweep(grid={"x": "abc"}), TypeError, r"`grid\['x'\]` must be a sequence"),
        (lambda: sweep(grid={"x": []}), ValueError, "`grid` has no points"),
        (lambda: ln.sweep(lambda a, rng: a, {}), ValueError, "`grid` has no points"),
        (lambda: sweep(grid={"gain": [1]}),
         TypeError, "`function` must take the arguments gain, rng"),
        (lambda: sweep(lambda x: x), TypeError, "`function` must take the arguments x, rng"),
        (lambda: sweep(grid=[{"x": 1}, {"x": 1}]), ValueError, "for repetitions use `seeds`"),
        (lambda: sweep(grid={"x": [object()]}), TypeError, "`grid` holds what no file can"),
        (lambda: sweep(grid={"rng": [1]}), TypeError, "a dict without 'rng'"),
        (lambda: sweep(seeds=0), ValueError, "`seeds` must be at least 1"),
        (lambda: sweep(n_jobs=0), ValueError, "`n_jobs` must be a number of processes"),
        (lambda: sweep(directory="text.npz"), ValueError, "is a file: give a folder"),
        (lambda: sweep(directory=3), TypeError, "`directory` must be a path"),
        (lambda: ln.load_sweep("."), FileNotFoundError, "holds no sweep"),
    ],
    "engine": [
        (lambda: ln.compiled(ln.catalog.henon(), "numba"), ValueError, "compiled"),
        (lambda: ln.compiled(lambda x: x), TypeError, "System"),
    ],
}
# fmt: on


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path, monkeypatch):
    """Stand among files that are not what they should be, and refuse to floss or train."""
    monkeypatch.chdir(tmp_path)
    for name in ("text.npz", "model.pt"):
        (tmp_path / name).write_text("words")
    np.savez("other.npz", a=np.eye(2))
    monkeypatch.setattr(Flosser, "epoch", never)
    monkeypatch.setattr(Trainer, "advance", never)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        pytest.param(*case, id=f"{area} {i}")
        for area, cases in CASES.items()
        for i, case in enumerate(cases)
    ],
)
def test_a_mistake_is_named_at_once(call, error, message):
    start = time.perf_counter()
    with pytest.raises(error, match=message) as caught:
        call()
    assert time.perf_counter() - start < 1.0
    assert type(caught.value) is error


KINDS = {
    "None": None,
    "spectrum": SPECTRUM,
    "class": ln.VanillaRNN,
    "maker": ln.catalog.henon,
    "module": CallableModule(),
    "array": np.eye(2),
    "text": "henon",
    "mapping": {"W": np.eye(2)},
}
TAKE_A_SYSTEM = {
    "alignment": lambda x: ln.alignment(x, 20),
    "check_invariants": lambda x: ln.check_invariants(x, 20),
    "check_step": lambda x: ln.check_step(x, 20),
    "condition_number": lambda x: ln.condition_number(x, 20),
    "conditional_exponents": lambda x: ln.conditional_exponents(x, [0], 20),
    "covariant_vectors": lambda x: ln.covariant_vectors(x, 20),
    "finite_time_exponents": lambda x: ln.finite_time_exponents(x, X, np.eye(2), n_steps=3),
    "fit_readout": lambda x: ln.fit_readout(x, np.ones((9, 1)), np.ones((9, 1))),
    "fixed_points": lambda x: ln.fixed_points(x, 3),
    "floss": lambda x: ln.floss(x, 3, k=2, n_steps=5),
    "ftle_field": lambda x: ln.ftle_field(x, 3, x0=[X]),
    "lyapunov_spectrum": lambda x: ln.lyapunov_spectrum(x, 20),
    "master_stability": lambda x: ln.master_stability(x, [1.0], 20),
    "periodic_orbit": lambda x: ln.periodic_orbit(x, 1.0),
    "stroboscopic": lambda x: ln.stroboscopic(x, 1.0),
    "train": lambda x: ln.train(x, COPY, 3, n_steps=9, batch_size=2),
    "trajectory": lambda x: ln.trajectory(x, 3),
}
TAKE_A_SPECTRUM = {
    "diagnose": ln.diagnose,
    "echo_state": ln.echo_state,
    "prediction_band": lambda x: ln.prediction_band(x, [9]),
    "reservoir_criterion": lambda x: ln.reservoir_criterion(SPECTRUM, x),
}


EITHER = "check_invariants"


@pytest.mark.parametrize(
    ("call", "given"),
    [
        pytest.param(call, CELL if kind == "spectrum" and name in TAKE_A_SPECTRUM else given,
                     id=f"{name} {kind}")
        for name, call in (TAKE_A_SYSTEM | TAKE_A_SPECTRUM).items()
        for kind, given in KINDS.items()
        if (name, kind) != (EITHER, "spectrum")
    ],
)  # fmt: skip
def test_the_wrong_kind_of_thing_is_named(call, given):
    with pytest.raises(
        (TypeError, ValueError), match=r"`(system|subject|cell|flow|spectrum|target)` must"
    ):
        call(given)


def test_the_catalogue_covers_what_is_public():
    """Whoever adds a public function adds the mistakes that are made with it."""
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    functions = {name for name in ln.__all__ if name[0].islower()} - {"catalog", "penalty", "tasks"}
    one_way = {"to_keras", "to_flax"}  # they check like to_torch
    assert {name for name in functions - one_way if f"ln.{name}(" not in text} == set()

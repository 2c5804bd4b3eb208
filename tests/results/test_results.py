"""Results: what they show, and what a file of them brings back."""

import pickle

import autograd.numpy as anp
import numpy as np
import pytest
import truths
from numpy.testing import assert_array_equal

import lyapnet as ln
from lyapnet.results.html import table


@pytest.fixture(scope="module")
def spectrum():
    cell = ln.VanillaRNN.random(4, rng=0)
    x0 = np.random.default_rng(0).standard_normal((3, 4))
    return ln.lyapunov_spectrum(cell, 200, x0=x0, k=2, rng=0)


def test_repr_is_short_and_html_is_a_table(spectrum):
    assert len(repr(spectrum)) < 200
    assert spectrum._repr_html_().startswith("<table>")


def test_spectrum_survives_a_file_and_goes_on(spectrum, tmp_path):
    path = spectrum.save(tmp_path / "s.npz")
    again = ln.load(path)
    assert type(again) is ln.Spectrum
    for name in ("exponents", "stderr", "log_growth", "times", "state", "basis"):
        assert_array_equal(getattr(again, name), getattr(spectrum, name))
    assert again.settings == spectrum.settings
    assert_array_equal(again.extend(100).exponents, spectrum.extend(100).exponents)


def test_spectrum_of_a_map_comes_back_without_its_functions(tmp_path):
    henon = truths.henon()
    s = ln.lyapunov_spectrum(henon, 200, x0=[0.1, 0.1], rng=0)
    again = ln.load(s.save(tmp_path / "s.npz"))
    with pytest.raises(ValueError, match="system"):
        again.extend(10)
    assert_array_equal(again.extend(10, system=henon).exponents, s.extend(10).exponents)


def test_another_system_does_not_go_on(tmp_path):
    henon, other = truths.henon(), ln.catalog.van_der_pol()
    s = ln.lyapunov_spectrum(henon, 200, x0=[0.1, 0.1], rng=0)
    for one in (s, ln.load(s.save(tmp_path / "s.npz"))):
        with pytest.raises(ValueError, match=r"`system` must have dt=1 like the run, got 0\.0"):
            one.extend(10, system=other)
        flow = ln.Flow(lambda x: -x, 2, dt=1.0)
        with pytest.raises(ValueError, match=r"that of the run, Map\(dim=2.*got Flow\(dim=2"):
            one.extend(10, system=flow)
        with pytest.raises(ValueError, match=r"that of the run, Map\(.*got VanillaRNN"):
            one.extend(10, system=ln.VanillaRNN.random(2, n_inputs=0, rng=0))
    cell = ln.VanillaRNN.random(3, n_inputs=0, rng=0)
    s = ln.lyapunov_spectrum(cell, 100, rng=0)
    louder = cell.with_params({**cell.params, "W": 1.1 * cell.params["W"]})
    for one in (s, ln.load(s.save(tmp_path / "s.npz"))):
        with pytest.raises(ValueError, match="must have the parameters of the run"):
            one.extend(10, system=louder)
        assert_array_equal(one.extend(10, system=cell).exponents, s.extend(10).exponents)


@pytest.mark.parametrize("kept", ["file", "file of a file", "pickle"])
def test_other_parameters_do_not_go_on_after_a_file(tmp_path, kept):
    # Until now an average over two systems, as a file holds no parameters of a map or flow.
    def flow(a):
        field = lambda x, p: np.array([x[1], -p["a"] * x[0]])
        return ln.Flow(field, 2, dt=0.1, params={"a": np.array(a)})

    s = ln.lyapunov_spectrum(flow(1.0), 100, x0=[0.1, 0.0], rng=0)
    again = (
        pickle.loads(pickle.dumps(s)) if kept == "pickle" else ln.load(s.save(tmp_path / "s.npz"))
    )
    if kept == "file of a file":
        again = ln.load(again.save(tmp_path / "again.npz"))
    assert again.system is None
    assert_array_equal(again.extend(10, system=flow(1)).exponents, s.extend(10).exponents)
    with pytest.raises(ValueError, match="must have the parameters of the run"):
        again.extend(10, system=flow(1.1))


def test_an_object_of_ones_own_goes_on():
    class Halving:
        dim = 1

        def step(self, x):
            return 0.5 * x

        def jacobian(self, x):
            return np.array([[0.5]])

    s = ln.lyapunov_spectrum(Halving(), 50, x0=[1.0], rng=0)
    assert_array_equal(s.extend(10, system=Halving()).exponents, s.extend(10).exponents)


def test_cell_survives_a_file(tmp_path):
    cell = ln.VanillaRNN.random(4, activation="relu", leak=0.5, rng=0)
    again = ln.load(cell.save(tmp_path / "cell.npz"))
    assert (again.activation.name, again.leak) == ("relu", 0.5)
    for name, x in cell.params.items():
        assert_array_equal(again.params[name], x)
    custom = ln.VanillaRNN.random(4, activation=ln.Activation(np.sin, np.cos), rng=0)
    with pytest.raises(ValueError, match="custom activation"):
        custom.save(tmp_path / "custom.npz")


def test_condition_number_survives_a_file(tmp_path):
    c = ln.condition_from_jacobians(np.tile(np.diag([2.0, 0.5]), (20, 1, 1)), rng=0)
    again = ln.load(c.save(tmp_path / "c.npz"))
    assert_array_equal(again.log10_measured, c.log10_measured)
    assert again.message == c.message


def test_bad_files_are_named(spectrum, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        ln.load(tmp_path / "none.npz")
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, W=np.eye(2))
    with pytest.raises(ValueError, match="another program"):
        ln.load(foreign)
    text = tmp_path / "text.npz"
    text.write_text("not a file of arrays")
    with pytest.raises(ValueError, match="another program"):
        ln.load(text)
    whole = spectrum.save(tmp_path / "whole.npz").read_bytes()
    cut = tmp_path / "cut.npz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="truncated"):
        ln.load(cut)


def test_newer_format_is_refused(spectrum, tmp_path, monkeypatch):
    from lyapnet.results import storage

    monkeypatch.setattr(storage, "FORMAT", 99)
    path = spectrum.save(tmp_path / "s.npz")
    monkeypatch.undo()
    with pytest.raises(ValueError, match="newer lyapnet"):
        ln.load(path)


def test_tables(spectrum):
    pytest.importorskip("pandas")
    pytest.importorskip("xarray")
    frame = spectrum.to_dataframe()
    assert list(frame.columns) == ["exponents", "stderr", "dof"]
    assert len(frame) == 6
    data = spectrum.to_xarray()
    assert data["exponents"].dims == ("member", "exponent")
    assert data["log_growth"].dims == ("time", "member", "growth")
    assert data["exponents"].attrs["units"] == "nats per unit time"
    alone = ln.lyapunov_spectrum(truths.henon(), 100, x0=[0.1, 0.1], rng=0)
    assert alone.to_dataframe().index.name == "exponent"


def test_plots_return_their_axes_and_leave_settings_alone(spectrum):
    matplotlib = pytest.importorskip("matplotlib")
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    ax = plt.figure().subplots()
    assert spectrum.plot(ax) is ax
    assert spectrum.pooled().plot() is not ax
    assert dict(matplotlib.rcParams) == before
    plt.close("all")


def test_members_that_are_different_systems_are_told_apart():
    pytest.importorskip("matplotlib")
    import matplotlib.pyplot as plt

    def drawn(s):
        ax = s.plot()
        colors = {str(line.get_color()) for line in ax.lines if line.get_marker() == "."}
        legend = ax.get_legend()
        names = [] if legend is None else [text.get_text() for text in legend.get_texts()]
        bars = [other.get_ylabel() for other in ax.figure.axes if other is not ax]
        plt.close(ax.figure)
        return len(colors), names, bars

    few, many = (
        ln.lyapunov_spectrum(ln.catalog.henon(a=np.linspace(1.2, 1.4, n)), 100, rng=0)
        for n in (3, 9)
    )
    same = ln.lyapunov_spectrum(ln.catalog.henon(), 100, x0=np.zeros((9, 2)), rng=0)
    assert drawn(few) == (3, ["member 0", "member 1", "member 2"], [])
    assert drawn(many) == (9, [], ["member"])
    assert drawn(same) == (1, [], [])


def test_html_is_escaped():
    html = table("a < b", [("exponents", "<9 x 2 array>")])
    assert "&lt;9 x 2 array&gt;" in html
    assert "a &lt; b" in html
    assert "<9 x" not in html


def test_diagnosis_speaks_plainly():
    s = ln.lyapunov_spectrum(truths.henon(), 5000, x0=[0.1, 0.1], rng=0)
    assert ln.diagnose(s).verdict.startswith("converged:")
    assert ln.diagnose(s, tol=1e-6).converged is False
    short = ln.lyapunov_spectrum(truths.henon(), 8, x0=[0.1, 0.1], rng=0)
    assert np.isinf(short.stderr).all()
    assert "too short" in repr(short)
    with pytest.raises(TypeError, match="Spectrum"):
        ln.diagnose([1.0])


def test_plots_name_the_unit():
    import matplotlib.pyplot as plt

    for system, unit in (
        (ln.catalog.henon(), "nats per step"),
        (ln.catalog.lorenz63(), "unit time"),
    ):
        s = ln.lyapunov_spectrum(system, 100, rng=0)
        assert unit in s.plot().get_ylabel()
        assert unit in s.diagnose().plot().get_ylabel()
    plt.close("all")


def test_an_exponent_of_minus_infinity_is_drawn_as_such():
    import matplotlib.pyplot as plt

    D = np.tile(np.diag([2.0, 1.0, 0.0]), (50, 1, 1))
    ax = ln.spectrum_from_jacobians(D, basis=np.eye(3)).plot()  # warnings are errors here
    (mark,) = (line for line in ax.lines if line.get_marker() == "v")
    assert mark.get_xdata() == [3]
    assert [text.get_text() for text in ax.get_legend().texts] == [r"$-\infty$"]
    plt.close("all")


def test_a_checkpoint_or_a_folder_is_not_called_a_broken_file(tmp_path):
    path = tmp_path / "run.npz"
    ln.floss(ln.VanillaRNN.random(4, rng=0), 2, k=1, n_steps=5, checkpoint=path, rng=0)
    with pytest.raises(ValueError, match=r"checkpoint of a run, .*: repeat the call"):
        ln.load(path)
    with pytest.raises(ValueError, match="is a folder"):
        ln.load(tmp_path)


def test_the_parameters_of_a_flossed_map_are_saved(tmp_path):
    start = {"A": np.random.default_rng(0).standard_normal((3, 3))}
    system = ln.Map(lambda x, p: anp.tanh(anp.dot(p["A"], x)), 3, params=start)
    result = ln.floss(system, 3, k=2, n_steps=9, x0=np.ones(3), rng=0)
    loaded = ln.load(result.save(tmp_path / "map.npz"))
    assert np.array_equal(loaded.cell["A"], result.cell.params["A"])
    again = system.with_params(loaded.cell).step(np.ones(3))
    assert np.array_equal(again, result.cell.step(np.ones(3)))


def test_load_refuses_what_is_of_another_kind(tmp_path):
    path = ln.VanillaRNN.random(3, rng=0).save(tmp_path / "cell.npz")
    assert isinstance(ln.load(path, ln.VanillaRNN), ln.VanillaRNN)
    assert isinstance(ln.load(path, ln.Cell), ln.VanillaRNN)
    with pytest.raises(ValueError, match="holds a VanillaRNN, not a Spectrum"):
        ln.load(path, ln.Spectrum)

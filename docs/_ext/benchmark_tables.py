"""The tables of docs/benchmarks.md, made of benchmarks/data/*.json whenever the pages are built.

A line ``<!-- benchmark: NAME ... -->`` of the page becomes the command, the table and the machine
of benchmarks/data/NAME.json; several files of one kind make one table.
"""

import json
import re
from collections import defaultdict
from pathlib import Path
from statistics import median, quantiles

DATA = Path(__file__).parents[2] / "benchmarks" / "data"
MARK = re.compile(r"^<!-- benchmark: (.*?) -->$", re.MULTILINE)


def table(head, rows):
    """Return a Markdown table, numbers to the right."""
    align = ["---", *["---:"] * (len(head) - 1)]
    lines = [head, align, *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def milliseconds(timed):
    return f"{1e3 * timed['median']:.2f}"


def ratio(found):
    """Write how many times lyapnet's time it took, with the quartiles of the rounds."""
    return f"{found['value']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def training(data):
    rows = []
    for kind, found in data["training"].items():
        ours, theirs = found["seconds"], found["seconds"]["JAX, epoch"]
        for name, timed in ours.items():
            if not name.startswith("lyapnet, epoch"):
                continue
            what = kind + name.removeprefix("lyapnet, epoch")
            same = name == "lyapnet, epoch"
            times = theirs["median"] / timed["median"]
            rows.append([
                what, milliseconds(timed), milliseconds(theirs),
                ratio(found["ratios"]["JAX, epoch"]) if same else f"{times:.2f}",
            ])  # fmt: skip
    return table(["epoch", "lyapnet, ms", "JAX, ms", "JAX / lyapnet"], rows)


def size(row):
    return ", ".join(map(str, row["size"]))


def gradients(data):
    names = {
        "lyapnet": "lyapnet", "lyapnet, auto": "lyapnet, automatic (interval)",
        "lyapnet, autograd": "lyapnet through autograd", "jax": "JAX",
        "jax, own QR": "JAX, QR's derivative by hand",
        "jax, own QR, dW once": "JAX, dW at once, too", "jax, all by hand": "JAX, all by hand",
        "torch": "PyTorch",
    }  # fmt: skip
    rows = []
    for row in data["gradients"]:
        cells = [f"{row['cell']}, {size(row)}"]
        for key in names:
            timed = row["seconds"].get(key)
            after = f" ({row['interval']})" if key == "lyapnet, auto" else ""
            cells.append(milliseconds(timed) + after if timed else "")
        rows.append(cells)
    means = [
        [names[key], f"{c['mean']:.2f}", f"{c['least']:.2f}", f"{c['mean, auto']:.2f}"]
        for key, c in data["claims"].items()
        if key in names and key != "lyapnet"
    ]
    head = ["vanilla networks: time over lyapnet's", "geometric mean", "least", "over automatic"]
    first = table(["ms: cell, N, k, steps", *names.values()], rows)
    return first + "\n" + table(head, means)


def spectra(data):
    names = list(data["spectra"][0]["seconds"])
    rows = [
        [size(row), row["interval"], *(milliseconds(row["seconds"][n]) for n in names)]
        for row in data["spectra"]
    ]
    means = [
        [name, f"{claim['interval 1']:.2f}", f"{claim['automatic']:.2f}"]
        for name, claim in data["claims"].items()
    ]
    head = ["geometric mean of the time over", "lyapnet, 1", "lyapnet, auto"]
    first = table(["ms: N, k, steps", "interval of auto", *names], rows)
    return first + "\n" + table(head, means)


def ensembles(data):
    henon = data["henon, ns per trajectory and step"]
    least = henon["lyapnet, auto"]["median"]
    rows = [[n, f"{t['median']:.0f}", f"{t['median'] / least:.2f}"] for n, t in henon.items()]
    head = ["Hénon map, 2000 trajectories", "ns per trajectory and step", "over lyapnet, auto"]
    logistic = [[n, f"{t['median']:.3f}"] for n, t in data["logistic, s"].items()]
    lorenz = [
        [row["members"], "states (..., n)" if row["vectorized"] else "one state", ratio(row)]
        for row in data["lorenz"]
    ]
    return "\n".join([
        table(head, rows),
        table(["logistic map, 2000 parameters by 2000 steps", "s"], logistic),
        table(["Lorenz: trajectories", "field written for", "with a Jacobian / without"], lorenz),
    ])  # fmt: skip


def small_systems(data):
    rows = []
    for name, found in data["small systems"].items():
        each = found["ns per step"]
        rows += [
            [name, tool, f"{ns:.0f}", f"{ns / each['lyapnet, 1']:.2f}",
             f"{ns / each['lyapnet, auto']:.2f}"]
            for tool, ns in each.items()
        ]  # fmt: skip
    first = [[name, *(f"{t:.2f}" for t in times)] for name, times in data["first call"].items()]
    heads = ["system", "", "ns per step", "over lyapnet, 1", "over lyapnet, auto"]
    calls = ["first call, s", "nothing compiled yet", "in a second process"]
    return table(heads, rows) + "\n" + table(calls, first)


def bare(data):
    rows = [
        [size(row), row["interval"], milliseconds(row["seconds"]["lyapnet"]),
         milliseconds(row["seconds"]["bare"]), ratio(row)]
        for row in data["bare calls"]
    ]  # fmt: skip
    head = ["N, k, steps", "interval", "lyapnet, ms", "bare calls, ms", "lyapnet / bare"]
    return table(head, rows)


def condition_speed(data):
    rows = []
    faster = data["times faster than plain mpmath"]
    for case, found in data.items():
        if case.endswith(": CPU seconds"):
            for name, seconds in found.items():
                case_name = f"{case.removesuffix(': CPU seconds')}: {name}"
                rows.append([case_name, seconds, faster[name], ""])
        elif isinstance(found, dict) and "CPU seconds" in found:
            memory = found["additional memory, MB"]
            rows.append([case, found["CPU seconds"], "", memory])
    return table(["case", "CPU s", "times faster than plain mpmath", "memory, MB"], rows)


def torch_modules(data):
    tables = []
    for key, what in (("torch spectrum", "spectrum"), ("torch flossing", "a step of flossing")):
        found = data[key]
        rows = [
            [name, milliseconds(timed), ratio(found["ratios"][name])]
            for name, timed in found["seconds"].items()
        ]
        tables.append(table([f"{what}: N, k, steps = {size(found)}", "ms", "ratio"], rows))
    return "\n".join(tables)


def enclosures(data):
    resolved = data["cases resolved at all times"].items()
    largest = data["largest finite log10 condition number"]
    rows = [
        ["products compared with their exact value", data["cases"]],
        ["of them wrong", data["wrong"]],
        *([f"resolved at all times: {name}", count] for name, count in resolved),
        ["largest finite condition number", f"10^{largest:.0f}"],
    ]  # fmt: skip
    return table(["", "number"], rows)


def percent(x):
    return f"{100 * x:.1f} %"


def horizon(*files):
    """One line for each number of units, lag and condition: all networks of all files."""
    groups = defaultdict(list)
    for data in files:
        for run in data["runs"]:
            how = run["condition"] + _adapted(data.get("adaptive", {}))
            key = data["task"], data["n"], run["lag"], how, data["epochs"]
            groups[key].append(run)
    rows = []
    for (task, n, lag, condition, epochs), runs in sorted(groups.items()):
        accuracy = [run["accuracy"] for run in runs]
        inner = quantiles(accuracy, n=4, method="inclusive") if len(runs) > 1 else None
        floss = sorted(run["flossing_epochs"] for run in runs)
        rows.append([
            f"{task}, {n}", lag, condition, len(runs), epochs, percent(median(accuracy)),
            f"{percent(inner[0])}, {percent(inner[2])}" if inner else "",
            f"{floss[0]} to {floss[-1]}" if floss[0] != floss[-1] else floss[0],
        ])  # fmt: skip
    head = ["XOR, units", "lag", "schedule", "networks", "epochs", "median", "quartiles",
            "flossing epochs"]  # fmt: skip
    return table(head, rows)


def _adapted(settings):
    """Say in what an adaptive schedule differs from the default one."""
    window = f", {settings['n_steps']} steps" if "n_steps" in settings else ""
    limits = f", {settings['low']:g} to {settings['high']:g}" if "low" in settings else ""
    return window + limits


def lag40(data):
    rows = []
    for run in data["runs"]:
        clip, done = run["flossing_clip_norm"], run["epochs_to_95_percent"]
        how = f"{run['preflossing_epochs']} epochs" if run["preflossing_epochs"] else "none"
        rows.append([
            run["seed"], how + (f", clipped at {clip:g}" if clip else ""), run["training_epochs"],
            percent(run["test_accuracy"]), done if done else "not reached",
        ])  # fmt: skip
    head = ["seed", "flossing before training", "epochs", "accuracy", "95 % after"]
    return table(head, rows)


def engines(data):
    """Time and learning curves of the paper's task, by compiled loops and by NumPy."""
    rows = []
    for run in data["engines"]:
        curve = " ".join(f"{100 * x:.0f}" for x in run["accuracy_per_100_epochs"])
        times = (f"{run[x]:.2f}" for x in ("training_ms", "flossing_ms"))
        rows.append([run["engine"], run["seed"], *times, f"{run['paper_s']:.0f}", curve])
    head = [
        "engine", "seed", "ms, a training epoch", "ms, a flossing epoch", "s, 10 000 + 1000",
        "accuracy per 100 epochs, %",
    ]  # fmt: skip
    return table(head, rows)


def dense_networks(data):
    peers = list(data["dense networks"][0]["ratios"])
    rows = [
        [found["kind"], found["n"], found["k"],
         f"{1e6 * found['seconds']['lyapnet']['median'] / found['steps']:.1f}",
         *(ratio(found["ratios"][name]) for name in peers),
         *(f"{t:.2f}" for t in found["compiles"])]
        for found in data["dense networks"]
    ]  # fmt: skip
    head = ["system", "n", "k", "lyapnet, us per step", *(f"{name} / lyapnet" for name in peers)]
    return table([*head, "first call, s", "in a second process"], rows)


def delay_equations(data):
    rows = []
    for name, found in data["delay equations"].items():
        each = found["us per time unit"]
        for tool, time in each.items():
            error = f"{found['errors'][tool]:.1e}" if name == "linear" else ""
            rows.append([name, tool, f"{time:.2f}", f"{time / each['lyapnet']:.1f}", error])
    return table(["equation", "", "us per time unit", "over lyapnet", "error"], rows)


#: A key that files of a kind have, and what draws them.
KINDS = {
    "training": training, "gradients": gradients, "spectra": spectra, "bare calls": bare,
    "engines": engines,
    "henon, ns per trajectory and step": ensembles, "small systems": small_systems,
    "cases": enclosures, "dense networks": dense_networks,
    "delay equations": delay_equations, "torch spectrum": torch_modules,
    "times faster than plain mpmath": condition_speed,
}  # fmt: skip


def command(name, data):
    if "command" in data:
        return data["command"]
    script = name.removesuffix("_avx2")
    before = "OPENBLAS_CORETYPE=Haswell " if name != script else ""
    # what has written its machine as a table was told where to
    told = isinstance(data.get("machine"), dict)
    after = f" --json benchmarks/data/{name}.json" if told else ""
    return f"{before}python benchmarks/{script}.py{after}"


def machine(data):
    """Say in a line where and with what it was measured."""
    found = data.get("machine", "")
    if isinstance(found, dict):
        found = found | data.get("versions", {})
        kernels = ", ".join(found["BLAS kernels"])
        rest = [f"{k} {v}" for k, v in found.items() if k not in ("processor", "BLAS kernels")]
        return f"{found['processor']}, {', '.join(rest)}; kernels: {kernels}."
    versions = ", ".join(f"{name} {v}" for name, v in data.get("versions", {}).items())
    dated = f"; {data['date'].split()[0]}" if "date" in data else ""
    return (
        f"{found}{', ' * bool(found and versions)}{versions}{dated}." if found or versions else ""
    )


def render(names, folder=DATA):
    """Return Markdown: the commands, the machine and the table of data files."""
    files = {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names
    }
    text = "```bash\n" + "".join(f"{command(n, d)}\n" for n, d in files.items()) + "```\n\n"
    runs = [data for data in files.values() if "runs" in data]
    if runs:
        text += lag40(*runs) if "training_epochs" in runs[0]["runs"][0] else horizon(*runs)
    else:
        for data in files.values():
            kind = next(key for key in KINDS if key in data)
            text += KINDS[kind](data) + "\n"
    said = list(dict.fromkeys(machine(data) for data in files.values()))
    return text + "".join(f"\n*{line}*\n" for line in said if line)


def fill(text, folder=DATA):
    """Return a page with its marks replaced by what they stand for."""
    return MARK.sub(lambda mark: render(mark[1].split(), folder), text)


def on_read(app, docname, source):
    if docname == "benchmarks":
        source[0] = fill(source[0])


def setup(app):
    app.connect("source-read", on_read)
    return {"parallel_read_safe": True}

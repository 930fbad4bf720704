"""What ParticleNet uses to find a top: figures with errors, and a table.

    python -m benchmarks.what_particlenet_uses [--jets 1000] [--pairs 300] [--only particlenet-lite]

The taggers are the one that travels with the package (ParticleNet-Lite, 120,000 training jets) and, if benchmarks/cache has
it, the ParticleNet that `python -m benchmarks.quality equal` trained on 10,000 jets. They are explained on the jets that
travel with the package, which neither has seen: `jets` of each class, and `pairs` of each for the edges, once with the
trained network and once with the same architecture before training. Errors are those of a bootstrap over jets. Each is also
put into a few observables (every second jet), and shown soft and collinear emissions (300 jets).

Writes docs/figures/what-<network>-uses.png and benchmarks/results/what_particlenet_uses.md. Needs matplotlib, which
weaver-core (`pip install .[bench]`) brings along.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import workbench as wb
from workbench.explanation.aggregation import ALL, aggregate, compare_pairs
from workbench.explanation.dependence import AGAINST
from workbench.explanation.pairs import BLIND, MOST, RELEVANT, UNTRAINED
from workbench.explanation.translation import translate
from workbench.physics.observables import OBSERVABLES

ROOT = Path(__file__).parents[1]
FIGURES, RESULT = ROOT / "docs" / "figures", ROOT / "benchmarks" / "results" / "what_particlenet_uses.md"
TRAINED = ROOT / "benchmarks" / "cache" / "particlenet-10000-8-1.safetensors"
COLOURS = {"QCD": "#1F86C9", "top": "#E69F00"}
MARKERS = {"QCD": "o", "top": "s"}
SIGNAL, BACKGROUND = "top", "QCD"
TITLES = {"particlenet-lite": "ParticleNet-Lite", "particlenet": "ParticleNet"}
SEED = 1


def taggers(only):
    """Returns the fitted taggers by the name of their network."""
    paths = {"particlenet-lite": wb.bundled("tagger"), "particlenet": TRAINED}
    return {n: wb.open(p) for n, p in paths.items() if Path(p).exists() and only in {None, n}}


def drawn(sample, each):
    """Returns `each` jets of both classes in random order."""
    order = np.random.default_rng(SEED).permutation(len(sample))
    rows = [order[sample.is_class(name)[order]][:each] for name in (BACKGROUND, SIGNAL)]
    return sample[np.random.default_rng(SEED).permutation(np.concatenate(rows))]


def bars(axes, shares, title):
    """Draws shares of relevance by named bin, with the share of the particles beside."""
    names = shares.axes[0].names
    filled = [i for i in range(len(names)) if shares.of(ALL, "particles").value[i] > 0]
    at = np.arange(len(filled))
    for k, name in enumerate((BACKGROUND, SIGNAL)):
        found, particles = shares.of(name), shares.of(name, "particles")
        x = at + 0.2 * (2 * k - 1)
        axes.bar(
            x,
            found.value[filled],
            0.36,
            yerr=found.error[filled],
            color=COLOURS[name],
            alpha=0.75,
            label=name,
        )
        axes.scatter(x, particles.value[filled], marker="_", s=190, color="black", zorder=3)
    axes.scatter([], [], marker="_", s=190, color="black", label="share of particles")
    axes.set_xticks(at, [names[i].replace(" ", "\n") for i in filled])
    axes.set(ylabel="share of |relevance|", title=title)
    axes.legend(frameon=False)


def points(axes, shares, quantity, label, title, reference=None):
    """Draws a quantity along an axis, with its reference as dotted steps."""
    edges = np.array(shares.axes[0].edges)
    centre = (
        np.sqrt(edges[1:] * edges[:-1])
        if edges[0] > 0 and edges[-1] / edges[0] > 100
        else (edges[1:] + edges[:-1]) / 2
    )
    for name in (BACKGROUND, SIGNAL):
        found = shares.of(name, quantity)
        style = {"color": COLOURS[name], "marker": MARKERS[name], "ms": 4, "ls": "none", "label": name}
        axes.errorbar(centre, found.value, found.error, [centre - edges[:-1], edges[1:] - centre], **style)
        if reference:
            axes.stairs(shares.of(name, reference).value, edges, color=COLOURS[name], ls=":")
    if reference:
        axes.plot([], [], color="grey", ls=":", label="share of particles")
    axes.axhline(0, color="grey", lw=0.8)
    unit = f" [{shares.axes[0].unit}]" if shares.axes[0].unit else ""
    axes.set(xlabel=shares.axes[0].label + unit, ylabel=label, title=title)
    axes.legend(frameon=False)


def plane(figure, axes, values, x_edges, y_edges, labels, title, unit):
    """Draws a map on a symmetric diverging scale."""
    largest = float(np.nanmax(np.abs(values)))
    mesh = axes.pcolormesh(x_edges, y_edges, values, cmap="RdBu_r", vmin=-largest, vmax=largest)
    axes.set(xlabel=labels[0], ylabel=labels[1], title=title)
    figure.colorbar(mesh, ax=axes, label=unit)


def pairs_panel(axes, pairs, block):
    """Draws the share of pairs between subjets against the number of pairs, for top jets."""
    marks = {RELEVANT: ("#B2182B", "-"), UNTRAINED: ("#009E73", "--"), BLIND: ("grey", ":")}
    n = np.arange(1, MOST + 1)
    for part in pairs:
        if (part.block, part.group) == (block, SIGNAL):
            colour, dash = marks[part.source]
            value, error = part.between.value, part.between.error
            axes.plot(n, value, dash, color=colour, label=part.source)
            axes.fill_between(n, value - error, value + error, color=colour, alpha=0.25, lw=0)
    axes.set(xlabel="pairs per jet, most relevant first", ylabel="share between kT subjets", ylim=(0, 1))
    axes.set(title=f"Pairs in {SIGNAL} jets, edge convolution {block + 1}")
    axes.legend(frameon=False)


def books(axes, ledger):
    """Draws the mean of every line of the ledger."""
    at = np.arange(len(ledger.lines))
    for k, name in enumerate((BACKGROUND, SIGNAL)):
        found, y = ledger.of(name), at + 0.2 * (1 - 2 * k)
        axes.barh(y, found.value, 0.36, xerr=found.error, color=COLOURS[name], alpha=0.75, label=name)
    axes.set_yticks(at, [line.replace(" by ", "\nby ") for line in ledger.lines])
    axes.invert_yaxis()
    axes.axvline(0, color="grey", lw=0.8)
    axes.set(xlabel="mean per jet [log-odds]", title="Where the score comes from")
    axes.legend(frameon=False, loc="center left")


def profiles(axes, found, observable):
    """Draws the mean score against an observable."""
    for part in found.dependences:
        if (part.observable, part.quantity) == (observable, "score") and part.group in COLOURS:
            edges = np.array(part.axis.edges)
            centre, colour = (edges[1:] + edges[:-1]) / 2, COLOURS[part.group]
            rho = f"{part.group}: ρ = {float(part.at_fixed_mass.value):+.2f} ± {float(part.at_fixed_mass.error):.2f} at fixed mass"
            style = {"color": colour, "marker": MARKERS[part.group], "ms": 4, "ls": "none", "label": rho}
            axes.errorbar(
                centre, part.profile.value, part.profile.error, (edges[1:] - edges[:-1]) / 2, **style
            )
    axes.axhline(0, color="grey", lw=0.8)
    of = OBSERVABLES[observable]
    axes.set(xlabel=of.label, ylabel="mean score [log-odds]", title=f"Score against {of.label}")
    axes.set_ylim(top=axes.get_ylim()[1] + 5)
    axes.legend(frameon=False, loc="upper right")


def picture(name, found, pairs):
    """Returns the figure of one network."""
    figure = Figure(figsize=(20, 13.5), layout="constrained")
    panels = figure.subplots(3, 4)
    bars(panels[0, 0], found.shares["species"], "Particle types")
    points(
        panels[0, 1],
        found.shares["rank"],
        "cumulative",
        "share of |relevance| up to this rank",
        "Hard and soft particles",
    )
    points(
        panels[0, 2],
        found.shares["deltar"],
        "absolute",
        "share of |relevance|",
        "Distance to the axis",
        "particles",
    )
    books(panels[0, 3], found.ledger)
    images(figure, panels[1, :3], found.images)
    points(
        panels[1, 3],
        found.shares["deltar"],
        "amount",
        "relevance per jet [log-odds]",
        "For top (+) and against (−)",
    )
    planes(figure, panels[2, :2], found.shares["lund"])
    pairs_panel(panels[2, 2], pairs, max(part.block for part in pairs))
    profiles(panels[2, 3], found, "tau32")
    groups = f"{found.groups[BACKGROUND]:,} {BACKGROUND} and {found.groups[SIGNAL]:,} {SIGNAL} jets"
    how = f"{found.how['rule']} rule, {groups}; errors by bootstrap over jets"
    figure.suptitle(f"What {TITLES[name]} uses to find a top: relevance for the log-odds, {how}", fontsize=15)
    return figure


def images(figure, panels, found):
    """Draws the mean image of relevance of both classes on one scale, and their difference."""
    edges = np.linspace(-found.extent, found.extent, len(found.means[SIGNAL].mean) + 1)
    labels = ("Δη", "Δφ [rad]")
    pair = {name: found.means[name].mean for name in (BACKGROUND, SIGNAL)}
    for axes, (name, mean) in zip(panels, pair.items(), strict=False):
        plane(
            figure, axes, mean, edges, edges, labels, f"Mean relevance of {name} jets", "log-odds per pixel"
        )
    z = found.difference(SIGNAL, BACKGROUND)
    title = f"Mean relevance, {SIGNAL} − {BACKGROUND}"
    plane(figure, panels[2], z, edges, edges, labels, title, "standard errors")


def planes(figure, panels, lund):
    """Draws the relevance in the primary Lund plane of tops, and the difference to the background."""
    edges = [np.array(axis.edges) for axis in lund.axes]
    labels = [axis.label for axis in lund.axes]
    shape = [len(axis) for axis in lund.axes]
    amount = lund.of(SIGNAL, "amount").value
    z = lund.difference(SIGNAL, BACKGROUND, "amount").significance
    parts = (
        (amount, f"Primary Lund plane, {SIGNAL}", "relevance per jet [log-odds]"),
        (z, f"Primary Lund plane, {SIGNAL} − {BACKGROUND}", "standard errors"),
    )
    for axes, (values, title, unit) in zip(panels, parts, strict=True):
        plane(figure, axes, values.reshape(shape).T, *edges, labels, title, unit)


def written(value, error, digits=3):
    """Returns a number with its error."""
    return f"{value:+.{digits}f} ± {error:.{digits}f}"


def table(head, rows):
    """Returns a Markdown table."""
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells) + "\n"


def report(name, found, pairs):
    """Returns the section of one network."""
    pair = (BACKGROUND, SIGNAL)
    ledger = []
    for i, line in enumerate(found.ledger.lines):
        both = [found.ledger.of(g)[i] for g in (SIGNAL, BACKGROUND)]
        ledger.append([line, *(written(e.value, e.error, 2) for e in (*both[::-1], both[0].minus(both[1])))])
    shares = []
    for way in ("species", "charge", "subjet", "feature"):
        part = found.shares[way]
        for i, word in enumerate(part.axes[0].names):
            if not part.of(ALL, "particles").value[i]:
                continue
            cells = []
            for g in pair:
                share, particles, net = (part.of(g, q)[i] for q in ("absolute", "particles", "amount"))
                count = "" if way == "feature" else f" ({particles.value:.3f})"
                cells += [f"{share.value:.3f} ± {share.error:.3f}{count}", written(net.value, net.error, 2)]
            gap = part.difference(SIGNAL, BACKGROUND, "amount")[i]
            shares.append([f"{way}: {word}", *cells, written(gap.value, gap.error, 2)])
    seen = [
        [OBSERVABLES[d.observable].label, d.quantity, d.group, written(float(d.correlation.value), float(d.correlation.error), 2),
         "" if d.observable == "mass" else written(float(d.at_fixed_mass.value), float(d.at_fixed_mass.error), 2)]
        for d in found.dependences if d.group in pair and d.observable in AGAINST and d.quantity in {"score", "relevance"}
    ]  # fmt: skip
    edges = [
        [str(p.block + 1), p.group, p.source,
         *(f"{p.between.value[n - 1]:.3f} ± {p.between.error[n - 1]:.3f}" for n in (1, 5, 20)),
         "" if p.source == BLIND else f"{float(p.shortcut.value):.3f} ± {float(p.shortcut.error):.3f}"]
        for p in pairs if p.group in pair
    ]  # fmt: skip
    return "\n".join(
        [
            f"## {name}\n",
            f"{', '.join(f'{n:,} {g}' for g, n in found.groups.items())}; score {found.how['seed']}, {found.how['rule']} rule.\n",
            "Mean ledger per jet [log-odds]:\n",
            table(["line", *pair, f"{SIGNAL} − {BACKGROUND}"], ledger),
            "Share of |relevance| (in brackets: share of particles), and net relevance per jet [log-odds]:\n",
            table(
                [
                    "bin",
                    f"{BACKGROUND} share",
                    f"{BACKGROUND} net",
                    f"{SIGNAL} share",
                    f"{SIGNAL} net",
                    f"{SIGNAL} − {BACKGROUND}",
                ],
                shares,
            ),
            "Rank correlation with observables, and at fixed mass (ten bins):\n",
            table(["observable", "quantity", "class", "correlation", "at fixed mass"], seen),
            "Share of the N most relevant pairs that join different kT subjets, and share of |relevance| that passes the edges by:\n",
            table(
                ["edge convolution", "class", "pairs", "N = 1", "N = 5", "N = 20", "past the edges"], edges
            ),
        ]
    )


def in_words(tagger, sample):
    """Returns what a few observables say of the network, and what emissions do to its score."""
    found = translate(tagger, sample[::2], seed=(SIGNAL, BACKGROUND))
    rows = [
        [stage.name, *(f"{part.value:.4f} ± {part.error:.4f}" for part in (stage.ado, stage.auc, stage.lost))]
        for stage in found.stages
    ]
    emitted = wb.irc_safety(tagger, sample[:300], (SIGNAL, BACKGROUND))
    return "\n".join(
        [
            f"Observables, one after the other out of {found.candidates:,}, measured on {found.jets:,} jets "
            f"(the network's own AUC {found.network.value:.4f} ± {found.network.error:.4f}):\n",
            table(["observable added", "pairs in the network's order", "AUC", "AUC lost"], rows),
            f"{found.ended}\n",
            "Emissions:\n",
            *(f"- {safety.sentence}" for safety in emitted),
            "",
        ]
    )


def main():
    """Explains each tagger, draws its figure and writes the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jets", type=int, default=1000, help="jets of each class")
    parser.add_argument("--pairs", type=int, default=300, help="jets of each class whose edges are explained")
    parser.add_argument("--only", choices=("particlenet-lite", "particlenet"), help="one network; no table")
    asked = parser.parse_args()
    mpl.rcParams["svg.hashsalt"] = "workbench"
    FIGURES.mkdir(parents=True, exist_ok=True)
    sample = wb.load(wb.bundled("jets"))
    jets, few = drawn(sample, asked.jets), drawn(sample, asked.pairs)
    command = (
        f"Command: `python -m benchmarks.what_particlenet_uses --jets {asked.jets} --pairs {asked.pairs}`."
    )
    note = (
        f"{command} Errors: bootstrap over jets, 200 draws. Edges: {asked.pairs} jets of each class; the untrained network is one "
        "draw of the weights, whose spread is in no error. A line that both classes have alike, such as the constants of batch "
        f"normalisation, separates nothing: what counts for the decision is {SIGNAL} − {BACKGROUND}."
    )
    parts = [f"{note}\n"]
    for name, tagger in taggers(asked.only).items():
        found = aggregate(tagger, jets, seed=(SIGNAL, BACKGROUND))
        pairs = compare_pairs(tagger, few, seed=(SIGNAL, BACKGROUND))
        picture(name, found, pairs).savefig(FIGURES / f"what-{name}-uses.png", dpi=75)
        parts.append(f"{report(name, found, pairs)}\n{in_words(tagger, sample)}")
        print(parts[-1], flush=True)
    if asked.only is None:
        RESULT.write_text("\n".join(parts))


if __name__ == "__main__":
    main()

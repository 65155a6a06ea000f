"""Tables, figures and page of figure 2, from the runs of a measurement."""

import csv
import math

from fig2_tables import OPERATIONS, SETTINGS, STORED, checks, repeats

FIGURES = {
    "fig2a": ("p50 of a call, bars p10 to p90", "ms", ("p10", "p50", "p90")),
    "fig2b": ("operations a second, bars p10 to p90 over repeats", "op/s", ("slow", "throughput", "fast")),
}
COLOURS = {"put": "#b5482f", "range": "#2f6db5"}


def table(headers, rows):
    lines = ["| " + " | ".join(headers) + " |", "| " + " | ".join("---" for _ in headers) + " |"]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def write_csv(path, headers, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(headers)
        writer.writerows(rows)


def bound(nanoseconds):
    """The bound of a histogram's bucket, in ms."""
    if nanoseconds is None:
        return "-"
    return "no bound" if math.isinf(nanoseconds) else f"{nanoseconds / 1e6:g}"


def latency_rows(found):
    return [
        [*key, len(row.results), *(f"{value:.3f}" for value in (row.p10, row.p50, row.p90, row.mean)),
         f"{row.throughput:.1f}", f"{row.outstanding:.1f}", row.errors, f"{row.stores:.1f}", f"{row.generator:.1f}",
         bound(row.fsync[0]), bound(row.fsync[1]), row.notes]
        for key, row in found.items()]


LATENCY = [
    "setting", "operation", "nodes", "repeats", "p10_ms", "p50_ms", "p90_ms", "mean_ms", "throughput", "n_eff",
    "errors", "members_percent", "kvreel_percent", "fsync_p50_at_most_ms", "fsync_p99_at_most_ms", "notes"]


def throughput_rows(found):
    rows = []
    for (setting, operation, members), row in found.items():
        one = found.get((setting, operation, 1))
        ratio = f"{row.throughput / one.throughput:.3f}" if one and one.throughput else ""
        rows.append(
            [setting, operation, members, len(row.results), f"{row.throughput:.1f}", f"{row.slow:.1f}",
             f"{row.fast:.1f}", ratio])
    return rows


THROUGHPUT = ["setting", "operation", "nodes", "repeats", "median", "p10", "p90", "ratio_to_1"]


def open_rows(runs):
    rows = []
    names = list(SETTINGS)
    for run in sorted(
            (run for run in runs if run["kind"] == "open"),
            key=lambda run: (names.index(run["setting"]), OPERATIONS.index(run["operation"]), run["members"])):
        result, times = run["result"], run["result"]["response_time"]
        rows.append(
            [run["setting"], run["operation"], run["members"], run["rate"], f"{result.get('per_second', 0):.1f}",
             *(f"{times[name] / 1e6:.3f}" for name in ("p10_ns", "p50_ns", "p90_ns", "p99_ns", "mean_ns")),
             result["errors"], result["verdict"]])
    return rows


OPEN = [
    "setting", "operation", "nodes", "rate", "throughput", "p10_ms", "p50_ms", "p90_ms", "p99_ms", "mean_ms", "errors",
    "verdict"]


def run_rows(runs):
    rows = []
    for run in runs:
        result, times = run["result"], run["result"]["response_time"]
        conditions = result.get("conditions", {})
        rows.append(
            [run["setting"], run["operation"], run["members"], run["kind"], run["repeat"],
             f"{result.get('per_second', 0):.1f}",
             *(f"{times[name] / 1e6:.3f}" for name in ("p10_ns", "p50_ns", "p90_ns", "p99_ns", "mean_ns")),
             result["errors"], result["verdict"], f"{conditions.get('members_percent', 0):.1f}",
             f"{conditions.get('kvreel_percent', 0):.1f}", conditions.get("load_average", "")])
    return rows


RUNS = [
    "setting", "operation", "nodes", "kind", "repeat", "throughput", "p10_ms", "p50_ms", "p90_ms", "p99_ms", "mean_ms",
    "errors", "verdict", "members_percent", "kvreel_percent", "load_average"]


def shape_rows(found):
    """Ratios to one member, ours beside those of the authors' stored runs."""
    rows = []
    for operation in OPERATIONS:
        for index, (word, figure) in enumerate((("p50", "p50"), ("op/s", "throughput"))):
            for members in sorted({key[2] for key in found} - {1}):
                row = [f"{operation} {word}", members]
                stored = STORED.get(members)
                row.append(f"{stored[operation][index] / STORED[1][operation][index]:.2f}" if stored else "-")
                for setting in SETTINGS:
                    own, one = (found.get((setting, operation, count)) for count in (members, 1))
                    known = own and one and getattr(one, figure)
                    row.append(f"{getattr(own, figure) / getattr(one, figure):.2f}" if known else "-")
                rows.append(row)
    return rows


def conditions(runs, found):
    """What stands with every figure."""
    results = [run["result"] for run in runs]
    known = [result["conditions"] for result in results if "conditions" in result]
    first = known[0] if known else {}
    members = sorted({run["members"] for run in runs})
    cores = first.get("cores", 0)
    loads = [float(each["load_average"].split()[0]) for each in known if "load_average" in each]
    memory = first.get("memory_bytes")
    lines = [
        f"- {cores} cores, {first.get('processor', 'processor not known')}, "
        f"{memory / 2**30:.1f} GiB of memory, {first.get('kernel', '')}" if memory else f"- {cores} cores",
        f"- data on {first.get('file_system', '?')} of {first.get('device', '?')}; fsync of the log by table below",
        f"- {first.get('store', 'etcd')}, {'TLS' if first.get('tls') else 'no TLS'}, all members and kvreel on this "
        "machine, over its loopback",
        f"- seed of the order {runs[0]['seed']}; load average (1 minute) before the runs "
        + (f"{min(loads):.2f} to {max(loads):.2f}" if loads else "not known"),
    ]
    for setting in SETTINGS.values():
        mine = [run for run in runs if run["setting"] == setting.name and run["kind"] == "closed"]
        if not mine:
            continue
        operations = sorted({run["operations"] for run in mine})
        lines.append(
            f"- {setting.name}: C = {setting.outstanding}, O = {', '.join(map(str, operations))} behind a warm-up of "
            f"{', '.join(map(str, sorted({run['warm_up'] for run in mine})))}, "
            f"{setting.connections} connections over all members, keys of {setting.key_bytes} bytes, values of "
            f"{setting.value_bytes}, {max(run['repeat'] for run in mine)} repeats")
    lines += [
        f"- {count} members exceed {cores} cores: processor contention dominates"
        for count in members if cores and count > cores]
    bound_rows = [f"{key[0]} {key[1]} on {key[2]}" for key, row in found.items() if row.is_generator_bound]
    if bound_rows:
        lines.append(
            "- generator-bound, since kvreel took more than 30 % of the processors: " + ", ".join(bound_rows))
    return "\n".join(lines)


def nice(value):
    """A round number not below it."""
    scale = 10 ** math.floor(math.log10(value)) if value > 0 else 1
    return next(step * scale for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * scale >= value)


def svg(found, setting, figure):
    """Points with bars against members, as a picture."""
    title, unit, (low, middle, high) = FIGURES[figure]
    rows = {key: row for key, row in found.items() if key[0] == setting}
    members = sorted({key[2] for key in rows})
    top = nice(max(getattr(row, high) for row in rows.values()))
    left, right, above, below = 62, 444, 34, 214

    def x(count):
        return left + (right - left) * (members.index(count) + 0.5) / len(members)

    def y(value):
        return below - (below - above) * value / top

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 260" font-family="sans-serif" font-size="11">',
        '<rect width="460" height="260" fill="#fff"/>',
        f'<text x="{left}" y="16">{setting}: {title}, {unit}</text>']
    for step in range(5):
        value = top * step / 4
        parts.append(
            f'<path d="M{left} {y(value):.1f}H{right}" stroke="#ddd"/>'
            f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for count in members:
        parts.append(f'<text x="{x(count):.1f}" y="{below + 16}" text-anchor="middle">{count}</text>')
    parts.append(f'<text x="{(left + right) / 2}" y="{below + 34}" text-anchor="middle">members</text>')
    for place, operation in enumerate(OPERATIONS):
        colour, shift = COLOURS[operation], 6 * place - 3
        points = [(x(key[2]) + shift, row) for key, row in rows.items() if key[1] == operation]
        line = " ".join(f"{at:.1f},{y(getattr(row, middle)):.1f}" for at, row in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}"/>')
        for at, row in points:
            parts.append(
                f'<path d="M{at:.1f} {y(getattr(row, low)):.1f}V{y(getattr(row, high)):.1f}" stroke="{colour}"/>'
                f'<circle cx="{at:.1f}" cy="{y(getattr(row, middle)):.1f}" r="3" fill="{colour}"/>')
        parts.append(
            f'<circle cx="{left + 8 + 60 * place}" cy="{below + 30}" r="3" fill="{colour}"/>'
            f'<text x="{left + 15 + 60 * place}" y="{below + 34}">{operation}</text>')
    return "\n".join(parts + ["</svg>", ""])


def write(runs, template, folder):
    """Writes everything; the names of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    found = repeats(runs)
    names = []
    for name, headers, rows in (
            ("fig2a", LATENCY, latency_rows(found)), ("fig2b", THROUGHPUT, throughput_rows(found)),
            ("open", OPEN, open_rows(runs)), ("runs", RUNS, run_rows(runs))):
        write_csv(folder / f"{name}.csv", headers, rows)
        names.append(f"{name}.csv")
    pictures = []
    for setting in SETTINGS:
        if not any(key[0] == setting for key in found):
            continue
        for figure in FIGURES:
            name = f"{figure}-{setting}.svg"
            (folder / name).write_text(svg(found, setting, figure))
            names.append(name)
            pictures.append(f"![{FIGURES[figure][0]}]({name})")
    values = {
        "conditions": conditions(runs, found),
        "figures": "\n".join(pictures),
        "checks": table(
            ["setting", "what must hold", "", "numbers"],
            [[setting, check.name, check.word, check.numbers]
             for setting in SETTINGS if any(key[0] == setting for key in found)
             for check in checks(found, setting)]),
        "latency": table(
            ["setting", "operation", "nodes", "repeats", "p10", "p50", "p90", "mean", "op/s", "N_eff", "errors",
             "members, %", "kvreel, %", "fsync p50 <=", "p99 <=", "notes"], latency_rows(found)),
        "throughput": table(
            ["setting", "operation", "nodes", "repeats", "median", "p10", "p90", "to 1 node"], throughput_rows(found)),
        "open": table(
            ["setting", "operation", "nodes", "asked, op/s", "done, op/s", "p10", "p50", "p90", "p99", "mean", "errors",
             "verdict"], open_rows(runs)),
        "shape": table(["to 1 member", "nodes", "authors' stored runs", *SETTINGS], shape_rows(found)),
    }
    for name, text in values.items():
        template = template.replace(f"@{name}@", text)
    (folder / "README.md").write_text(template)
    return ["README.md"] + names

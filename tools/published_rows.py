"""The published rows that tools/reproduce.sh runs: what was published, and the commands that repeat it. Standard library only."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import typing

TREE = pathlib.Path(__file__).resolve().parents[1]


class Result(typing.NamedTuple):
    name: str
    published: str
    path: str  # FILE/KEY/KEY... below the folder of a run


class Row(typing.NamedTuple):
    source: str
    train: str  # a tool and its options
    results: typing.Sequence[Result]
    then: str = ""  # what looks at the finished run


def accuracy(published, name="test accuracy"):
    return Result(name, published, "results.json/test_accuracy")


def fid(features, random_code, limiting):
    return [Result(f"FID({features}), random code", random_code, "fid.json/random code/fid/value"),
            Result(f"FID({features}), limiting", limiting, "fid.json/limiting/fid/value")]


def symmetric(preset, learn, random_code, limiting):
    data = "fashion-mnist" if preset.startswith("fmnist") else "mnist"
    return Row("Flach et al. 2024, published code", f"sym_vae --data {data} --preset {preset} --learn {learn} --batch 1024",
               fid("inception", random_code, limiting), "sym_vae fid --features inception")


def shot(data, net, labels, published):
    return Row("Feng et al. 2021, one of the draft's tables",
               f"shot_vae --data {data} --preset published --net-name {net} --labels {labels}", [accuracy(published)])


def codes(kind, train, test):
    return [Result(f"{kind}, training images", train, f"classifier/results.json/{kind}/train"),
            Result(f"{kind}, test images", test, f"classifier/results.json/{kind}/test")]


ADGM = "adgm --data mnist --preset"
VAE = "vae --data mnist --preset notebook --epochs"
ROWS = {
    "m2": Row("Chainer implementation of 2016, 490 epochs", "m2 --data mnist --preset seed --epochs 490", [accuracy("0.9018")]),
    "m1-m2": Row("Chainer implementation of 2016, two runs", "m1_m2 --data mnist --preset seed", [accuracy("0.954, 0.951")]),
    "m2-paper": Row("Kingma et al. 2014, ten splits", "m2 --data mnist --preset paper", [accuracy("0.8803 ± 0.0171")]),
    "m1-m2-paper": Row("Kingma et al. 2014, ten splits", "m1_m2 --data mnist --preset paper", [accuracy("0.9667 ± 0.0014")]),
    "adgm-notebook": Row("the library, one seed, ten epochs", f"{ADGM} notebook", [accuracy("0.813")]),
    "adgm": Row("Maaloe et al. 2016; the authors' log after 1000 epochs: 0.9881", f"{ADGM} paper", [accuracy("0.9904 ± 0.0002")]),
    "sdgm": Row("Maaloe et al. 2016", f"{ADGM} paper --model sdgm", [accuracy("0.9868 ± 0.0007")]),
    "vae": Row("the library, one seed", f"{VAE} 6", [Result("test loss, nats", "137.8", "results.json/test_loss")]),
    "vae-raw": Row("the library with log-variances of any sign, one seed", f"{VAE} 6 --logvar raw",
                   [Result("test loss, nats", "113.3", "results.json/test_loss")]),
    "vae-ladder": Row("the library, one seed", f"{VAE} 5 --model ladder", [Result("test loss, nats", "179.7", "results.json/test_loss")]),
    "vae-gumbel": Row("the library, one seed", f"{VAE} 5 --model gumbel", [Result("test loss, nats", "176.2", "results.json/test_loss")]),
    "ml-vae": Row("published table, deviation 0.1", "ml_vae --data mnist --preset reference",
                  [*codes("style", "0.4438 - 0.4461", "0.4206 - 0.4299"), *codes("class_evidence", "0.9975", "0.9971"),
                   *codes("class_single", "0.3774", "0.3855")], "ml_vae classify"),
    "ml-vae-std1": Row("published table, deviation 1", "ml_vae --data mnist --preset reference-std1",
                       [*codes("style", "0.7866 - 0.7869", "0.7782 - 0.7817"), *codes("class_evidence", "0.8593", "0.8599"),
                        *codes("class_single", "0.3326", "0.3308")], "ml_vae classify"),
    "sym-ladder": symmetric("mnist-ladder", "sym", "1.6543", "4.1015"),
    "elbo-ladder": symmetric("mnist-ladder", "elbo", "3.2227", "36.6440"),
    "sym-reverse": symmetric("mnist-reverse", "sym", "1.4746", "4.9559"),
    "elbo-reverse": symmetric("mnist-reverse", "elbo", "5.2889", "14.2256"),
    "sym-fashion": symmetric("fmnist-ladder", "sym", "43.6204", "42.3663"),
    "elbo-fashion": symmetric("fmnist-ladder", "elbo", "37.8115", "119.1699"),
    "smooth-mnist": Row("Feng et al. 2021", "smooth_elbo --data mnist --preset mnist", [accuracy("0.9686 ± 0.0019")]),
    "smooth-svhn": Row("Feng et al. 2021", "smooth_elbo --data svhn --preset svhn", [accuracy("0.7262 ± 0.0078")]),
    "shot-cifar10": shot("cifar10", "wideresnet-28-2", 4000, "0.9149 ± 0.0032"),
    "shot-cifar10-wide": shot("cifar10", "wideresnet-28-10", 4000, "0.9389 ± 0.0034"),
    "shot-cifar100": shot("cifar100", "wideresnet-28-2", 4000, "0.5942 ± 0.0048"),
    "shot-cifar100-wide": shot("cifar100", "wideresnet-28-10", 4000, "0.6624 ± 0.0053"),
    "shot-cifar100-10k": shot("cifar100", "wideresnet-28-2", 10000, "0.6859 ± 0.0021"),
    "shot-cifar100-10k-wide": shot("cifar100", "wideresnet-28-10", 10000, "0.7470 ± 0.0031"),
    "shot-svhn": shot("svhn", "wideresnet-28-2", 1000, "0.9421 ± 0.0015"),
}


def call(*command):
    print("==", *command, flush=True)
    code = subprocess.call([str(TREE / "build/bin" / command[0]), *command[1:]])
    if code:
        sys.exit(code if code > 0 else 128 - code)


def read(run, path):
    """A number of a run; None where it is not there."""
    file, *keys = path.removeprefix("classifier/").split("/")
    file = run / ("classifier" if path.startswith("classifier/") else "") / file
    value = json.loads(file.read_text()) if file.exists() else None
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def ours(runs, path):
    values = [value for value in (read(run, path) for run in runs) if value is not None]
    if not values:
        return "-"
    spread = f" ± {statistics.stdev(values):.2g} ({len(values)} seeds)" if len(values) > 1 else ""
    return f"{statistics.mean(values):.5g}{spread}"


def reproduce(name, options):
    row, run = ROWS[name], TREE / "runs" / name
    tool, *published = row.train.split()
    if (run / "config.json").exists():
        call(tool, "train", "--resume", "--run", str(run), *options)
    else:
        call(tool, "train", *published, "--run", str(run), *options)
    runs = sorted(run.glob("seed_*")) or [run]
    if row.then:
        for one in runs:
            call(*row.then.split(), "--run", str(one))
    table = [("", "published", "ours"), *((r.name, r.published, ours(runs, r.path)) for r in row.results)]
    widths = [max(map(len, column)) for column in zip(*table)]
    print(f"{name}: {row.source}; ours: {ours(runs, 'results.json/iterations')} iterations")
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def main(arguments):
    asked = arguments[1:] if arguments[:1] == ["--tool"] else arguments
    if asked[:1] in ([], [""]):
        if asked is arguments:
            for name, row in ROWS.items():
                print(f"{name:23} {row.source}: {', '.join(f'{r.name} {r.published}' for r in row.results)}")
    elif asked[0] not in ROWS:
        print(f"error: {asked[0]} is no row; without one tools/reproduce.sh names all", file=sys.stderr)
        sys.exit(2)
    elif asked is arguments:
        reproduce(asked[0], asked[1:])
    else:
        print(ROWS[asked[0]].train.split()[0])


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    main(sys.argv[1:])

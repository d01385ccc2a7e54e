"""Damaged slides and killed counts: nothing but exact refusals, and the same result after a kill.

    python benchmarks/counting_robustness.py [--mutations 200] [--kills 10]

Mutates copies of a synthetic slide (bytes flipped, blocks zeroed or shuffled, ends cut, headers overwritten) and
counts each in a process of its own under a time limit; then kills -9 a count at random moments and resumes it.
Prints what came of each kind and exits 1 when a process crashed, hung or raised anything but a refusal, or when a
resumed count differs.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kulchitsky.slide import synthetic

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 120

COUNT_MANY = """
import sys
from kulchitsky.case.errors import RefusedInput
from kulchitsky.slide.count import count_slide
for path in sys.argv[1:]:
    print("start", path, flush=True)
    try:
        result = count_slide(path, detector="fast", hotspot_cells=(), threads=1)
        print("counted", result.count.counted, flush=True)
    except RefusedInput as error:
        print("refused", str(error), flush=True)
"""

COUNT_RESUMED = """
import hashlib, sys
from kulchitsky.slide.count import count_slide
from kulchitsky.slide.export import write_cells
count_slide  # imported before the clock starts
print("ready", flush=True)
result = count_slide(sys.argv[1], detector="fast", threads=1, resume_dir=sys.argv[2], hotspot_cells=(), block_px=256)
write_cells(sys.argv[3], result.cells, 0.5)
"""


def mutate(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    kind = rng.choice(["bits", "zeros", "cut", "header", "shuffle", "insert"])
    out = bytearray(data)
    if kind == "bits":
        for _ in range(rng.randint(1, 400)):
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    elif kind == "zeros":
        start = rng.randrange(len(out))
        out[start : start + rng.randint(16, 60_000)] = bytes(min(len(out) - start, 60_000))
    elif kind == "cut":
        del out[rng.randrange(8, len(out)) :]
    elif kind == "header":
        for _ in range(rng.randint(1, 24)):
            out[rng.randrange(min(1200, len(out)))] = rng.randrange(256)
    elif kind == "shuffle":
        a, b, size = rng.randrange(len(out)), rng.randrange(len(out)), rng.randint(100, 20_000)
        out[a : a + size], out[b : b + size] = out[b : b + size], out[a : a + size]
    else:
        place = rng.randrange(len(out))
        out[place:place] = rng.randbytes(rng.randint(1, 3000))
    return kind, bytes(out)


def damaged(folder: Path, slide: bytes, mutations: int) -> dict[str, dict[str, int]]:
    rng = random.Random(5)
    kinds: dict[str, str] = {}
    for number in range(mutations):
        kind, data = mutate(slide, rng)
        path = folder / f"mutated-{number:03d}.tif"
        path.write_bytes(data)
        kinds[str(path)] = kind
    outcome: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    left = list(kinds)
    while left:
        try:
            run = subprocess.run(
                [sys.executable, "-c", COUNT_MANY, *left],
                capture_output=True,
                text=True,
                timeout=LIMIT_S + 20 * len(left),
            )
            lines, code, note = run.stdout.splitlines(), run.returncode, run.stderr
        except subprocess.TimeoutExpired as expired:
            lines, code, note = (expired.stdout or b"").decode().splitlines(), -1, "timed out"
        current = ""
        for line in lines:
            word, _, rest = line.partition(" ")
            if word == "start":
                current = rest
            else:
                outcome[kinds[current]][word] += 1
                left.remove(current)
                current = ""
        if left and code != 0 and current:
            outcome[kinds[current]]["CRASHED"] += 1
            print(f"{Path(current).name} ({kinds[current]}): {note.strip().splitlines()[-1:]}")
            left.remove(current)
        elif left and code == 0:
            raise RuntimeError("files were passed over")
    return {kind: dict(counts) for kind, counts in outcome.items()}


def killed(folder: Path, kills: int) -> tuple[int, bool]:
    slide = folder / "whole.tif"
    synthetic.write_slide(slide, synthetic.SlideSpec(seed=9, width_px=3000, height_px=2600, period_um=512.0))
    command = [sys.executable, "-c", COUNT_RESUMED, str(slide)]
    subprocess.run([*command, str(folder / "first"), str(folder / "first.geojson")], check=True, capture_output=True)
    rng = random.Random(7)
    resume, target = folder / "resumed", folder / "resumed.geojson"
    done = 0
    for _ in range(kills):
        process = subprocess.Popen(
            [*command, str(resume), str(target)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0.05, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        done += not target.exists()
    subprocess.run([*command, str(resume), str(target)], check=True, capture_output=True)
    return done, target.read_bytes() == (folder / "first.geojson").read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthetic.write_slide(folder / "good.tif", synthetic.SlideSpec(seed=8, width_px=900, height_px=700))
        outcome = damaged(folder, (folder / "good.tif").read_bytes(), options.mutations)
        for kind, counts in sorted(outcome.items()):
            print(f"{kind:10s}" + "  ".join(f"{word} {number}" for word, number in sorted(counts.items())))
        interrupted, same = killed(folder, options.kills)
        print(f"killed before the end {interrupted} times of {options.kills}; resumed cells identical: {same}")
    date = datetime.date.today().isoformat()
    crashed = sum(counts.get("CRASHED", 0) for counts in outcome.values())
    result = {
        "date": date,
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True
        ).stdout.strip(),
        "mutations": outcome,
        "kills": {"interrupted": interrupted, "identical": same},
    }
    (ROOT / "benchmarks" / "results" / f"counting_robustness-{date}.json").write_text(
        json.dumps(result, indent=1) + "\n"
    )
    sys.exit(1 if crashed or not same else 0)


if __name__ == "__main__":
    main()
